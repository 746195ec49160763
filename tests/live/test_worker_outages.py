"""Kafka or Redis away: the worker says so, waits, and goes on by itself where it was."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from scoring.features.spec import DAY_MS
from stream.services.embedded import EmbeddedServices
from stream.settings import Settings
from stream.topics import ensure_topics
from tests.support.event_feed import PAYMENTS, TICKS, Feeder, mixed, outputs_of
from tests.support.independent_reader import Outcome, Reader, read_outcome
from tests.support.promises import check_against_log
from tests.support.redis_servers import redis_servers
from tests.support.services import settings_for
from tests.support.worker_process import WorkerProcess

MOST_EVENTS = 60_000
PER_SECOND = 250.0


@pytest.fixture
def own_settings(own_services: EmbeddedServices) -> Settings:
    """Settings for the test's own services, with all topics."""
    settings = settings_for(own_services)
    ensure_topics(settings)
    return settings


@pytest.fixture
def worker(
    own_services: EmbeddedServices, own_settings: Settings, bundles: Path, tmp_path: Path
) -> Iterator[WorkerProcess]:
    """A worker on them, not started."""
    made = WorkerProcess(
        own_services, tmp_path, namespace=own_settings.namespace, bundle_dirs=bundles, poll_records=200
    )
    yield made
    made.__exit__()


def says_waiting(worker: WorkerProcess, name: str) -> None:
    """Not ready, and it says for what it waits."""
    worker.wait_until(
        lambda: any(f"waiting for {name}" in problem for problem in worker.ready()[1]), f"it misses {name}"
    )


@pytest.mark.timeout(400)
def test_outages_of_kafka_and_redis_leave_no_trace(
    own_services: EmbeddedServices, own_settings: Settings, worker: WorkerProcess
) -> None:
    """One run through every outage: broker killed, Redis killed with a second of its log lost, Redis emptied.

    Nobody touches the worker until the last of them.
    """
    more = mixed(600, seed=52)
    for _, event in more:
        event["occurred_at_ms"] += 2 * DAY_MS
    feeder = Feeder(own_services.kafka_bootstrap)
    worker.start().wait_ready()
    with Reader(own_services.kafka_bootstrap) as reader:
        with feeder.sending(mixed(MOST_EVENTS, seed=51), per_second=PER_SECOND) as sent:
            worker.wait_until(lambda: reader.terminals() > 300, "it scores")
            own_services.kafka.kill()
            says_waiting(worker, "Kafka")
            own_services.kafka.restart()
            worker.wait_ready()

            seen = reader.terminals()
            worker.wait_until(lambda: reader.terminals() > seen + 300, "it scores again")
            own_services.redis.kill()
            says_waiting(worker, "Redis")
            own_services.redis.restart()
            worker.wait_ready()
        worker.wait_until(lambda: reader.terminals() >= outputs_of(sent), "everything is scored")
        check_against_log(outcome_of(own_services), own_settings.namespace, own_services.redis_url)

        empty(own_services)
        feeder.send(more)
        expected = outputs_of(sent + more)
        worker.wait_until(lambda: reader.terminals() >= expected, "it goes on after it has rebuilt")
        worker.wait_ready()
        before = outcome_of(own_services)
        check_against_log(before, own_settings.namespace, own_services.redis_url)

        assert worker.terminate() == 0
        empty(own_services)
        worker.start().wait_ready()
        assert worker.terminate() == 0
    after = outcome_of(own_services)
    assert (after.scores, after.alerts, after.letters) == (before.scores, before.alerts, before.letters)
    check_against_log(after, own_settings.namespace, own_services.redis_url)
    assert "Redis was rolled back" in worker.log()


def outcome_of(services: EmbeddedServices) -> Outcome:
    """Everything that is there."""
    return read_outcome(services.kafka_bootstrap, (PAYMENTS, TICKS))


def empty(services: EmbeddedServices) -> None:
    """Takes everything out of Redis."""
    with redis_servers(services.redis_url) as servers:
        for server in servers:
            server.flushall()
