"""Tiles: spans of event time that hold mergeable moments, coarser as they age. Compiled by numba.

A tile belongs to a bucket of the span of its age: one twelfth of the smallest window that still reaches it.
"""

import numpy as np
from numpy.typing import NDArray

from scoring.features.compiled import compiled
from scoring.features.plan import Plan
from scoring.features.working import Working


@compiled
def kept_value(plan: Plan, series: int, numbers: NDArray[np.float64]) -> float:
    """The value of a series in an event's stored numbers; NaN where the series does not keep it."""
    value = numbers[plan.series_source[series]]
    sign = plan.series_sign[series]
    if sign > 0 and value < 0:
        return np.nan
    if sign < 0:
        return -value if value < 0 else np.nan
    return value


@compiled
def expire(plan: Plan, work: Working, oldest: int) -> None:
    """Drops ring events and tiles that lie wholly at or before `oldest`."""
    n, gone = work.events, 0
    while gone < n and work.time[gone] <= oldest:
        gone += 1
    if gone:
        keep = n - gone
        work.time[:keep] = work.time[gone:n].copy()
        work.event_id[:keep] = work.event_id[gone:n].copy()
        work.body[:keep] = work.body[gone:n].copy()
        work.group[:keep] = work.group[gone:n].copy()
        work.in_order[:keep] = work.in_order[gone:n].copy()
        work.number[:keep] = work.number[gone:n].copy()
        work.code[:keep] = work.code[gone:n].copy()
        work.events = keep
    kept = 0
    for tile in range(work.tiles):
        if work.tile_last[tile] > oldest:
            if kept != tile:
                _move_tile(plan, work, tile, kept)
            kept += 1
    work.tiles = kept


@compiled
def add_to_tiles(plan: Plan, work: Working, time: int, group: int, numbers: NDArray[np.float64]) -> None:
    """Merges one event into the tile of its bucket, and neighbours that have aged into one bucket."""
    _coarsen(plan, work)
    span = _span_at(plan, work.last - time)
    tiles = work.tiles
    place = tiles
    for tile in range(tiles):
        if work.tile_group[tile] < group:
            continue
        if work.tile_group[tile] > group:
            place = tile
            break
        inside = work.tile_first[tile] <= time <= work.tile_last[tile]
        alike = work.tile_first[tile] // span == time // span and work.tile_last[tile] // span == time // span
        if inside or alike:
            _add(plan, work, tile, time, numbers)
            return
        if work.tile_first[tile] > time:
            place = tile
            break
    if tiles == plan.tiles:
        _make_room(plan, work)
        add_to_tiles(plan, work, time, group, numbers)
        return
    for tile in range(tiles, place, -1):
        _move_tile(plan, work, tile - 1, tile)
    work.tiles = tiles + 1
    work.tile_group[place] = group
    work.tile_first[place] = time
    work.tile_last[place] = time
    work.tile_events[place] = 0
    for series in range(plan.n_series):
        work.tile_values[place, series] = 0
        work.tile_mean[place, series] = 0.0
        work.tile_squares[place, series] = 0.0
        work.tile_maximum[place, series] = 0.0
        work.tile_minimum[place, series] = 0.0
    _add(plan, work, place, time, numbers)


@compiled
def _span_at(plan: Plan, age: int) -> int:
    for window in range(plan.n_windows):
        if age < plan.windows[window]:
            return plan.spans[window]
    return plan.spans[plan.n_windows - 1]


@compiled
def _coarsen(plan: Plan, work: Working) -> None:
    kept = 0
    for tile in range(1, work.tiles):
        span = _span_at(plan, work.last - work.tile_last[tile])
        alike = work.tile_first[kept] // span == work.tile_last[tile] // span
        if work.tile_group[tile] == work.tile_group[kept] and alike:
            _merge_tiles(plan, work, kept, tile)
        else:
            kept += 1
            if kept != tile:
                _move_tile(plan, work, tile, kept)
    if work.tiles:
        work.tiles = kept + 1


@compiled
def _make_room(plan: Plan, work: Working) -> None:
    """Merges the two neighbours that span least; without near neighbours of one group, drops the oldest tile."""
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
    for tile in range(removed, work.tiles - 1):
        _move_tile(plan, work, tile + 1, tile)
    work.tiles -= 1


@compiled
def _add(plan: Plan, work: Working, tile: int, time: int, numbers: NDArray[np.float64]) -> None:
    work.tile_first[tile] = min(work.tile_first[tile], time)
    work.tile_last[tile] = max(work.tile_last[tile], time)
    work.tile_events[tile] += 1
    for series in range(plan.n_series):
        value = kept_value(plan, series, numbers)
        if np.isnan(value):
            continue
        n = work.tile_values[tile, series] + 1
        work.tile_values[tile, series] = n
        keeps = plan.series_keeps[series]
        if keeps & 1:
            shift = value - work.tile_mean[tile, series]
            work.tile_mean[tile, series] += shift / n
            if keeps & 2:
                work.tile_squares[tile, series] += shift * (value - work.tile_mean[tile, series])
        if keeps & 4 and (n == 1 or value > work.tile_maximum[tile, series]):
            work.tile_maximum[tile, series] = value
        if keeps & 8 and (n == 1 or value < work.tile_minimum[tile, series]):
            work.tile_minimum[tile, series] = value


@compiled
def _merge_tiles(plan: Plan, work: Working, into: int, tile: int) -> None:
    work.tile_first[into] = min(work.tile_first[into], work.tile_first[tile])
    work.tile_last[into] = max(work.tile_last[into], work.tile_last[tile])
    work.tile_events[into] += work.tile_events[tile]
    for series in range(plan.n_series):
        first, second = work.tile_values[into, series], work.tile_values[tile, series]
        if second == 0:
            continue
        work.tile_values[into, series] = first + second
        if first == 0:
            work.tile_mean[into, series] = work.tile_mean[tile, series]
            work.tile_squares[into, series] = work.tile_squares[tile, series]
            work.tile_maximum[into, series] = work.tile_maximum[tile, series]
            work.tile_minimum[into, series] = work.tile_minimum[tile, series]
            continue
        shift = work.tile_mean[tile, series] - work.tile_mean[into, series]
        both = first + second
        keeps = plan.series_keeps[series]
        if keeps & 1:
            work.tile_mean[into, series] += shift * second / both
        if keeps & 2:
            work.tile_squares[into, series] += (
                work.tile_squares[tile, series] + shift * shift * first * second / both
            )
        work.tile_maximum[into, series] = max(
            work.tile_maximum[into, series], work.tile_maximum[tile, series]
        )
        work.tile_minimum[into, series] = min(
            work.tile_minimum[into, series], work.tile_minimum[tile, series]
        )


@compiled
def _move_tile(plan: Plan, work: Working, source: int, target: int) -> None:
    work.tile_group[target] = work.tile_group[source]
    work.tile_first[target] = work.tile_first[source]
    work.tile_last[target] = work.tile_last[source]
    work.tile_events[target] = work.tile_events[source]
    for series in range(plan.n_series):
        work.tile_values[target, series] = work.tile_values[source, series]
        work.tile_mean[target, series] = work.tile_mean[source, series]
        work.tile_squares[target, series] = work.tile_squares[source, series]
        work.tile_maximum[target, series] = work.tile_maximum[source, series]
        work.tile_minimum[target, series] = work.tile_minimum[source, series]
