"""A packed state in readable form, for people who look: never used for scoring."""

from typing import Any

import msgspec
import numpy as np

from scoring.features.packing import HEAD_WORDS, packed_size, unpack
from scoring.features.plan import (
    MAXIMUM_KEPT,
    MEAN_KEPT,
    MINIMUM_KEPT,
    SQUARES_KEPT,
    lasting_names,
    plan_of,
    stored_names,
)
from scoring.features.spec import FeatureView
from scoring.features.table import CorruptState
from scoring.features.working import WORKING

_HEAD_BYTES = 8 * HEAD_WORDS
_STATISTICS = {
    MEAN_KEPT: "mean",
    SQUARES_KEPT: "squares",
    MAXIMUM_KEPT: "maximum",
    MINIMUM_KEPT: "minimum",
}
Named = dict[str, float | None]


class RingEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event as the ring keeps it.

    Attributes:
        event_id_hash: 16 hex digits of the seeded xxh3 of the event id; the id itself is not kept.
        numbers: values by the name of the field or number; None where missing.
        codes: 8 hex digits of the hash by field; None where missing.
        group: 8 hex digits of the hash of the grouping field (the currency); None where missing.
        in_order: whether it came in order of time.
    """

    occurred_at_ms: int
    event_id_hash: str
    numbers: Named
    codes: dict[str, str | None]
    group: str | None
    in_order: bool


class Tile(msgspec.Struct, frozen=True, kw_only=True):
    """A span of event time: how many events, and per series its count and the moments that are kept of it."""

    first_ms: int
    last_ms: int
    events: int
    group: str | None
    series: dict[str, dict[str, float]]


class Life(msgspec.Struct, frozen=True, kw_only=True):
    """What an entity did in its life: first event, events, days with one, and totals by number for each group's hash."""

    first_ms: int
    events: int
    days: int
    totals: dict[str, dict[str, float]]


class StateContents(msgspec.Struct, frozen=True, kw_only=True):
    """What a packed state holds.

    Attributes:
        last_event_ms: time of the entity's newest event; None for empty state.
        ring: raw events, oldest first.
        tiles: older events summed up.
        history: past vectors of the view's history features, oldest first.
        life: what is counted over the entity's life, in views that do; over for an event more than the view's
            `active_within` after the last one.
        bytes_by_part: bytes of the packed state by part; their sum is its length.
    """

    last_event_ms: int | None
    ring: tuple[RingEvent, ...]
    tiles: tuple[Tile, ...]
    history: tuple[Named, ...]
    bytes_by_part: dict[str, int]
    life: Life | None = None


def inspect_state(view: FeatureView, packed: bytes) -> StateContents:
    """What the packed state of one entity in one view holds.

    Raises:
        CorruptState: the bytes are not a state of this view.
    """
    work, plan = np.zeros(1, WORKING), plan_of(view)
    raw = np.frombuffer(bytearray(packed or bytes(8)), np.uint8)
    if not unpack(work[0], plan[0], raw, 0, len(packed)):
        raise CorruptState(
            f"view {view.name}@{view.digest}: {len(packed)} bytes are not a state of it; "
            "rebuild from the log into a new namespace"
        )
    state: Any = work[0]
    events, tiles, steps = int(state["events"]), int(state["tiles"]), int(state["steps"])
    names = view.history.features if view.history else ()
    return StateContents(
        last_event_ms=int(state["last"]) if state["seen"] else None,
        ring=tuple(_ring_event(view, state, place) for place in range(events)),
        tiles=tuple(_tile(view, state, plan[0], place) for place in range(tiles)),
        history=tuple(_named(names, state["history"][step * len(names) :]) for step in range(steps)),
        bytes_by_part=_bytes_by_part(plan[0], packed, events, tiles, steps, int(state["life_groups"])),
        life=_life(view, state) if state["life_events"] else None,
    )


def _life(view: FeatureView, state: Any) -> Life:
    groups = range(int(state["life_groups"]))
    return Life(
        first_ms=int(state["life_first"]),
        events=int(state["life_events"]),
        days=int(state["life_days"]),
        totals={
            f"{int(state['life_code'][group]):08x}": {
                name: float(state["life_total"][column][group]) for column, name in enumerate(lasting_names(view))
            }
            for group in groups
        },
    )


def _ring_event(view: FeatureView, state: Any, place: int) -> RingEvent:
    return RingEvent(
        occurred_at_ms=int(state["time"][place]),
        event_id_hash=f"{int(state['event_id'][place]):016x}",
        numbers=_named(stored_names(view), state["number"][:, place]),
        codes={code: _hex(state["code"][column][place]) for column, code in enumerate(view.codes)},
        group=_hex(state["group"][place]),
        in_order=bool(state["in_order"][place]),
    )


def _tile(view: FeatureView, state: Any, plan: Any, place: int) -> Tile:
    series: dict[str, dict[str, float]] = {}
    for column, number in enumerate(view.numbers):
        kept = int(plan["series_keeps"][column])
        moments = series[number.name] = {"count": int(state["tile_values"][column][place])}
        for bit, name in _STATISTICS.items():
            if kept & bit and moments["count"]:
                moments[name] = float(state[f"tile_{name}"][column][place])
    return Tile(
        first_ms=int(state["tile_first"][place]),
        last_ms=int(state["tile_last"][place]),
        events=int(state["tile_events"][place]),
        group=_hex(state["tile_group"][place]),
        series=series,
    )


def _bytes_by_part(
    plan: Any, packed: bytes, events: int, tiles: int, steps: int, life_groups: int
) -> dict[str, int]:
    """Each part as what the state grows by with it, padding to 8 bytes included."""
    if not packed:
        return {}
    groups = packed[1]
    ends = [
        packed_size(plan, *counts)
        for counts in (
            (0, 0, 0, 0, life_groups),
            (events, 0, 0, 0, life_groups),
            (events, tiles, 0, 0, life_groups),
            (events, tiles, steps, 0, life_groups),
            (events, tiles, steps, groups, life_groups),
        )
    ]
    starts = (_HEAD_BYTES, *ends[:-1])
    grown = [int(end - start) for start, end in zip(starts, ends, strict=True)]
    parts = dict(zip(("life", "ring", "tiles", "history", "groups"), grown, strict=True))
    return {"head": _HEAD_BYTES} | {name: size for name, size in parts.items() if name != "life" or size}


def _named(names: tuple[str, ...] | list[str], values: Any) -> Named:
    return {
        name: None if np.isnan(value) else float(value)
        for name, value in zip(names, values[: len(names)], strict=True)
    }


def _hex(code: Any) -> str | None:
    return f"{int(code):08x}" if code else None
