"""However a log is cut into polls, and whatever lies beside it, the bits are the same."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.features.batch import EventBatch
from scoring.features.spec import FeatureView
from scoring.features.table import FeatureTable, fold_table
from tests.support.streams import CROWDED, LIVING, STEPPED, VIEWS, streams

ROWS = ("vectors", "history", "lengths", "depth", "status", "late", "approx")


def folded(view: FeatureView, polls: list[list[Any]]) -> tuple[list[FeatureTable], dict[str, bytes]]:
    """Tables of the polls and the states after them, carried from poll to poll as the store carries them."""
    states: dict[str, bytes] = {}
    tables = []
    for poll in polls:
        batch = EventBatch.from_events(view.event, poll)
        table = fold_table(view, batch, [states.get(entity) for entity in batch.entities])
        states.update(zip(batch.entities, table.states, strict=True))
        tables.append(table)
    return tables, states


@pytest.mark.parametrize("view", [*VIEWS, *STEPPED, *LIVING, CROWDED], ids=lambda view: view.name)
@given(data=st.data())
def test_any_way_of_cutting_the_log_gives_the_same_bits(view: FeatureView, data: st.DataObject) -> None:
    """A restart, a rebalance or a slow broker cuts polls elsewhere; scores and states must not tell."""
    events = data.draw(streams(view))
    cuts = sorted(data.draw(st.sets(st.integers(1, len(events)), max_size=12)) | {len(events)})
    whole, states = folded(view, [events])
    parts, states_in_parts = folded(view, [events[a:b] for a, b in zip([0, *cuts], cuts, strict=False)])
    assert states_in_parts == states
    for name in ROWS:
        together = np.concatenate([getattr(part, name) for part in parts])
        assert together.tobytes() == getattr(whole[0], name).tobytes(), name


@pytest.mark.parametrize("view", [*VIEWS, *STEPPED, *LIVING], ids=lambda view: view.name)
@given(data=st.data())
def test_a_history_that_nobody_reads_changes_no_bit_of_the_rest(view: FeatureView, data: st.DataObject) -> None:
    """Which bundle is in force decides whether it is written; states and vectors have to be the same for the next one."""
    events = data.draw(streams(view))
    batch = EventBatch.from_events(view.event, events)
    whole, without = fold_table(view, batch), fold_table(view, batch, with_history=False)
    assert without.states == whole.states
    assert without.history is None
    for name in ("vectors", "depth", "status", "late", "approx"):
        assert getattr(without, name).tobytes() == getattr(whole, name).tobytes(), name


@pytest.mark.parametrize("view", VIEWS[:2], ids=lambda view: view.name)
@given(data=st.data())
def test_an_entity_does_not_feel_its_neighbours(view: FeatureView, data: st.DataObject) -> None:
    """States are folded one after another in the same memory; nothing of one may reach the next."""
    events = data.draw(streams(view))
    _, states = folded(view, [events])
    for entity, state in states.items():
        alone = [event for event in events if getattr(event, view.entity) == entity]
        assert folded(view, [alone])[1][entity] == state


@pytest.mark.parametrize("view", [*VIEWS, *STEPPED, *LIVING, CROWDED], ids=lambda view: view.name)
@given(data=st.data())
def test_a_known_event_leaves_the_state_as_it_was(view: FeatureView, data: st.DataObject) -> None:
    """Folding the newest event again gives back the very bytes: packing loses and adds nothing."""
    events = data.draw(streams(view))
    _, states = folded(view, [events])
    tables, again = folded(view, [events, [events[-1]]])
    if tables[1].scored[0]:  # it was late, and late events are not remembered
        assert tables[1].late[0] or tables[1].depth[0] == view.ring
    else:
        assert again == states
