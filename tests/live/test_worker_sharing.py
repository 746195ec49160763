"""Workers come and go while events flow: partitions change hands, and the outputs do not show it."""

import pytest

from scoring.catalog import scorers
from tests.live.conftest import MakeWorker
from tests.support.event_feed import PAYMENTS, TICKS, Feeder, mixed, outputs_of
from tests.support.independent_reader import Reader, read_outcome
from tests.support.promises import check_against_log
from tests.support.worker_process import WorkerProcess

MOST_EVENTS = 60_000
PER_SECOND = 300.0
PARTITIONS = 4 * len({view.event.topic for scorer in scorers().values() for view in scorer.needed_views})
"""Of all topics that a worker reads, four each."""


@pytest.mark.timeout(300)
def test_partitions_change_hands_without_a_trace(services, settings, make_worker: MakeWorker) -> None:
    """Join, orderly leave, join again, sudden death: DESIGN section 6 under every kind of rebalance.

    Membership ends with the process here, so that who is stopped hands over at once.
    """
    messages = mixed(MOST_EVENTS, seed=21)
    first, second = (make_worker(name, worker_id=None, poll_records=200) for name in ("first", "second"))
    with Reader(services.kafka_bootstrap) as reader:
        second.start()
        first.start().wait_ready()
        with Feeder(services.kafka_bootstrap).sending(messages, per_second=PER_SECOND) as sent:
            wait_shared(first, second)
            assert second.terminate() == 0
            wait_alone(first)
            second.start()
            wait_shared(first, second)
            first.kill()
            wait_alone(second)
        expected = outputs_of(sent)
        second.wait_until(lambda: reader.terminals() >= expected, "everything is scored")
        assert second.wait_ready().terminate() == 0
    outcome = read_outcome(services.kafka_bootstrap, (PAYMENTS, TICKS))
    assert len(outcome.inputs) == len(sent)
    check_against_log(outcome, settings.namespace, services.redis_url)


def wait_shared(first: WorkerProcess, second: WorkerProcess) -> None:
    """Both hold partitions, none the same, and together all."""

    def shared() -> bool:
        held, others = first.partitions(), second.partitions()
        return bool(held and others) and not held & others and len(held | others) == PARTITIONS

    second.wait_until(shared, "both hold partitions")


def wait_alone(worker: WorkerProcess) -> None:
    """One holds all partitions and is ready."""
    worker.wait_until(
        lambda: len(worker.partitions()) == PARTITIONS and worker.ready()[0], "one holds them all"
    )
