"""Goals are told with what was reached, met or not."""

from benchmarks.pages.goals import GOALS, NOT_MEASURED, Goal, goals_table, growth, times_of

LATEST = {
    "pipelines": {
        "riskstream": {"events_per_second": 500.0, "latency": {"1000": {"p99_ms": 30.0}}},
        "quix": {"events_per_second": 50.0},
    }
}
FULL = {"windows": {"results": {"busy": {"points": {"1h": {"fold_us": 2.0}, "90d": {"fold_us": 3.0}}}}}}


def test_a_goal_that_is_missed_is_told_as_missed() -> None:
    """A page that has only what was reached is an advertisement."""
    enough = Goal("times", 8, times_of("quix"))
    too_much = Goal("growth", 1.1, growth("windows", "busy/points/1h", "busy/points/90d", "fold_us"), at_least=False)
    assert enough.row(LATEST, FULL) == ("times", "at least 8.0", "10.0", "yes")
    assert too_much.row(LATEST, FULL) == ("growth", "at most 1.1", "1.5", "**no**")


def test_what_was_not_measured_is_neither_met_nor_missed() -> None:
    """A competitor may not be installed, and a part may not have been run."""
    rows = goals_table({"pipelines": {}, "replay": None, "feed": None}, {}).rows
    assert len(rows) == len(GOALS)
    assert {(row[2], row[3]) for row in rows} == {(NOT_MEASURED, "")}
