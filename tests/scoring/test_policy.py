"""Thresholds and cool-downs."""

import pytest

from scoring.policy import LATE, Policy, decide, read_alert_state, write_alert_state

POLICY = Policy(watch=0.9, alert=0.95, cooldown_ms=1_000)


def raise_at(state, occurred_at_ms, reason="A", late=False):
    return decide(POLICY, state, alert_id=f"id{occurred_at_ms}", reason=reason, occurred_at_ms=occurred_at_ms, late=late)


def test_a_second_alert_of_the_same_reason_is_held_back_until_the_cool_down_has_passed():
    """Half-open: at exactly the cool-down's end the next alert is raised."""
    held, state = raise_at((), 0)
    assert held is None
    assert raise_at(state, 999)[0] == "id0"
    assert raise_at(state, 1_000)[0] is None


def test_another_reason_is_not_held_back():
    """The cool-down is per top reason: new trouble is told at once."""
    _, state = raise_at((), 0)
    held, state = raise_at(state, 500, reason="B")
    assert held is None
    assert raise_at(state, 900, reason="B")[0] == "id500"


def test_a_held_back_alert_does_not_extend_the_cool_down():
    """Otherwise a steady trickle would silence an entity for ever."""
    _, state = raise_at((), 0)
    _, state = raise_at(state, 900)
    assert raise_at(state, 1_000)[0] is None


def test_late_events_neither_raise_nor_extend():
    """Nobody is woken for last week's payment, and it does not silence today's."""
    held, state = raise_at((), 0, late=True)
    assert (held, state) == (LATE, ())


def test_alerts_past_their_cool_down_leave_the_state():
    """The state of an entity stays as small as its live alerts."""
    _, state = raise_at((), 0, reason="A")
    _, state = raise_at(state, 5_000, reason="B")
    assert [raised.reason for raised in state] == ["B"]


def test_the_state_survives_its_bytes():
    """What is stored is what was decided."""
    _, state = raise_at((), 7, reason="É")
    assert read_alert_state(write_alert_state(state)) == state
    assert read_alert_state(None) == ()


def test_a_watch_threshold_above_alert_is_refused_with_the_remedy():
    """A policy that cannot watch is a mistake."""
    with pytest.raises(ValueError, match="lower watch"):
        Policy(watch=0.99, alert=0.9)


def test_the_digest_changes_with_every_part():
    """An activation names the policy by its digest."""
    others = [Policy(watch=0.8, alert=0.95, cooldown_ms=1_000), Policy(watch=0.9, alert=0.96, cooldown_ms=1_000),
              Policy(watch=0.9, alert=0.95, cooldown_ms=1_001)]  # fmt: skip
    assert len({POLICY.digest, *(other.digest for other in others)}) == 4
