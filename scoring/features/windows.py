"""Earlier events summed up per window: ring events exactly, tiles whole. Compiled by numba."""

from typing import Any

import numpy as np

from scoring.features.compiled import compiled
from scoring.features.plan import MOST_NUMBERS, MOST_WINDOWS, Plan
from scoring.features.tiles import kept_value
from scoring.features.working import Working

BANDS = np.dtype(
    [
        ("events", "i8", MOST_WINDOWS), ("tiled", "u1", MOST_WINDOWS),
        ("values", "i8", (MOST_WINDOWS, MOST_NUMBERS)), ("mean", "f8", (MOST_WINDOWS, MOST_NUMBERS)),
        ("squares", "f8", (MOST_WINDOWS, MOST_NUMBERS)), ("maximum", "f8", (MOST_WINDOWS, MOST_NUMBERS)),
        ("minimum", "f8", (MOST_WINDOWS, MOST_NUMBERS)),
    ],
    align=True,
)  # fmt: skip
"""Earlier events in each window, and per series their count and moments; `tiled` where a tile took part."""

Bands = Any  # a record of dtype BANDS


@compiled
def summarise(plan: Plan, work: Working, bands: Bands, time: int, group: int) -> bool:
    """Fills `bands` with what lies in `(time - window, time]`; True when a tile lies across a window's edge.

    Each ring event and tile is added to the smallest window that holds it; then every window takes in the next
    smaller one.
    """
    windows = plan.n_windows
    for window in range(windows):
        bands.events[window] = 0
        bands.tiled[window] = 0
        for series in range(plan.n_series):
            bands.values[window, series] = 0
    window = 0
    for place in range(work.events - 1, -1, -1):
        then = work.time[place]
        if then > time:
            continue
        while window < windows and then <= time - plan.windows[window]:
            window += 1
        if window == windows:
            break
        bands.events[window] += 1
        if work.group[place] == group:
            for series in range(plan.n_series):
                value = kept_value(plan, series, work.number[place])
                if not np.isnan(value):
                    _add_value(bands, window, series, value)
    across = False
    for tile in range(work.tiles):
        if work.tile_first[tile] > time:
            continue
        across |= work.tile_last[tile] > time
        newest = min(work.tile_last[tile], time)
        window = 0
        while window < windows and newest <= time - plan.windows[window]:
            window += 1
        if window == windows:
            continue
        for wider in range(window, windows):
            across |= work.tile_first[tile] <= time - plan.windows[wider]
        bands.tiled[window] = 1
        bands.events[window] += work.tile_events[tile]
        if work.tile_group[tile] == group:
            for series in range(plan.n_series):
                _merge_values(
                    bands, window, series, work.tile_values[tile, series], work.tile_mean[tile, series],
                    work.tile_squares[tile, series], work.tile_maximum[tile, series], work.tile_minimum[tile, series],
                )  # fmt: skip
    for window in range(1, windows):
        bands.events[window] += bands.events[window - 1]
        bands.tiled[window] |= bands.tiled[window - 1]
        for series in range(plan.n_series):
            _merge_values(
                bands, window, series, bands.values[window - 1, series], bands.mean[window - 1, series],
                bands.squares[window - 1, series], bands.maximum[window - 1, series],
                bands.minimum[window - 1, series],
            )  # fmt: skip
    return across


@compiled
def _add_value(bands: Bands, window: int, series: int, value: float) -> None:
    n = bands.values[window, series] + 1
    bands.values[window, series] = n
    if n == 1:
        bands.mean[window, series] = value
        bands.squares[window, series] = 0.0
        bands.maximum[window, series] = value
        bands.minimum[window, series] = value
        return
    shift = value - bands.mean[window, series]
    bands.mean[window, series] += shift / n
    bands.squares[window, series] += shift * (value - bands.mean[window, series])
    bands.maximum[window, series] = max(bands.maximum[window, series], value)
    bands.minimum[window, series] = min(bands.minimum[window, series], value)


@compiled
def _merge_values(
    bands: Bands,
    window: int,
    series: int,
    n: int,
    mean: float,
    squares: float,
    maximum: float,
    minimum: float,
) -> None:
    if n == 0:
        return
    have = bands.values[window, series]
    bands.values[window, series] = have + n
    if have == 0:
        bands.mean[window, series] = mean
        bands.squares[window, series] = squares
        bands.maximum[window, series] = maximum
        bands.minimum[window, series] = minimum
        return
    shift = mean - bands.mean[window, series]
    bands.mean[window, series] += shift * n / (have + n)
    bands.squares[window, series] += squares + shift * shift * have * n / (have + n)
    bands.maximum[window, series] = max(bands.maximum[window, series], maximum)
    bands.minimum[window, series] = min(bands.minimum[window, series], minimum)
