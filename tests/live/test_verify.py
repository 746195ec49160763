"""`riskstream verify` on what a real worker wrote: good as it is, and not after any tampering with it."""

import json
from collections.abc import Callable

import pytest
from confluent_kafka import Producer

from stream.services.embedded import EmbeddedServices
from stream.settings import Settings
from tests.live.conftest import MakeWorker
from tests.support.command_line import riskstream
from tests.support.event_feed import PAYMENTS, Feeder, mixed, outputs_of
from tests.support.independent_reader import Reader, Record, read_topic
from tests.support.log_fold import states_in
from tests.support.redis_servers import server_of

INTERNAL = "transactions-by-merchant"
EVENTS = 3_000


@pytest.fixture
def verify(services: EmbeddedServices, settings: Settings, bundles) -> Callable[..., tuple[int, dict]]:
    """Runs the command: its exit code and what it prints."""

    def run(*, wait_s: int = 0) -> tuple[int, dict]:
        done = riskstream(
            "verify", "--json", "--wait", str(wait_s), kafka_bootstrap=services.kafka_bootstrap,
            redis_url=services.redis_url, namespace=settings.namespace, bundle_dirs=str(bundles),
        )  # fmt: skip
        assert done.stdout, done.stderr
        return done.returncode, json.loads(done.stdout)

    return run


def copy_of(record: Record, value: bytes, bootstrap: str) -> None:
    """Writes a record again, with another value."""
    producer = Producer({"bootstrap.servers": bootstrap, "log_level": 0})
    producer.produce(
        record.topic, key=record.key, value=value, headers=list(record.headers), partition=record.partition
    )
    assert producer.flush(10) == 0


def test_it_holds_after_a_kill_and_no_tampering_goes_unnoticed(
    services, settings, make_worker: MakeWorker, verify
) -> None:
    """One byte of a score, one bit of a state, one record more: each is found; nothing is found before."""
    feeder, worker = Feeder(services.kafka_bootstrap), make_worker(poll_records=100)
    events = mixed(EVENTS, seed=5)
    feeder.send(events)
    feeder.send_raw(PAYMENTS, b"account-1", b"{", partition=0)
    with Reader(services.kafka_bootstrap) as reader:
        worker.start()
        worker.wait_until(lambda: reader.terminals() >= 1_000, "it scores")
        worker.kill()
        worker.start()
        expected = outputs_of(events) + 1
        worker.wait_until(lambda: reader.terminals() >= expected, "everything is scored")
        code, good = verify(wait_s=10)
    assert (code, good["broken"], good["notes"]) == (0, [], [])
    assert good["inputs"] == EVENTS + 1
    worker.terminate()

    score = next(record for record in read_topic(services.kafka_bootstrap, "risk-scores") if record.partition == 1)
    copy_of(score, score.value, services.kafka_bootstrap)
    code, found = verify()
    assert (code, found["duplicates_identical"]) == (0, good["duplicates_identical"] + 1)

    changed = score.value.replace(b'"depth":', b'"depth":1')
    copy_of(score, changed, services.kafka_bootstrap)
    code, found = verify()
    assert (code, found["broken"], found["duplicates_different"]) == (1, ["duplicates_different"], 1)

    passed_on = read_topic(services.kafka_bootstrap, INTERNAL)[7]
    copy_of(passed_on, passed_on.value.replace(b'"depth":', b'"depth":1'), services.kafka_bootstrap)
    code, found = verify()
    assert (code, found["duplicates_different"]) == (1, 2)

    key, state = next(iter(states_in(services.redis_url, settings.namespace).items()))
    with server_of(services.redis_url, key) as client:
        client.set(key, bytes([state[0]]) + bytes([state[1] ^ 1]) + state[2:], keepttl=True)
        code, found = verify()
        assert (code, found["state_mismatches"]) == (1, 1)
        client.delete(key)
        code, found = verify()
        assert (code, found["state_mismatches"]) == (1, 1)

    feeder.send_raw(PAYMENTS, b"account-2", json.dumps(events[0][1]).encode(), partition=0)
    code, found = verify()
    # two scorers and the pass to the merchant, and no worker
    assert (code, found["missing"], found["inputs"]) == (1, 3, EVENTS + 2)


def test_a_namespace_in_which_nothing_was_scored_is_refused_by_name(services, settings, verify) -> None:
    """The usual mistake is the wrong namespace; "all is well" would be the worst answer."""
    done = riskstream(
        "verify", kafka_bootstrap=services.kafka_bootstrap, redis_url=services.redis_url, namespace="nobody"
    )
    assert done.returncode == 1
    assert "nothing of it was scored in namespace nobody" in done.stderr
