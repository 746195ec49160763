"""Whatever a sender gets wrong, it becomes a dead letter that says what and where, and the stream goes on."""

import base64
import json
import time
from typing import Any

import xxhash

from tests.live.conftest import MakeWorker
from tests.support.command_line import riskstream
from tests.support.event_feed import FIRST_MS, KEYS, PAYMENTS, SCORERS, Feeder, payments
from tests.support.independent_reader import Outcome, Reader, Record, read_outcome
from tests.support.redis_servers import redis_servers
from tests.support.worker_process import WorkerProcess

CANARY = "jane-doe-4711"
"""Personal data that no dead letter, log or metric may show by default."""
PAUSED = 2
KEPT_BYTES = 64 * 1024

Case = tuple[str, str, bytes | None, bytes | None]


def event(**changes: Any) -> dict[str, Any]:
    """A payment with something personal in it, changed."""
    usual = {
        "event_id": "bad-1",
        "occurred_at_ms": FIRST_MS,
        "account_id": "account-1",
        "amount": 1.0,
        "merchant_id": CANARY,
    }
    return usual | changes


def case(reason: str, path: str, key: bytes | None = b"account-1", **changes: Any) -> Case:
    """A record that is refused for `reason` at `path`: a payment with these changes, sent under a key."""
    return reason, path, key, json.dumps(event(**changes)).encode()


