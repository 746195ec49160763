"""What a person sees, drawn without a terminal."""

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from scoring.catalog import scorers
from stream.demo.closing import next_commands
from stream.demo.feeding import DueTimes
from stream.demo.ledger import Ledger
from stream.demo.screen import PlainLines, picture, screen_for
from stream.demo.state import DemoState
from tests.stream.demo.test_ledger import alert_of, score

WIDTH = 120


@pytest.fixture
def state() -> DemoState:
    """A demo under way: some events fed, one injected fraud alerted."""
    ledger = Ledger(
        scorers(), frozenset({"INJECTED-000-outlier-0"}), DueTimes({("transactions", "e1"): 1_000.0})
    )
    raised = score(1, event_id="INJECTED-000-outlier-0", level="alert", value=0.9987, entity="[17850]")
    ledger.add_score(score(0, event_id="e1"), 1_012)
    ledger.add_score(raised, 1_013)
    ledger.add_alert(alert_of(raised))
    running = DemoState(ledger, ["transactions", "market-ticks"], planned=10_000, events_per_second=1_000.0)
    running.acknowledged("transactions", 1_234)
    return running


def drawn(state: DemoState) -> str:
    console = Console(width=WIDTH, height=36, file=StringIO(), record=True)
    console.print(picture(state))
    return console.export_text()


def test_the_screen_shows_counters_latency_and_the_alert_with_its_reason(state: DemoState) -> None:
    """Whoever watches must see what came in, what went out, how fast, and why."""
    shown = drawn(state)
    for expected in (
        "1,234 of 10,000",
        "12.0 ms",
        "[17850]",
        "0.9987",
        "amount is 9",
        "injected fraud",
        "1 of 1",
    ):
        assert expected in shown
    assert "1970-01-01" in shown


def test_the_screen_can_be_drawn_before_anything_has_happened() -> None:
    """It is on from the first moment, while Kafka starts."""
    empty = DemoState(Ledger(scorers(), frozenset(), DueTimes()), ["transactions"], 0, 1_000.0)
    assert "starting" in (setattr(empty, "phase", "starting"), drawn(empty))[1]


def test_without_a_terminal_there_are_plain_lines_without_control_characters(state: DemoState) -> None:
    """Logs of a build server are read as text."""
    written = StringIO()
    with screen_for(Console(file=written, width=WIDTH), state) as screen:
        assert isinstance(screen, PlainLines)
        screen.phase("feeding [all]")
        screen.look()
    assert "feeding [all]" in written.getvalue()
    assert "1,234 of 10,000 events in, 2 scores, 1 alerts" in written.getvalue()
    assert "\x1b" not in written.getvalue()


def test_the_next_commands_explain_an_alert_or_list_them_all(state: DemoState) -> None:
    """A demo without an alert still leaves three commands that work."""
    (alert,) = state.ledger.shown
    assert alert.score_id in next_commands(Path("demo"), alert)[1][0]
    assert "subscribe alerts" in next_commands(Path("demo"), None)[1][0]
