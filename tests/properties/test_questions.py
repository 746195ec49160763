"""Questions as of a time: answered from what came before, and never known to anything later."""

from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.as_of import AsOf, as_question
from scoring.features.batch import EventBatch
from scoring.features.spec import FeatureView
from scoring.features.table import SCORED, fold_table
from tests.properties.test_oracle import STATUS, check_history, check_vector
from tests.support.doubles import vectors_in_doubles
from tests.support.oracle import Oracle, is_question
from tests.support.streams import LIVING, STEPPED, VIEWS, streams, with_closings


@st.composite
def asked_streams(draw: st.DrawFn, view: FeatureView) -> list[Any]:
    """A drawn stream in which some events became questions of the same entity and time, some behind a horizon."""
    chance = Random(draw(st.integers(0, 2**32)))
    found = []
    for event in draw(streams(view)):
        if chance.random() < 0.3:
            edges = [reach + by for reach in {view.horizon_ms, view.active_within_ms} - {0} for by in (-1, 0, 1)]
            later = chance.choice((0, 0, 1, *sorted(edges)))
            asked = AsOf(
                event_id=event.event_id, entity=getattr(event, view.entity), occurred_at_ms=event.occurred_at_ms + later
            )
            found.append(as_question(view.event, asked))
        else:
            found.append(event)
    return found


@pytest.mark.parametrize("view", [*VIEWS, *STEPPED, *LIVING], ids=lambda view: view.name)
@given(data=st.data())
def test_answers_equal_the_oracle(view: FeatureView, data: st.DataObject) -> None:
    """Counts and extremes exactly, the rest to 1e-9, as for events; the question itself is not counted."""
    events = with_closings(view, data.draw(asked_streams(view)))
    batch = EventBatch.from_events(view.event, events)
    table, doubles = fold_table(view, batch), vectors_in_doubles(view, batch)
    naive = Oracle(view)
    for row, event in enumerate(events):
        outcome = naive.fold(event)
        assert table.status[row] == STATUS[outcome.status], row
        if outcome.moment is None:
            continue
        assert (table.late[row], table.depth[row]) == (outcome.late, outcome.depth), row
        check_vector(view, outcome.moment, outcome, doubles[row], approx=bool(table.approx[row]))
        check_history(view, table, row, outcome.history)


@pytest.mark.parametrize("view", [*VIEWS, *STEPPED, *LIVING], ids=lambda view: view.name)
@given(data=st.data())
def test_a_question_changes_nothing_that_comes_later(view: FeatureView, data: st.DataObject) -> None:
    """With all questions taken out, vectors, flags and states of the events are the same bytes."""
    events = data.draw(asked_streams(view))
    kept = [row for row, event in enumerate(events) if not is_question(view, event)]
    asked = fold_table(view, EventBatch.from_events(view.event, events))
    without = fold_table(view, EventBatch.from_events(view.event, [events[row] for row in kept]))
    assert asked.vectors[kept].tobytes() == without.vectors.tobytes()
    for name in ("depth", "status", "late", "approx", "lengths"):
        np.testing.assert_array_equal(getattr(asked, name)[kept], getattr(without, name))
    states = dict(zip(asked.entities, asked.states, strict=True))
    for entity, state in zip(without.entities, without.states, strict=True):
        assert states[entity] == state


def test_the_same_question_asked_twice_is_answered_twice() -> None:
    """A question is no event: its id is not remembered, and nothing is a duplicate of it."""
    view = VIEWS[2]
    asked = as_question(view.event, AsOf(event_id="q", entity="a", occurred_at_ms=1_700_000_000_000))
    table = fold_table(view, EventBatch.from_events(view.event, [asked, asked]))
    assert table.status.tolist() == [SCORED, SCORED]
    assert table.vectors[0].tobytes() == table.vectors[1].tobytes()
    assert table.states == [fold_table(view, EventBatch.from_events(view.event, [asked])).states[0]]
