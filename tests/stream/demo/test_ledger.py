"""What came back against what went in: nothing is counted twice, and nothing that lacks is overlooked."""

import pytest

from schemas.alert import Alert
from schemas.dead_letter import DeadLetter, Reason
from schemas.score import Score
from schemas.source import Source
from scoring.catalog import selected
from scoring.store.contract import Partition
from stream.demo.feeding import DueTimes
from stream.demo.ledger import Ledger

PAYMENTS = Partition("transactions", 0)
LIVE, SHADOW = "payment_anomaly", "payment_attention"


@pytest.fixture
def ledger() -> Ledger:
    """For the scorers of the demo, with three payments expected of which one is injected."""
    empty = Ledger(selected([LIVE, SHADOW, "tick_anomaly"]), frozenset({"INJECTED-000-outlier-0"}), DueTimes())
    empty.expect({PAYMENTS: 3})
    return empty


def score(offset: int, *, scorer: str = LIVE, event_id: str = "", **given: object) -> Score:
    values = {
        "score_id": f"{scorer}:{offset}", "scorer": scorer, "event_id": event_id or f"e{offset}", "entity": "a",
        "source": Source(PAYMENTS.topic, PAYMENTS.index, offset), "occurred_at_ms": 1_000, "value": 0.1,
        "score_kind": "tail", "level": "none", "features": "", "depth": 3, "bundle": "", "policy": "", "view": "",
        "runtime": "", "shadow": scorer == SHADOW,
    }  # fmt: skip
    return Score(**(values | given))


def letter(offset: int, scorer: str | None = None) -> DeadLetter:
    source = Source(PAYMENTS.topic, PAYMENTS.index, offset)
    return DeadLetter(
        dead_letter_id=f"dead:{offset}", reason=Reason.WRONG_TYPE, stage="decode", source=source, path="$",
        detail="", scorer=scorer,
    )  # fmt: skip


def alert_of(of: Score) -> Alert:
    return Alert(
        alert_id=f"alert:{of.score_id}", score_id=of.score_id, scorer=of.scorer, event_id=of.event_id,
        entity=of.entity, source=of.source, occurred_at_ms=of.occurred_at_ms, value=of.value, score_kind="tail",
        reasons=("AMOUNT_HIGH",), explanation="amount is 9", named_features={}, contributions={}, bundle="",
        policy="", view="",
    )  # fmt: skip


def test_every_event_needs_a_record_of_every_scorer_of_its_topic(ledger: Ledger) -> None:
    """The challenger counts too: an event that only the live scorer scored is not done."""
    assert ledger.missing == 6
    for offset in range(3):
        ledger.add_score(score(offset), 0)
    assert ledger.missing == 3
    for offset in range(3):
        ledger.add_score(score(offset, scorer=SHADOW), 0)
    assert ledger.missing == 0


def test_a_dead_letter_ends_the_record_for_one_scorer_or_for_all(ledger: Ledger) -> None:
    """A record refused before the fold has one dead letter; a failed model has one of its own."""
    ledger.add_dead_letter(letter(0))
    assert (ledger.missing, ledger.dead_letters) == (4, 1)
    ledger.add_dead_letter(letter(1, SHADOW))
    assert (ledger.missing, ledger.dead_letters) == (3, 2)


def test_a_score_that_comes_twice_counts_once(ledger: Ledger) -> None:
    """Duplicates after a crash are allowed; they may hide no event that has none."""
    for _ in range(2):
        ledger.add_score(score(0), 0)
    assert (ledger.scores[LIVE], ledger.missing) == (1, 5)


def test_an_injected_event_is_found_by_its_own_alert_level_even_if_held_back(ledger: Ledger) -> None:
    """The third payment of a stolen login is not missed because the first one already raised the alarm."""
    ledger.add_score(score(0, event_id="INJECTED-000-outlier-0", level="watch"), 0)
    assert ledger.found == set()
    ledger.add_score(score(1, event_id="INJECTED-000-outlier-0", level="alert", suppressed_by="alert:x"), 0)
    assert ledger.found == {"INJECTED-000-outlier-0"}
    assert ledger.alerts_missing == 0, "a score that is held back announces no alert"


def test_a_challenger_finds_and_alerts_nothing(ledger: Ledger) -> None:
    """It is scored in shadow: its success must not make the demo look better."""
    ledger.add_score(score(0, scorer=SHADOW, event_id="INJECTED-000-outlier-0", level="alert"), 0)
    assert (ledger.found, ledger.alerted, ledger.alerts_missing) == (set(), set(), 0)


def test_an_alert_that_was_announced_but_did_not_come_is_missing(ledger: Ledger) -> None:
    """Alerts are what people act on; their loss may not pass unseen."""
    announced = score(0, level="alert")
    ledger.add_score(announced, 0)
    assert ledger.alerts_missing == 1
    ledger.add_alert(alert_of(announced))
    assert (ledger.alerts_missing, ledger.alerts) == (0, 1)


def test_delay_is_from_due_to_the_stamp_of_the_score_and_only_of_the_steady_phase(ledger: Ledger) -> None:
    """History is a backlog: its waiting time says nothing about latency."""
    assert ledger.delay_ms(50) is None
    ledger.due.by_event[PAYMENTS.topic, "e1"] = 5_000.0
    ledger.add_score(score(0), 9_000)
    ledger.add_score(score(1), 5_020)
    assert ledger.delays_ms == [20.0]
    assert ledger.delay_ms(99) == 20.0
