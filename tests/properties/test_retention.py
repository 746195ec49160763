"""A log of which the old part is gone gives the same scores: every look back is finite."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.features.batch import EventBatch
from scoring.features.spec import FeatureView
from scoring.features.table import fold_table
from tests.support.streams import SMALL_CARDS, SMALL_TICKS, STEPPED, streams

LOOK_BACKS = (
    3  # an event sees a vector of the history, that saw a return in the ring, that saw its predecessor
)


@pytest.mark.parametrize("view", [SMALL_CARDS, SMALL_TICKS, *STEPPED], ids=lambda view: view.name)
@given(data=st.data())
def test_what_lies_three_horizons_back_changes_nothing(view: FeatureView, data: st.DataObject) -> None:
    """So the retention that `doctor` asks for is enough to rebuild a lost store."""
    events = data.draw(streams(view))
    reach = view.horizon_ms + view.grace_ms
    newest = max(event.occurred_at_ms for event in events)
    recent = [event.occurred_at_ms > newest - (LOOK_BACKS + 1) * reach for event in events]
    start = recent.index(True)  # the log loses its beginning, not single events
    whole = fold_table(view, EventBatch.from_events(view.event, events))
    kept = fold_table(view, EventBatch.from_events(view.event, events[start:]))
    for row in range(start, len(events)):
        if events[row].occurred_at_ms <= newest - reach or whole.approx[row] or kept.approx[row - start]:
            continue
        assert whole.status[row] == kept.status[row - start]
        assert whole.late[row] == kept.late[row - start]
        np.testing.assert_allclose(kept.vectors[row - start], whole.vectors[row], rtol=1e-6)
        if not (whole.approx[:row].any() or kept.approx[: row - start].any()):
            assert whole.history is not None and kept.history is not None
            np.testing.assert_allclose(kept.history[row - start], whole.history[row], rtol=1e-6)
