"""Compacted topics as input: of an entity only the last events are left, and offsets have gaps of any width."""

import time
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from stream.services.embedded import EmbeddedServices
from stream.services.kafka import EmbeddedKafka
from stream.topics import ensure_topics
from tests.support.event_feed import PAYMENTS, TICKS, Feeder, mixed, outputs_of
from tests.support.independent_reader import Reader, read_outcome
from tests.support.promises import check_against_log
from tests.support.services import settings_for
from tests.support.small_bundles import write_all
from tests.support.worker_process import WorkerProcess

EAGER = {"log.cleaner.backoff.ms": "200", "log.cleaner.min.cleanable.ratio": "0.001"}
COMPACTED = {
    "cleanup.policy": "compact", "segment.ms": "100", "min.cleanable.dirty.ratio": "0.001",
    "min.compaction.lag.ms": "0", "message.timestamp.type": "LogAppendTime",
}  # fmt: skip
EVENTS = 4_000
ROUNDS = 8
COMPACTED_WITHIN_S = 90.0


@pytest.fixture
def services(tmp_path: Path):
    """A broker that compacts as soon as it can."""
    services = EmbeddedServices(tmp_path / "services")
    services.kafka = EmbeddedKafka(services.data_dir / "kafka", extra=EAGER)
    with services:
        yield services


def left_in(bootstrap: str) -> set[tuple[str, int, int]]:
    """Places of the records that are left, once half of them are gone and no more go."""
    deadline = time.monotonic() + COMPACTED_WITHIN_S
    before: set[tuple[str, int, int]] = set()
    with Reader(bootstrap) as reader:
        while True:
            left = {record.place for topic in (PAYMENTS, TICKS) for record in reader.read(topic)}
            if left == before and len(left) < EVENTS // 2:
                return left
            assert time.monotonic() < deadline, "the broker does not compact"
            before = left
            time.sleep(3)


@pytest.mark.timeout(400)
def test_gaps_in_the_log_stop_nobody_and_hide_nothing(services: EmbeddedServices, tmp_path: Path) -> None:
    """Every record that is still visible is scored once, and states are those of the records that are left."""
    admin = AdminClient({"bootstrap.servers": services.kafka_bootstrap})
    topics = [NewTopic(topic, 4, 1, config=COMPACTED) for topic in (PAYMENTS, TICKS)]
    for made in admin.create_topics(topics).values():
        made.result(15)
    settings = settings_for(services)
    ensure_topics(settings)
    feeder, events = Feeder(services.kafka_bootstrap), mixed(EVENTS, seed=61)
    for start in range(0, EVENTS, EVENTS // ROUNDS):
        feeder.send(events[start : start + EVENTS // ROUNDS])
        time.sleep(0.3)  # the next one begins a new segment: the one that is written to is never compacted
    left = left_in(services.kafka_bootstrap)
    expected = outputs_of([(topic, {}) for topic, _, _ in left])
    worker = WorkerProcess(
        services, tmp_path, namespace=settings.namespace, bundle_dirs=write_all(tmp_path / "bundles"), poll_records=100
    )
    with worker.start(), Reader(services.kafka_bootstrap) as reader:
        worker.wait_until(lambda: reader.terminals() > 100, "it scores")
        worker.kill()
        worker.start()
        worker.wait_until(lambda: reader.terminals() >= expected, "everything that is left is scored")
        assert worker.wait_ready().terminate() == 0
    outcome = read_outcome(services.kafka_bootstrap, (PAYMENTS, TICKS))
    gaps = [
        (before.place, after.place)
        for before, after in zip(outcome.inputs, outcome.inputs[1:], strict=False)
        if before.place[:2] == after.place[:2] and after.offset > before.offset + 1
    ]
    assert len(gaps) > 20
    assert len(outcome.inputs) == len(left) < EVENTS // 2
    check_against_log(outcome, settings.namespace, services.redis_url)
