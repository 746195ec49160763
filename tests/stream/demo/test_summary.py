"""When a demo is good: the three limits of its exit code, on their edges."""

import msgspec
import pytest

from stream.demo.summary import Extras, Summary, problems_of

GOOD = Summary(
    events=1_000, scores=1_500, alerts=40, dead_letters=0, missing=0, injected=50, injected_found=40, p50_ms=10.0,
    p99_ms=20.0,
)  # fmt: skip
EXTRAS = Extras(
    fed=1_000, alerted=50, alerts_missing=0, scores={}, levels={}, first_alert_s=1.0, seconds=20.0, steady_events=500,
    events_per_second=1_000.0,
)  # fmt: skip


def test_the_limits_themselves_are_still_good() -> None:
    """80 % found and 5 % alerted are what was promised."""
    assert problems_of(GOOD, EXTRAS) == []


@pytest.mark.parametrize(
    ("summary", "extras", "said"),
    [
        ({"missing": 1}, {}, "neither score nor dead letter"),
        ({"injected_found": 39}, {}, "39 of 50 injected frauds"),
        ({}, {"alerted": 51}, "at most 5%"),
        ({}, {"alerts_missing": 1}, "did not come"),
        ({}, {"fed": 1_001}, "the topics hold 1,000"),
    ],
)
def test_each_shortfall_is_a_problem_with_its_figures(summary: dict, extras: dict, said: str) -> None:
    """Exit code 1 without a reason would leave people guessing."""
    replace = msgspec.structs.replace
    (problem,) = problems_of(replace(GOOD, **summary), replace(EXTRAS, **extras))
    assert said in problem


def test_the_json_object_has_the_promised_names_and_no_other() -> None:
    """Programs read it; a name that comes and goes breaks them."""
    names = [
        "events",
        "scores",
        "alerts",
        "dead_letters",
        "missing",
        "injected",
        "injected_found",
        "p50_ms",
        "p99_ms",
    ]
    assert list(msgspec.json.decode(msgspec.json.encode(GOOD))) == names
