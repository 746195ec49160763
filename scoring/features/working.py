"""The unpacked state of one entity and its packed form: variable in length, aligned, the same for the same content.

Packed: 32 bytes of head (version, counts, last time, in-order bits), then arrays from wide to narrow: event ids and
numbers of the ring, tile moments, times, body hashes, codes, counts, group indices; then the vector history. Times
are kept as milliseconds before the last event, in 4 bytes where the horizon allows. The last array is padded to 8.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring.features.compiled import compiled
from scoring.features.plan import (
    MOST_CODES,
    MOST_EVENTS,
    MOST_HISTORY_FEATURES,
    MOST_NUMBERS,
    MOST_STEPS,
    MOST_TILES,
    Plan,
)
from scoring.features.spec import STATE_VERSION

HEAD_BYTES = 32


# One record, passed by pointer: passing a tuple of arrays made every small function pay for reference counts
# (9 us per event against 2, and a minute of compilation).
WORKING = np.dtype(
    [
        ("events", "i8"), ("tiles", "i8"), ("steps", "i8"), ("seen", "i8"), ("last", "i8"),
        ("time", "i8", MOST_EVENTS), ("event_id", "u8", MOST_EVENTS), ("body", "u4", MOST_EVENTS),
        ("group", "u4", MOST_EVENTS), ("in_order", "u1", MOST_EVENTS),
        ("number", "f8", (MOST_EVENTS, MOST_NUMBERS)), ("code", "u4", (MOST_EVENTS, MOST_CODES)),
        ("tile_group", "u4", MOST_TILES), ("tile_first", "i8", MOST_TILES), ("tile_last", "i8", MOST_TILES),
        ("tile_events", "i8", MOST_TILES), ("tile_values", "i8", (MOST_TILES, MOST_NUMBERS)),
        ("tile_mean", "f8", (MOST_TILES, MOST_NUMBERS)), ("tile_squares", "f8", (MOST_TILES, MOST_NUMBERS)),
        ("tile_maximum", "f8", (MOST_TILES, MOST_NUMBERS)), ("tile_minimum", "f8", (MOST_TILES, MOST_NUMBERS)),
        ("history", "f4", (MOST_STEPS, MOST_HISTORY_FEATURES)), ("groups", "u4", 256),
    ],
    align=True,
)  # fmt: skip
"""One entity's unpacked state; ring and tiles are sorted by time (tiles within their group).

