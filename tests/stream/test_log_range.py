"""Which logs state can go on with: those that it was made from, whole from where it is to their end."""

import pytest

from scoring.store.contract import Partition
from stream.errors import JobFailed
from stream.worker import log_range
from stream.worker.log_range import LogBehind, LogGuard, LogRange

PARTITION = Partition("transactions", 0)


def check(guard: LogGuard, offsets: list[int], *, recorded_id: str = "old", topic_id: str = "old") -> None:
    """A log from offset 10 to 100."""
    guard.check(PARTITION, LogRange(10, 100, topic_id), offsets=offsets, recorded_id=recorded_id)


@pytest.mark.parametrize("offsets", [[], [10], [100], [10, 100]])
def test_state_within_the_log_goes_on(offsets: list[int]) -> None:
    """Both ends belong to it; brokers without ids are not asked for them."""
    check(LogGuard(), offsets)
    check(LogGuard(), offsets, recorded_id="")
    check(LogGuard(), offsets, topic_id="")


def test_another_topic_and_records_that_are_gone_are_the_end() -> None:
    """No waiting helps."""
    with pytest.raises(JobFailed, match="made anew"):
        check(LogGuard(), [50], topic_id="new")
    with pytest.raises(JobFailed, match="offset 9, but the log begins at 10"):
        check(LogGuard(), [9, 50])


def test_a_log_that_stays_too_short_is_waited_for_and_then_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where only one of several views is past its end; a log that grew again in time is as if nothing were."""
    clock = [0.0]
    monkeypatch.setattr(log_range, "stopwatch_s", lambda: clock[0])
    guard = LogGuard()
    for clock[0] in (0.0, 20.0):
        with pytest.raises(LogBehind, match="offset 101, but the log ends at 100"):
            check(guard, [50, 101])
    check(guard, [50, 100])
    for clock[0] in (40.0, 60.0):
        with pytest.raises(LogBehind):
            check(guard, [50, 101])
    clock[0] = 71.0
    with pytest.raises(JobFailed, match="lost records"):
        check(guard, [50, 101])
