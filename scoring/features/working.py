"""The unpacked state of one entity: one record that the compiled functions pass around.

Columns are contiguous (`number[column, place]`), so that packing, shifting and summing up run as vector
instructions.
"""

from typing import Any

import numpy as np

from scoring.compiled import compiled
from scoring.features.plan import (
    LASTING,
    MOST_CODES,
    MOST_COLUMNS,
    MOST_EVENTS,
    MOST_HISTORY_FEATURES,
    MOST_LIFE_GROUPS,
    MOST_NUMBERS,
    MOST_STEPS,
    MOST_TILES,
    Plan,
)

NEVER = -(2**62)


# One record, passed by pointer: passing a tuple of arrays made every small function pay for reference counts
# (9 us per event against 2, and a minute of compilation).
WORKING = np.dtype(
    [
        ("events", "i8"), ("tiles", "i8"), ("steps", "i8"), ("seen", "i8"), ("last", "i8"),
        ("forgotten", "i8"),
        ("time", "i8", MOST_EVENTS), ("event_id", "u8", MOST_EVENTS), ("body", "u4", MOST_EVENTS),
        ("group", "u4", MOST_EVENTS), ("in_order", "u1", MOST_EVENTS),
        ("number", "f8", (MOST_NUMBERS, MOST_EVENTS)), ("code", "u4", (MOST_CODES, MOST_EVENTS)),
        ("tile_group", "u4", MOST_TILES), ("tile_first", "i8", MOST_TILES), ("tile_last", "i8", MOST_TILES),
        ("tile_events", "i8", MOST_TILES), ("tile_values", "i8", (MOST_NUMBERS, MOST_TILES)),
        ("tile_mean", "f8", (MOST_NUMBERS, MOST_TILES)), ("tile_squares", "f8", (MOST_NUMBERS, MOST_TILES)),
        ("tile_maximum", "f8", (MOST_NUMBERS, MOST_TILES)),
        ("tile_minimum", "f8", (MOST_NUMBERS, MOST_TILES)),
        ("history", "f4", MOST_STEPS * MOST_HISTORY_FEATURES),
        ("current", "f8", MOST_COLUMNS), ("current_code", "u4", MOST_CODES), ("leaving", "f8", MOST_NUMBERS),
        ("newest_known", "i8"), ("newest", "u8", MOST_CODES), ("same", "u8", MOST_CODES),
        ("groups", "u4", 256), ("met", "u4", 256), ("values", "f8", MOST_EVENTS + 1),
        ("moves", "f8", MOST_EVENTS + 1),
        ("life_events", "i8"), ("life_first", "i8"), ("life_days", "i8"), ("life_groups", "i8"),
        ("life_group", "u4"), ("life_code", "u4", MOST_LIFE_GROUPS),
        ("life_total", "f8", (MOST_NUMBERS, MOST_LIFE_GROUPS)), ("lived", "f8", len(LASTING) + MOST_NUMBERS),
    ],
    align=True,
)  # fmt: skip
"""One entity's unpacked state; ring and tiles are sorted by time (tiles within their group).

`events`, `tiles`, `steps` count what is in use; `seen` is 1 when there is any state; `last` is the newest
event time; up to `forgotten` tiles had to be dropped for want of room. `history` holds `steps` vectors one
after another. What follows is room for one event: its numbers (stored ones first) and codes, the numbers of
an event on its way into the tiles, and intermediate values. Of each code, `same` has a bit for every place
that holds the current event's, and `newest`, when it is known, for every place after which its code is not
met again; code 0 has none.

The life of the entity, in views that count it: its events (0 before the first), the time of the first, its days with an
event, the group of the newest, and totals per group (`life_code`). `lived` is the same with the current event.
"""

Working = Any  # a record of dtype WORKING


@compiled
def forget(work: Working) -> None:
    """Empties the state, as if the entity had never been seen; its life goes on."""
    work.events = work.tiles = work.steps = work.seen = work.newest_known = 0
    work.forgotten = NEVER


@compiled
def drop_oldest(plan: Plan, work: Working, gone: int) -> None:
    """Takes the `gone` oldest events out of the ring."""
    keep = work.events - gone
    # one loop per column: each becomes a block move
    for place in range(keep):
        work.time[place] = work.time[place + gone]
    for place in range(keep):
        work.event_id[place] = work.event_id[place + gone]
    for place in range(keep):
        work.body[place] = work.body[place + gone]
    for place in range(keep):
        work.group[place] = work.group[place + gone]
    for place in range(keep):
        work.in_order[place] = work.in_order[place + gone]
    for column in range(plan.n_stored):
        for place in range(keep):
            work.number[column, place] = work.number[column, place + gone]
    for column in range(plan.n_codes):
        for place in range(keep):
            work.code[column, place] = work.code[column, place + gone]
        work.newest[column] = places_after(work.newest[column], gone)
        work.same[column] = places_after(work.same[column], gone)
    work.events = keep


@compiled
def places_after(places: np.uint64, gone: int) -> np.uint64:
    """A set of places, one bit each, when the `gone` first ones go."""
    return places >> np.uint64(gone) if gone < 64 else np.uint64(0)


@compiled
def open_place(plan: Plan, work: Working, place: int) -> None:
    """Makes room in the ring at `place`; later events move up by one."""
    for slot in range(work.events, place, -1):
        work.time[slot] = work.time[slot - 1]
        work.event_id[slot] = work.event_id[slot - 1]
        work.body[slot] = work.body[slot - 1]
        work.group[slot] = work.group[slot - 1]
        work.in_order[slot] = work.in_order[slot - 1]
        for column in range(plan.n_stored):
            work.number[column, slot] = work.number[column, slot - 1]
        for column in range(plan.n_codes):
            work.code[column, slot] = work.code[column, slot - 1]
    work.events += 1


@compiled
def move_tile(plan: Plan, work: Working, source: int, target: int) -> None:
    """Copies a tile onto another place."""
    work.tile_group[target] = work.tile_group[source]
    work.tile_first[target] = work.tile_first[source]
    work.tile_last[target] = work.tile_last[source]
    work.tile_events[target] = work.tile_events[source]
    for series in range(plan.n_series):
        work.tile_values[series, target] = work.tile_values[series, source]
        work.tile_mean[series, target] = work.tile_mean[series, source]
        work.tile_squares[series, target] = work.tile_squares[series, source]
        work.tile_maximum[series, target] = work.tile_maximum[series, source]
        work.tile_minimum[series, target] = work.tile_minimum[series, source]
