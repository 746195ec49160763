"""The doctor's judgement of progress: state and log that no longer fit together are told apart from mere waiting."""

import pytest

from scoring.store.contract import Partition, Record
from scoring.views.account_activity import VIEW
from stream.doctor.broker import BrokerFacts, TopicFacts
from stream.doctor.clocks import judge_clock, reading_of
from stream.doctor.progress import MANY_RECORDS, judge_progress

AT = Partition("transactions", 0)


def facts(*, begin: int = 100, end: int = 200, workers: int = 1) -> BrokerFacts:
    topic = TopicFacts(replicas=(1,), in_sync=(1,), configs={})
    return BrokerFacts((4, 1), 1, {"transactions": topic}, {AT: begin}, {AT: end}, {AT: end}, workers)


def state(offset: int | None = 200, *, partitions: int = 1, paused: int = 0) -> Record:
    offsets = {} if offset is None else {VIEW.digest: offset}
    return Record(1, offsets, {}, {"paused": str(paused)}, partitions)


def wrong(broker: BrokerFacts, record: Record | None) -> list[tuple[str, str]]:
    found = judge_progress(broker, {AT: record}, views_of={"transactions": [VIEW]}, namespace="house")
    return [(one.level, one.do) for one in found if one.level != "ok"]


def test_level_partitions_and_new_ones_are_good() -> None:
    """A partition without records has no state, and needs none."""
    assert wrong(facts(), state()) == []
    assert wrong(facts(begin=0, end=0, workers=0), None) == []


@pytest.mark.parametrize(
    ("broker", "record", "level", "remedy"),
    [
        (facts(), state(99), "error", "restore the log"),
        (facts(), state(201), "error", "RISKSTREAM_NAMESPACE=house-2"),
        (facts(), state(partitions=4), "error", "RISKSTREAM_NAMESPACE=house-1"),
        (facts(), state(paused=1_700_000_000_000), "error", "riskstream resume transactions 0"),
        (facts(workers=0), state(150), "warning", "riskstream worker"),
        (facts(end=200 + MANY_RECORDS + 1), state(), "warning", "more workers"),
    ],
)
def test_each_misfit_of_state_and_log_is_found_with_its_remedy(broker, record, level, remedy) -> None:
    """A log that begins after the state, or a topic made anew, would end the worker or leave records unscored."""
    found = wrong(broker, record)
    assert [one[0] for one in found] == [level]
    assert remedy in found[0][1]


def test_a_view_that_was_never_folded_waits_for_the_whole_log() -> None:
    """A new view is folded from the beginning: the lag of the old one says nothing about it."""
    (finding,) = [
        one
        for one in judge_progress(
            facts(workers=0), {AT: state(None)}, views_of={"transactions": [VIEW]}, namespace="house"
        )
        if one.level != "ok"
    ]
    assert finding.found.startswith("100 records wait")


@pytest.mark.parametrize(
    ("ahead_ms", "level"),
    [(0, "ok"), (-900, "ok"), (5_000, "warning"), (-5_000, "warning"), (400_000, "error")],
)
def test_a_clock_is_judged_by_its_quickest_answer(ahead_ms: int, level: str) -> None:
    """A slow answer may hide seconds either way; the quickest one cannot."""
    readings = [reading_of(0, ahead_ms + 5, 10), reading_of(0, ahead_ms, 60_000)]
    assert judge_clock("broker", readings, skew_ms=300_000).level == level