`events`, `tiles`, `steps` count what is in use; `seen` is 1 when there is any state; `last` is the newest event time.
"""

Working = Any  # a record of dtype WORKING


@compiled
def largest_state(plan: Plan) -> int:
    """Bytes that the largest packed state of a view can take."""
    return packed_size(plan, plan.ring, plan.tiles, plan.steps, 256)


@compiled
def _group_index(work: Working, known: int, group: int) -> int:
    for place in range(known):
        if work.groups[place] == group:
            return place
    return known


@compiled
def pack(work: Working, plan: Plan, out: NDArray[np.uint8], start: int) -> int:
    """Writes the state at `start` of `out` (a multiple of 8) and gives the end (a multiple of 8)."""
    n, tiles, steps = work.events, work.tiles, work.steps
    known = 0
    for place in range(n):
        known = max(known, _note_group(work, known, work.group[place]))
    for place in range(tiles):
        known = max(known, _note_group(work, known, work.tile_group[place]))
    out[start : start + HEAD_BYTES] = 0
    head = out[start : start + 8].view(np.uint16)
    head[0], head[1], head[2], head[3] = STATE_VERSION | (known << 8), n, tiles, steps
    out[start + 8 : start + 16].view(np.int64)[0] = work.last
    bits = out[start + 16 : start + 24].view(np.uint64)
    for place in range(n):
        if work.in_order[place]:
            bits[0] |= np.uint64(1) << np.uint64(place)
    at = start + HEAD_BYTES
    out[at : at + 8 * n].view(np.uint64)[:] = work.event_id[:n]
    at += 8 * n
    for column in range(plan.n_stored):
        out[at : at + 8 * n].view(np.float64)[:] = work.number[:n, column]
        at += 8 * n
    for column in range(plan.n_series):
        keeps = plan.series_keeps[column]
        if keeps & 1:
            out[at : at + 8 * tiles].view(np.float64)[:] = work.tile_mean[:tiles, column]
            at += 8 * tiles
        if keeps & 2:
            out[at : at + 8 * tiles].view(np.float64)[:] = work.tile_squares[:tiles, column]
            at += 8 * tiles
        if keeps & 4:
            out[at : at + 8 * tiles].view(np.float64)[:] = work.tile_maximum[:tiles, column]
            at += 8 * tiles
        if keeps & 8:
            out[at : at + 8 * tiles].view(np.float64)[:] = work.tile_minimum[:tiles, column]
            at += 8 * tiles
    at = _pack_times(work.time[:n], work.last, plan.narrow, out, at)
    at = _pack_times(work.tile_first[:tiles], work.last, plan.narrow, out, at)
    at = _pack_times(work.tile_last[:tiles], work.last, plan.narrow, out, at)
    out[at : at + 4 * n].view(np.uint32)[:] = work.body[:n]
    at += 4 * n
    for column in range(plan.n_codes):
        out[at : at + 4 * n].view(np.uint32)[:] = work.code[:n, column]
        at += 4 * n
    words = out[at : at + 4 * tiles].view(np.uint32)
    for place in range(tiles):
        words[place] = work.tile_events[place]
    at += 4 * tiles
    for column in range(plan.n_series):
        words = out[at : at + 4 * tiles].view(np.uint32)
        for place in range(tiles):
            words[place] = work.tile_values[place, column]
        at += 4 * tiles
    out[at : at + 4 * known].view(np.uint32)[:] = work.groups[:known]
    at += 4 * known
    for step in range(steps):
        width = 4 * plan.n_history
        out[at : at + width].view(np.float32)[:] = work.history[step, : plan.n_history]
        at += width
    for place in range(n):
        out[at + place] = _group_index(work, known, work.group[place])
    at += n
    for place in range(tiles):
        out[at + place] = _group_index(work, known, work.tile_group[place])
    at += tiles
    while (at - start) % 8:
        out[at] = 0
        at += 1
    return at


@compiled
def _note_group(work: Working, known: int, group: int) -> int:
    place = _group_index(work, known, group)
    if place == known:
        work.groups[known] = group
        return known + 1
    return known


@compiled
def _pack_times(times: NDArray[np.int64], last: int, narrow: int, out: NDArray[np.uint8], at: int) -> int:
    size = 4 if narrow else 8
    end = at + size * len(times)
    if narrow:
        short = out[at:end].view(np.uint32)
        for place in range(len(times)):
            short[place] = last - times[place]
    else:
        wide = out[at:end].view(np.int64)
        for place in range(len(times)):
            wide[place] = last - times[place]
    return end


@compiled
def _unpack_times(raw: NDArray[np.uint8], at: int, last: int, narrow: int, times: NDArray[np.int64]) -> int:
    size = 4 if narrow else 8
    end = at + size * len(times)
    if narrow:
        short = raw[at:end].view(np.uint32)
        for place in range(len(times)):
            times[place] = last - np.int64(short[place])
    else:
        wide = raw[at:end].view(np.int64)
        for place in range(len(times)):
            times[place] = last - wide[place]
    return end


@compiled
def unpack(work: Working, plan: Plan, raw: NDArray[np.uint8], start: int, end: int) -> bool:
    """Reads the state between `start` and `end`; False when the bytes are not a state of this view."""
    work.events = work.tiles = work.steps = work.seen = 0
    if end == start:
        return True
    if end - start < HEAD_BYTES:
        return False
    head = raw[start : start + 8].view(np.uint16)
    if head[0] & 255 != STATE_VERSION:
        return False
    known, n, tiles, steps = head[0] >> 8, np.int64(head[1]), np.int64(head[2]), np.int64(head[3])
    if n > plan.ring or tiles > plan.tiles or steps > plan.steps:
        return False
    if end - start != packed_size(plan, n, tiles, steps, known):
        return False
    work.events, work.tiles, work.steps, work.seen = n, tiles, steps, 1
    last = raw[start + 8 : start + 16].view(np.int64)[0]
    work.last = last
    bits = raw[start + 16 : start + 24].view(np.uint64)[0]
    for place in range(n):
        work.in_order[place] = (bits >> np.uint64(place)) & np.uint64(1)
    at = start + HEAD_BYTES
    work.event_id[:n] = raw[at : at + 8 * n].view(np.uint64)
    at += 8 * n
    for column in range(plan.n_stored):
        work.number[:n, column] = raw[at : at + 8 * n].view(np.float64)
        at += 8 * n
    for column in range(plan.n_series):
        keeps = plan.series_keeps[column]
        work.tile_mean[:tiles, column] = 0.0
        work.tile_squares[:tiles, column] = 0.0
        work.tile_maximum[:tiles, column] = 0.0
        work.tile_minimum[:tiles, column] = 0.0
        if keeps & 1:
            work.tile_mean[:tiles, column] = raw[at : at + 8 * tiles].view(np.float64)
            at += 8 * tiles
        if keeps & 2:
            work.tile_squares[:tiles, column] = raw[at : at + 8 * tiles].view(np.float64)
            at += 8 * tiles
        if keeps & 4:
            work.tile_maximum[:tiles, column] = raw[at : at + 8 * tiles].view(np.float64)
            at += 8 * tiles
        if keeps & 8:
            work.tile_minimum[:tiles, column] = raw[at : at + 8 * tiles].view(np.float64)
            at += 8 * tiles
    narrow = plan.narrow
    at = _unpack_times(raw, at, last, narrow, work.time[:n])
    at = _unpack_times(raw, at, last, narrow, work.tile_first[:tiles])
    at = _unpack_times(raw, at, last, narrow, work.tile_last[:tiles])
    work.body[:n] = raw[at : at + 4 * n].view(np.uint32)
    at += 4 * n
    for column in range(plan.n_codes):
        work.code[:n, column] = raw[at : at + 4 * n].view(np.uint32)
        at += 4 * n
    work.tile_events[:tiles] = raw[at : at + 4 * tiles].view(np.uint32)
    at += 4 * tiles
    for column in range(plan.n_series):
        work.tile_values[:tiles, column] = raw[at : at + 4 * tiles].view(np.uint32)
        at += 4 * tiles
    work.groups[:known] = raw[at : at + 4 * known].view(np.uint32)
    at += 4 * known
    for step in range(steps):
        width = 4 * plan.n_history
        work.history[step, : plan.n_history] = raw[at : at + width].view(np.float32)
        at += width
    for place in range(n):
        work.group[place] = work.groups[raw[at + place]]
    at += n
    for place in range(tiles):
        work.tile_group[place] = work.groups[raw[at + place]]
    return True


@compiled
def packed_size(plan: Plan, n: int, tiles: int, steps: int, known: int) -> int:
    """Bytes of a packed state with these counts."""
    time = 4 if plan.narrow else 8
    moments = 0
    for series in range(plan.n_series):
        keeps = plan.series_keeps[series]
        moments += (keeps & 1) + (keeps >> 1 & 1) + (keeps >> 2 & 1) + (keeps >> 3 & 1)
    size = HEAD_BYTES + n * (8 + 8 * plan.n_stored + time + 4 + 4 * plan.n_codes + 1)
    size += tiles * (8 * moments + 2 * time + 4 + 4 * plan.n_series + 1)
    size += 4 * known + steps * 4 * plan.n_history
    return size + (-size) % 8
