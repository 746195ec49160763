"""A log that is not what state was made from: the worker ends and says why; it never scores on as if nothing were."""

import time

from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions, NewTopic

from stream.services.embedded import EmbeddedServices
from stream.settings import Settings
from tests.live.conftest import MakeWorker
from tests.support.event_feed import PAYMENTS, Feeder, outputs_of, payments
from tests.support.independent_reader import Reader
from tests.support.worker_process import WorkerProcess

ENDED_WITHIN_S = 60.0


def ended(worker: WorkerProcess, saying: str) -> None:
    """It ends by itself, with exit code 1 and these words."""
    deadline = time.monotonic() + ENDED_WITHIN_S
    while worker.running:
        assert time.monotonic() < deadline, f"it goes on: {worker.ready()}\n{worker.log()[-2_000:]}"
        time.sleep(0.1)
    assert saying in worker.log()
    assert worker.exit_code == 1


def test_a_topic_that_was_made_anew_and_one_with_more_partitions_end_the_worker(
    services: EmbeddedServices, settings: Settings, make_worker: MakeWorker
) -> None:
    """Offsets of the old topic say nothing of the new one; keys that moved are away from their state."""
    admin = AdminClient({"bootstrap.servers": services.kafka_bootstrap, "log_level": 0})
    feeder = Feeder(services.kafka_bootstrap)
    first, again = payments(400, seed=71), payments(300, seed=72)
    feeder.send(first)
    worker = make_worker()
    with Reader(services.kafka_bootstrap) as reader:
        worker.start()
        worker.wait_until(lambda: reader.terminals() >= outputs_of(first), "everything is scored")
        for future in admin.delete_topics([PAYMENTS]).values():
            future.result(20)
        made = NewTopic(PAYMENTS, 4, 1, config={"message.timestamp.type": "LogAppendTime"})
        deadline = time.monotonic() + 20
        while PAYMENTS in admin.list_topics(timeout=10).topics:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        admin.create_topics([made])[PAYMENTS].result(20)
        Feeder(services.kafka_bootstrap).send(again)
        ended(worker, "was deleted and made anew")
        before = reader.terminals()
        other = make_worker("other", namespace=f"{settings.namespace}-2").start()
        other.wait_until(lambda: reader.terminals() >= before + outputs_of(again), "the new topic is scored")
        for future in admin.create_partitions([NewPartitions(PAYMENTS, 6)]).values():
            future.result(20)
        other.kill()
        other.start()
        ended(other, f"RISKSTREAM_NAMESPACE={settings.namespace}-2-6 riskstream worker")


def test_records_that_retention_took_before_they_were_scored_end_the_worker(
    services: EmbeddedServices, settings: Settings, make_worker: MakeWorker
) -> None:
    """Going on from where the log begins now would pass over payments, and nobody would know."""
    admin = AdminClient({"bootstrap.servers": services.kafka_bootstrap, "log_level": 0})
    feeder, worker = Feeder(services.kafka_bootstrap), make_worker()
    first, unscored = payments(200, seed=73), payments(400, seed=74)
    feeder.send(first)
    with Reader(services.kafka_bootstrap) as reader:
        worker.start()
        worker.wait_until(lambda: reader.terminals() >= outputs_of(first), "everything is scored")
        assert worker.wait_ready().terminate() == 0
        feeder.send(unscored)
        ends = reader.ends(PAYMENTS)
    gone = [TopicPartition(PAYMENTS, index, end - 5) for index, end in ends.items()]
    for future in admin.delete_records(gone).values():
        future.result(20)
    worker.start()
    ended(worker, "records are gone unscored")
