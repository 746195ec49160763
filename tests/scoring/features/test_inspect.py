"""A packed state made readable holds what was folded."""

from dataclasses import replace

import numpy as np
import pytest

from scoring.features.hashing import text_hash
from scoring.features.inspect import inspect_state
from scoring.features.spec import Count, History, Rolling
from scoring.features.table import CorruptState
from tests.scoring.features.folding import PAYMENTS, payment, table_of

VIEW = replace(
    PAYMENTS,
    features=(Count("10m"), Rolling("total", "charge", "10m"), Rolling("maximum", "refund", "10m")),
    history=History(features=("count_10m", "charge_total_10m"), length=3),
    ring=2,
)
EVENTS = (
    payment("1", 10, 3.0, currency="EUR"),
    payment("2", 20, 5.0, currency="EUR"),
    payment("3", 130, -7.0, merchant_id="m"),
    payment("4", 140, 9.0, currency="EUR"),
)


def test_ring_tiles_and_history_are_shown_as_folded() -> None:
    """Who looks into a state must see the events, not the layout."""
    table = table_of(VIEW, *EVENTS)
    seen = inspect_state(VIEW, table.states[0])
    assert seen.last_event_ms == 140_000
    assert [event.occurred_at_ms for event in seen.ring] == [130_000, 140_000]
    assert [event.numbers for event in seen.ring] == [{"amount": -7.0}, {"amount": 9.0}]
    assert seen.ring[0].event_id_hash == f"{text_hash('3'):016x}"
    assert seen.ring[0].codes["merchant_id"] is not None and seen.ring[1].codes["merchant_id"] is None
    assert seen.ring[0].group is None and seen.ring[1].group == seen.tiles[0].group
    tile = seen.tiles[0]
    assert (tile.first_ms, tile.last_ms, tile.events, len(seen.tiles)) == (10_000, 20_000, 2, 1)
    assert tile.series == {"charge": {"count": 2, "mean": 4.0}, "refund": {"count": 0}}
    assert [list(step.values()) for step in seen.history] == table.vectors[2:, :2].tolist()


def test_bytes_by_part_add_up_to_the_state() -> None:
    """What Redis pays for is reported by part."""
    state = table_of(VIEW, *EVENTS).states[0]
    assert sum(inspect_state(VIEW, state).bytes_by_part.values()) == len(state)


@pytest.mark.parametrize("damage", [slice(0, 20), slice(0, -1), slice(0, -8), slice(8, None)])
def test_damaged_bytes_are_refused_and_not_shown(damage: slice) -> None:
    """A wrong picture of a state is worse than none."""
    state = table_of(VIEW, *EVENTS).states[0]
    with pytest.raises(CorruptState, match="are not a state of it"):
        inspect_state(VIEW, state[damage])


def test_no_state_is_shown_as_empty() -> None:
    """Absent and past the horizon are the same."""
    seen = inspect_state(VIEW, b"")
    assert (seen.last_event_ms, seen.ring, seen.tiles, seen.history, seen.bytes_by_part) == (
        None,
        (),
        (),
        (),
        {},
    )
    assert np.isnan(table_of(VIEW, EVENTS[0]).vectors[0, 2])
