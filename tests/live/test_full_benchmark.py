"""Parts of the full benchmark on real services, as small as can be: the worker it measures is the one that is here."""

import pytest

from benchmarks.full.plan import FullPlan
from benchmarks.full.run import measure_part
from benchmarks.full.tables import table_of
from benchmarks.limits.declared import LIMITS

pytestmark = [pytest.mark.live, pytest.mark.timeout(180)]
TINY = FullPlan(
    seconds=1.0, warm_up_s=0.5, repetitions=1, backlog_per_second=150_000, history_accounts=1_500, history=60_000,
    entities=(1_000,), poll_sizes=(20, 200), polls=2, cold_starts=1,
)  # fmt: skip


def test_a_worker_goes_on_from_states_that_the_benchmark_has_written() -> None:
    """Were key, record or state another than the worker's, it would begin anew, and the part raise an error."""
    part = measure_part(TINY, "entities", lambda _: None)
    point = part["results"]["points"]["1000"]
    assert point["redis_bytes_per_entity"] > part["results"]["state_bytes"] > 500
    assert point["events_per_second"] > 0 and point["redis_cpu_us"] > 0
    assert not part["redis_append_only"] and part["versions"]["kafka_broker"]


def test_polls_and_limits_are_measured_with_the_workers_own_core() -> None:
    """The core moves on; what measures it must move along."""
    polls = measure_part(TINY, "polls", lambda _: None)["results"]
    assert list(polls["sizes"]) == ["20", "200"]
    assert all(len(times) == 21 and times[10] > 0 for times in polls["sizes"]["200"].values())
    limits = measure_part(TINY, "limits", lambda _: None)["results"]
    assert list(limits) == list(LIMITS)
    assert all(limit["events_per_second"] > 1_000 for limit in limits.values())
    assert len(table_of("limits", limits).rows) == len(LIMITS)
