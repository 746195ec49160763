"""Earlier events summed up per window: ring events exactly, tiles whole. Compiled by numba."""

from typing import Any

import numpy as np

from scoring.compiled import compiled
from scoring.features.plan import (
    MAXIMUM_KEPT,
    MEAN_KEPT,
    MINIMUM_KEPT,
    MOST_NUMBERS,
    MOST_WINDOWS,
    SQUARES_KEPT,
    Plan,
)
from scoring.features.tiles import kept_value
from scoring.features.working import Working

BANDS = np.dtype(
    [
        ("until", "i8"), ("begins", "i8", MOST_WINDOWS), ("distinct", "i8", MOST_WINDOWS),
        ("events", "i8", MOST_WINDOWS), ("tiled", "u1", MOST_WINDOWS),
        ("values", "i8", (MOST_NUMBERS, MOST_WINDOWS)), ("mean", "f8", (MOST_NUMBERS, MOST_WINDOWS)),
        ("squares", "f8", (MOST_NUMBERS, MOST_WINDOWS)), ("maximum", "f8", (MOST_NUMBERS, MOST_WINDOWS)),
        ("minimum", "f8", (MOST_NUMBERS, MOST_WINDOWS)),
        ("now", "f8", MOST_NUMBERS),
        ("values_now", "i8", (MOST_NUMBERS, MOST_WINDOWS)), ("mean_now", "f8", (MOST_NUMBERS, MOST_WINDOWS)),
        ("squares_now", "f8", (MOST_NUMBERS, MOST_WINDOWS)), ("maximum_now", "f8", (MOST_NUMBERS, MOST_WINDOWS)),
        ("minimum_now", "f8", (MOST_NUMBERS, MOST_WINDOWS)),
    ],
    align=True,
)  # fmt: skip
"""Earlier events in each window, and per series their count and moments; `tiled` where a tile took part.

The ring's events of a window are those from `begins` of the window up to, not including, `until`; `distinct`
is how many codes they have with this event, of the code column looked at last. `now` is what the event itself
adds to each series, NaN for nothing, and `_now` the same as before with it.
"""

Bands = Any  # a record of dtype BANDS


@compiled
def summarise(plan: Plan, work: Working, bands: Bands, time: int, group: int) -> bool:
    """Fills `bands` with what lies in `(time - window, time]`; True when that is not exact.

    Not exact: a tile lies across an edge of a window or of the memory, or one that a window reaches was
    dropped. Each ring event and tile is added to the smallest window that holds it; then every window takes
    in the next smaller one.
    """
    windows = plan.n_windows
    for window in range(windows):
        bands.events[window] = 0
        bands.tiled[window] = 0
    _sum_ring(plan, work, bands, time, group)
    across = windows > 0 and work.forgotten > time - plan.windows[windows - 1]
    if work.tiles:
        across |= _sum_tiles(plan, work, bands, time, group)
    for window in range(1, windows):
        bands.events[window] += bands.events[window - 1]
        bands.tiled[window] |= bands.tiled[window - 1]
    for series in range(plan.n_series):
        keeps = plan.series_keeps[series]
        for window in range(1, windows):
            smaller = window - 1
            _merge_values(
                bands, window, series, keeps, bands.values[series, smaller], bands.mean[series, smaller],
                bands.squares[series, smaller], bands.maximum[series, smaller],
                bands.minimum[series, smaller],
            )  # fmt: skip
    return bool(across)


@compiled
def _sum_ring(plan: Plan, work: Working, bands: Bands, time: int, group: int) -> None:
    until = work.events
    while until > 0 and work.time[until - 1] > time:
        until -= 1
    bands.until = until
    place = until
    for window in range(plan.n_windows):
        edge = time - plan.windows[window]
        newest = place
        while place > 0 and work.time[place - 1] > edge:
            place -= 1
        bands.begins[window] = place
        bands.events[window] = newest - place
        for series in range(plan.n_series):
            _sum_values(plan, work, bands, window, series, place, newest, group)


