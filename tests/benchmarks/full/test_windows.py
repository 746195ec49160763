"""Views whose windows are stretched, and events that fill them."""

import numpy as np
import pytest

from benchmarks.full.plan import FullPlan
from benchmarks.full.windows import Pace, cost, events, filled, stretched, view_of
from scoring.features.spec import DAY_MS, HOUR_MS, SECOND_MS
from scoring.views.account_activity import VIEW

PACE = Pace("test", entities=3, every_ms=60 * SECOND_MS)


@pytest.mark.parametrize("longest", FullPlan().longest_windows)
def test_a_stretched_view_has_the_shipped_features_on_windows_in_proportion(longest: str) -> None:
    """Only the windows may differ, or the curve would show something else."""
    view = view_of(longest)
    assert len(view.features) == len(VIEW.features)
    assert [type(feature) for feature in view.features] == [type(feature) for feature in VIEW.features]
    ratio = {new / old for new, old in zip(view.windows_ms, VIEW.windows_ms, strict=True)}
    assert len(ratio) == 1 and max(view.windows_ms) == view.horizon_ms


def test_a_window_that_is_no_whole_second_is_refused() -> None:
    """Rounded, two windows might become the same."""
    with pytest.raises(ValueError, match="whole seconds"):
        stretched("1h", 1 / 7_000)


def test_entities_take_turns_at_their_pace_and_no_id_comes_twice() -> None:
    """Duplicates are not folded, and an uneven pace would leave windows half full."""
    batch = events(PACE, 1, 0, 300)
    for entity in range(3):
        times = batch.occurred_at_ms[batch.entity == entity]
        assert set(np.diff(times).tolist()) == {60_000}
    assert len(set(batch.id_hash.tolist())) == 300
    part = events(PACE, 1, 100, 1)
    assert part.entities == ["e1"] and part.entity.tolist() == [0]


def test_states_are_folded_until_the_longest_window_is_full() -> None:
    """Half a history would be cheap to fold."""
    view = view_of("1h")
    states, number = filled(view, PACE, 1)
    assert len(states) == 3
    first_ms, next_ms = (events(PACE, 1, each, 1).occurred_at_ms[0] for each in (0, number))
    assert next_ms - first_ms > view.horizon_ms + view.grace_ms
    usual = Pace("rare", entities=3, every_ms=DAY_MS)
    assert usual.events_in(HOUR_MS) < 1


def test_cost_is_per_event_and_leaves_the_states_as_they_are() -> None:
    """Each repetition has to fold onto the same states."""
    view = view_of("1h")
    states, number = filled(view, PACE, 1)
    before = dict(states)
    found = cost(view, states, PACE, number, FullPlan(window_events=2_000))
    assert states == before
    assert 0 < found["kernel_us"] < 1_000 and 0 < found["fold_us"] < 1_000
