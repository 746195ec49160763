"""Tiles: spans of event time that hold mergeable moments, coarser as they age. Compiled by numba.

A tile belongs to a bucket of the span of its age: one twelfth of the smallest window that still reaches its
newest event. Tiles of one group never overlap.
"""

import numpy as np

from scoring.compiled import compiled
from scoring.features.plan import MAXIMUM_KEPT, MEAN_KEPT, MINIMUM_KEPT, SQUARES_KEPT, Plan
from scoring.features.working import NEVER, Working, drop_oldest, move_tile


@compiled
def kept_value(plan: Plan, series: int, value: float) -> float:
    """The value of a series, given the number it is read from; NaN where the series does not keep it."""
    sign = plan.series_sign[series]
    if sign > 0 and value < 0:
        return np.nan
    if sign < 0:
        return -value if value < 0 else np.nan
    return value


@compiled
def expire(plan: Plan, work: Working, oldest: int) -> None:
    """Drops ring events and tiles that lie wholly at or before `oldest`."""
    gone = 0
    while gone < work.events and work.time[gone] <= oldest:
        gone += 1
    if gone:
        drop_oldest(plan, work, gone)
    kept = 0
    for tile in range(work.tiles):
        if work.tile_last[tile] > oldest:
            if kept != tile:
                move_tile(plan, work, tile, kept)
            kept += 1
    work.tiles = kept
    if work.forgotten <= oldest:
        work.forgotten = NEVER


@compiled
def add_to_tiles(plan: Plan, work: Working, time: int, group: int) -> None:
    """Merges the event with the numbers `work.leaving` into its tile, and tiles aged into one bucket."""
    if plan.n_windows == 0:
        return
    _coarsen(plan, work)
    after = _place_after(work, time, group)
    tile = after - 1
    earlier = tile >= 0 and work.tile_group[tile] == group
    if earlier and (time <= work.tile_last[tile] or _alike(plan, work, work.tile_first[tile], time)):
        _add(plan, work, tile, time)
        return
    later = after < work.tiles and work.tile_group[after] == group
    if later and _alike(plan, work, time, work.tile_last[after]):
        _add(plan, work, after, time)
        return
    if work.tiles == plan.tiles:
        _make_room(plan, work)
        after = _place_after(work, time, group)
    for tile in range(work.tiles, after, -1):
        move_tile(plan, work, tile - 1, tile)
    work.tiles += 1
    work.tile_group[after] = group
    work.tile_first[after] = time
    work.tile_last[after] = time
    work.tile_events[after] = 0
    for series in range(plan.n_series):
        work.tile_values[series, after] = 0
        work.tile_mean[series, after] = 0.0
        work.tile_squares[series, after] = 0.0
        work.tile_maximum[series, after] = 0.0
        work.tile_minimum[series, after] = 0.0
    _add(plan, work, after, time)


@compiled
def _place_after(work: Working, time: int, group: int) -> int:
    """Index of the first tile that comes after this time in this group."""
    place = work.tiles
    while place > 0:
        other = work.tile_group[place - 1]
        if other < group or (other == group and work.tile_first[place - 1] <= time):
            break
        place -= 1
    return int(place)


@compiled
def _alike(plan: Plan, work: Working, first: int, last: int) -> bool:
    """Whether all from `first` to `last` is of one bucket, of the span of the age of `last`."""
    age = work.last - last
    span = plan.spans[plan.n_windows - 1]
    for window in range(plan.n_windows):
        if age < plan.windows[window]:
            span = plan.spans[window]
            break
    # the difference is looked at first: it spares most of the divisions
    return bool(last - first < span and first // span == last // span)


@compiled
def _coarsen(plan: Plan, work: Working) -> None:
    kept = 0
    for tile in range(1, work.tiles):
        alike = work.tile_group[tile] == work.tile_group[kept]
        if alike and _alike(plan, work, work.tile_first[kept], work.tile_last[tile]):
            _merge_tiles(plan, work, kept, tile)
        else:
            kept += 1
            if kept != tile:
                move_tile(plan, work, tile, kept)
    if work.tiles:
        work.tiles = kept + 1


@compiled
def _make_room(plan: Plan, work: Working) -> None:
    """Merges the two neighbours that span least; drops the oldest tile when no two of a group are near."""
    best, place = plan.horizon_ms // 2, -1
    oldest = 0
    for tile in range(work.tiles):
        if work.tile_last[tile] < work.tile_last[oldest]:
            oldest = tile
        if tile and work.tile_group[tile] == work.tile_group[tile - 1]:
            span = work.tile_last[tile] - work.tile_first[tile - 1]
            if span < best:
                best, place = span, tile
    removed = oldest
    if place >= 0:
        _merge_tiles(plan, work, place - 1, place)
        removed = place
    else:
        work.forgotten = max(work.forgotten, work.tile_last[oldest])
    for tile in range(removed, work.tiles - 1):
        move_tile(plan, work, tile + 1, tile)
    work.tiles -= 1


@compiled
def _add(plan: Plan, work: Working, tile: int, time: int) -> None:
    work.tile_first[tile] = min(work.tile_first[tile], time)
    work.tile_last[tile] = max(work.tile_last[tile], time)
    work.tile_events[tile] += 1
    for series in range(plan.n_series):
        value = kept_value(plan, series, work.leaving[plan.series_source[series]])
        if np.isnan(value):
            continue
        n = work.tile_values[series, tile] + 1
        work.tile_values[series, tile] = n
        keeps = plan.series_keeps[series]
        if keeps & MEAN_KEPT:
            shift = value - work.tile_mean[series, tile]
            work.tile_mean[series, tile] += shift / n
            if keeps & SQUARES_KEPT:
                work.tile_squares[series, tile] += shift * (value - work.tile_mean[series, tile])
        if keeps & MAXIMUM_KEPT and (n == 1 or value > work.tile_maximum[series, tile]):
            work.tile_maximum[series, tile] = value
        if keeps & MINIMUM_KEPT and (n == 1 or value < work.tile_minimum[series, tile]):
            work.tile_minimum[series, tile] = value


@compiled
def _merge_tiles(plan: Plan, work: Working, into: int, tile: int) -> None:
    work.tile_first[into] = min(work.tile_first[into], work.tile_first[tile])
    work.tile_last[into] = max(work.tile_last[into], work.tile_last[tile])
    work.tile_events[into] += work.tile_events[tile]
    for series in range(plan.n_series):
        first, second = work.tile_values[series, into], work.tile_values[series, tile]
        if second == 0:
            continue
        both = first + second
        work.tile_values[series, into] = both
        if first == 0:
            work.tile_mean[series, into] = work.tile_mean[series, tile]
            work.tile_squares[series, into] = work.tile_squares[series, tile]
            work.tile_maximum[series, into] = work.tile_maximum[series, tile]
            work.tile_minimum[series, into] = work.tile_minimum[series, tile]
            continue
        keeps = plan.series_keeps[series]
        if keeps & MEAN_KEPT:
            shift = work.tile_mean[series, tile] - work.tile_mean[series, into]
            work.tile_mean[series, into] += shift * second / both
            if keeps & SQUARES_KEPT:
                squares = work.tile_squares[series, tile] + shift * shift * first * second / both
                work.tile_squares[series, into] += squares
        if keeps & MAXIMUM_KEPT:
            work.tile_maximum[series, into] = max(
                work.tile_maximum[series, into], work.tile_maximum[series, tile]
            )
        if keeps & MINIMUM_KEPT:
            work.tile_minimum[series, into] = min(
                work.tile_minimum[series, into], work.tile_minimum[series, tile]
            )