@compiled
def _sum_values(
    plan: Plan, work: Working, bands: Bands, window: int, series: int, begin: int, end: int, group: int
) -> None:
    """One series of the ring's events from `begin` to `end`, newest first."""
    n, mean, squares, maximum, minimum = 0, 0.0, 0.0, 0.0, 0.0
    source = plan.series_source[series]
    for place in range(end - 1, begin - 1, -1):
        value = kept_value(plan, series, work.number[source, place])
        if work.group[place] != group or np.isnan(value):
            continue
        n += 1
        if n == 1:
            mean = maximum = minimum = value
        else:
            shift = value - mean
            mean += shift / n
            squares += shift * (value - mean)
            maximum, minimum = max(maximum, value), min(minimum, value)
    bands.values[series, window], bands.mean[series, window] = n, mean
    bands.squares[series, window] = squares
    bands.maximum[series, window], bands.minimum[series, window] = maximum, minimum


@compiled
def _sum_tiles(plan: Plan, work: Working, bands: Bands, time: int, group: int) -> bool:
    windows = plan.n_windows
    remembered = work.last - plan.horizon_ms - plan.grace_ms
    across = False
    for tile in range(work.tiles):
        first, last = work.tile_first[tile], work.tile_last[tile]
        if first > time:
            continue
        newest = min(last, time)
        window = 0
        while window < windows and newest <= time - plan.windows[window]:
            window += 1
        if window == windows:
            continue
        across |= last > time or first <= remembered
        for wider in range(window, windows):
            across |= first <= time - plan.windows[wider]
        bands.tiled[window] = 1
        bands.events[window] += work.tile_events[tile]
        if work.tile_group[tile] == group:
            for series in range(plan.n_series):
                _merge_values(
                    bands, window, series, plan.series_keeps[series], work.tile_values[series, tile],
                    work.tile_mean[series, tile], work.tile_squares[series, tile],
                    work.tile_maximum[series, tile], work.tile_minimum[series, tile],
                )  # fmt: skip
    return across


@compiled
def include(plan: Plan, work: Working, bands: Bands) -> None:
    """Fills what `bands` holds with the current event, once for all statistics of a series and window."""
    for series in range(plan.n_series):
        value = kept_value(plan, series, work.current[plan.series_source[series]])
        bands.now[series] = value
        for window in range(plan.n_windows):
            n, mean, squares = bands.values[series, window], bands.mean[series, window], bands.squares[series, window]
            maximum, minimum = bands.maximum[series, window], bands.minimum[series, window]
            if not np.isnan(value):
                n += 1
                if n == 1:
                    mean, squares, maximum, minimum = value, 0.0, value, value
                else:
                    shift = value - mean
                    mean += shift / n
                    squares += shift * (value - mean)
                    maximum, minimum = max(maximum, value), min(minimum, value)
            bands.values_now[series, window], bands.mean_now[series, window] = n, mean
            bands.squares_now[series, window] = squares
            bands.maximum_now[series, window], bands.minimum_now[series, window] = maximum, minimum


@compiled
def _merge_values(
    bands: Bands,
    window: int,
    series: int,
    keeps: int,
    n: int,
    mean: float,
    squares: float,
    maximum: float,
    minimum: float,
) -> None:
    if n == 0:
        return
    have = bands.values[series, window]
    both = have + n
    bands.values[series, window] = both
    if have == 0:
        bands.mean[series, window] = mean
        bands.squares[series, window] = squares
        bands.maximum[series, window] = maximum
        bands.minimum[series, window] = minimum
        return
    if keeps & MEAN_KEPT:
        shift = mean - bands.mean[series, window]
        bands.mean[series, window] += shift * n / both
        if keeps & SQUARES_KEPT:
            bands.squares[series, window] += squares + shift * shift * have * n / both
    if keeps & MAXIMUM_KEPT:
        bands.maximum[series, window] = max(bands.maximum[series, window], maximum)
    if keeps & MINIMUM_KEPT:
        bands.minimum[series, window] = min(bands.minimum[series, window], minimum)