def cases() -> list[Case]:
    """One record for every way of being wrong that does not depend on other records."""
    text = json.dumps(event()).encode()
    long_id = f"{CANARY}-" * 20
    without_amount = {name: value for name, value in event().items() if name != "amount"}
    return [
        ("NOT_UTF8", "$", b"account-1", text.replace(CANARY.encode(), CANARY.encode() + b"\xff")),
        ("BROKEN_JSON", "$", b"account-1", text[:-10]),
        ("EMPTY_VALUE", "$", b"account-1", b""),
        ("EMPTY_VALUE", "$", CANARY.encode(), None),
        ("OVERSIZED_VALUE", "$", b"account-1", text + b" " * 100_000),
        ("MISSING_FIELD", "$.amount", b"account-1", json.dumps(without_amount).encode()),
        case("WRONG_TYPE", "$.amount", amount=CANARY),
        case("NOT_FINITE", "$.amount", amount=float("nan")),
        case("OUT_OF_RANGE", "$.amount", amount=1e300),
        case("EMPTY_ID", "$.event_id", event_id=""),
        case("LONG_ID", "$.account_id", key=long_id.encode(), account_id=long_id),
        case("TIME_IN_SECONDS", "$.occurred_at_ms", occurred_at_ms=FIRST_MS // 1000),
        case("TIME_OUT_OF_RANGE", "$.occurred_at_ms", occurred_at_ms=FIRST_MS * 1000),
        case("FAR_FUTURE", "$.occurred_at_ms", occurred_at_ms=int(time.time() * 1000) + 3_600_000),
        case("KEY_MISMATCH", "$.account_id", key=CANARY.encode()),
        case("NO_KEY", "$", key=None),
    ]


def test_every_kind_of_bad_record_is_a_dead_letter_of_its_own_and_tells_nothing_personal(
    services, settings, make_worker: MakeWorker
) -> None:
    """Senders find their mistake by reason and path; what was wrong with whom stays with them."""
    feeder = Feeder(services.kafka_bootstrap)
    good = payments(400, seed=31)
    bad = cases()
    for number, message in enumerate(good):
        feeder.send([message])
        if number < len(bad):
            feeder.send_raw(PAYMENTS, *bad[number][2:])
    everywhere = json.dumps(event(event_id="everywhere", account_id="someone")).encode()
    for partition in range(4):  # right in one of them
        feeder.send_raw(PAYMENTS, b"someone", everywhere, partition=partition)
    other_body = json.dumps(event(event_id="everywhere", account_id="someone", amount=2.0)).encode()
    feeder.send_raw(PAYMENTS, b"someone", everywhere)
    feeder.send_raw(PAYMENTS, b"someone", other_body)
    feeder.flush()
    expected = (len(good) + 1) * len(SCORERS[PAYMENTS]) + len(bad) + 3 + 2
    with make_worker().start() as worker, Reader(services.kafka_bootstrap) as reader:
        worker.wait_until(lambda: reader.terminals() >= expected, "everything is scored or refused")
        metrics = worker.wait_ready().get("/metrics")[1]
        assert worker.terminate() == 0
    outcome = read_outcome(services.kafka_bootstrap, [PAYMENTS])
    assert outcome.wrong_counts(SCORERS) == {}
    letters = {letter.source: letter for letter in outcome.letters}
    for reason, path, key, value in bad:
        check_letter(letters, find(outcome, key, value), reason=reason, path=path, stage="decode")
    (*twice, conflict) = [
        letters.get(record.place)
        for value in (everywhere, other_body)
        for record in find(outcome, b"someone", value)
    ]
    assert sorted(letter.body["reason"] if letter else "SCORED" for letter in twice) == [
        "DUPLICATE", "SCORED", "WRONG_PARTITION", "WRONG_PARTITION", "WRONG_PARTITION",
    ]  # fmt: skip
    assert (conflict.body["reason"], conflict.body["path"]) == ("CONFLICT", "$.event_id")
    assert len(letters) == len(outcome.letters) == len(bad) + 5
    for letter in outcome.letters:
        assert CANARY not in repr((letter.key, letter.value, letter.headers))
        assert "value_base64" not in letter.body
    assert CANARY not in metrics
    assert CANARY not in worker.log()


def find(outcome: Outcome, key: bytes | None, value: bytes | None) -> list[Record]:
    """The input records with this key and value."""
    found = [record for record in outcome.inputs if (record.key, record.value) == (key, value)]
    assert found
    return found


def check_letter(
    letters: dict[tuple[str, int, int], Record], inputs: list[Record], *, reason: str, path: str, stage: str
) -> None:
    """The letter of the one input says what was wrong with it, and holds a hash of its bytes instead of them."""
    (source,) = inputs
    body = letters[source.place].body
    assert (body["reason"], body["path"], body["stage"]) == (reason, path, stage)
    assert body.get("value_bytes", 0) == len(source.value or b"")
    wanted = None if source.value is None else f"{xxhash.xxh3_64_intdigest(source.value):016x}"
    assert body.get("value_xxh3") == wanted
    assert letters[source.place].key is None


def test_a_partition_full_of_refusals_pauses_through_a_crash_until_somebody_says_go_on(
    services, settings, make_worker: MakeWorker
) -> None:
    """A sender gone wrong must not run on unseen for a night; the other partitions are none of its business."""
    feeder = Feeder(services.kafka_bootstrap)
    large = b"[" + b"x" * 100_000
    feeder.send_raw(PAYMENTS, b"k", large, partition=PAUSED)
    for number in range(1_100):
        feeder.send_raw(PAYMENTS, b"k", f"{{broken {number}".encode(), partition=PAUSED)
    feeder.flush()
    worker = make_worker(dead_letter_content="bytes", refuse_share=0.9)
    with worker.start(), Reader(services.kafka_bootstrap) as reader:
        worker.wait_until(lambda: paused(worker), "the partition pauses")
        good = payments(400, seed=32)
        feeder.send(good)
        waiting = sum(record.partition == PAUSED for record in reader.read(PAYMENTS)) - 1_101
        assert 0 < waiting < len(good)
        others = (len(good) - waiting) * len(SCORERS[PAYMENTS])
        worker.wait_until(lambda: reader.count("risk-scores") >= others, "the other partitions are scored")
        worker.kill()
        worker.start()
        worker.wait_until(lambda: paused(worker), "it is paused as before")
        assert reader.count("risk-scores") == others
        addresses = {"kafka_bootstrap": services.kafka_bootstrap, "redis_url": services.redis_url}
        told = riskstream("resume", PAYMENTS, str(PAUSED), namespace=settings.namespace, **addresses)
        assert told.returncode == 0, told.stderr
        expected = len(good) * len(SCORERS[PAYMENTS])
        worker.wait_until(lambda: reader.count("risk-scores") >= expected, "the partition goes on")
        worker.wait_ready()
        forget_all(services.redis_url, settings.namespace)
        worker.wait_until(lambda: "partitions acquired" in worker.log().rpartition("went back")[2], "it starts anew")
        worker.wait_ready()  # what somebody has said go on to is folded again, and pauses nobody
        assert worker.terminate() == 0
    outcome = read_outcome(services.kafka_bootstrap, KEYS)
    assert outcome.wrong_counts(SCORERS) == {}
    contents = {record.place: record.value for record in outcome.inputs}
    for letter in outcome.letters:
        kept = base64.b64decode(letter.body["value_base64"])
        assert kept == (contents[letter.source] or b"")[:KEPT_BYTES]


def forget_all(redis_url: str, namespace: str) -> None:
    """Takes everything of the namespace out of Redis."""
    with redis_servers(redis_url) as servers:
        for server in servers:
            for key in server.scan_iter(match=f"*{{{namespace}:*", count=1_000):
                server.delete(key)


def paused(worker: WorkerProcess) -> bool:
    """Whether it says that the partition is paused, and how it goes on."""
    return any(f"riskstream resume {PAYMENTS} {PAUSED}" in problem for problem in worker.ready()[1])
