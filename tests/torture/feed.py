"""An endless, seeded stream of events of all kinds, good and bad, fed at a rate until it is told to rest."""

import json
import random
import threading
import time
from collections import deque
from collections.abc import Iterator

from confluent_kafka import KafkaException, Producer

from tests.support.event_feed import KEYS, PAYMENTS, mixed

BLOCK = 2_000
CANARY = "canary-7f3a91"
"""Part of every account and event id: personal data that may appear in no log, metric, page or error."""

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
Raw = tuple[str, bytes | None, bytes | None]


def events(seed: int) -> Iterator[Raw]:
    """Topic, key and value: payments and ticks, among them duplicates, late and future ones, and what is no event."""
    chance = random.Random(seed)
    sent: deque[Raw] = deque(maxlen=400)
    block = 0
    while True:
        for topic, event in mixed(BLOCK, seed=seed * 1_000 + block):
            event["occurred_at_ms"] += block * BLOCK * 60_000
            if topic == PAYMENTS:
                event["account_id"] = f"{CANARY}-{event['account_id']}"
                event["event_id"] = f"{CANARY}-{event['event_id']}"
                if chance.random() < 0.02:
                    del event["merchant_id"]
            kind = chance.random()
            if kind < 0.02:
                event["occurred_at_ms"] -= chance.randrange(HOUR_MS)  # within grace
            elif kind < 0.03:
                event["occurred_at_ms"] -= 5 * DAY_MS
            elif kind < 0.035:
                event["occurred_at_ms"] = int(time.time() * 1000) + DAY_MS
            raw = topic, event[KEYS[topic]].encode(), json.dumps(event).encode()
            sent.append(raw)
            yield raw
            if chance.random() < 0.02:
                yield chance.choice(sent)  # the same again: a duplicate, if it is still known
            if chance.random() < 0.005:
                yield bad(chance, raw)
        block += 1


def bad(chance: random.Random, like: Raw) -> Raw:
    """A record that is no event, or not where it should be."""
    topic, key, value = like
    return chance.choice(
        (
            (topic, key, None),
            (topic, key, b"{"),
            (topic, key, (value or b"")[: chance.randrange(1, 40)]),
            (topic, None, value),
            (topic, b"somebody-else", value),
            (topic, key, b'{"event_id":' + b"[" * 200),
        )
    )


class Feed:
    """Feeds until it is closed; a context manager.

    Args:
        bootstrap: the broker, away for as long as it likes: nothing is given up.
        seed: of the events.
        per_second: events.
    """

    def __init__(self, bootstrap: str, seed: int, per_second: float) -> None:
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap, "partitioner": "murmur2_random", "enable.idempotence": True,
                "linger.ms": 5, "log_level": 0, "message.timeout.ms": 600_000, "reconnect.backoff.max.ms": 1_000,
                "topic.metadata.refresh.interval.ms": 5_000,
            }
        )  # fmt: skip
        self._events = events(seed)
        self._per_second = per_second
        self._going, self._over = threading.Event(), threading.Event()
        self._turn = threading.Lock()
        self._going.set()
        self._thread = threading.Thread(target=self._feed, name="feed", daemon=True)
        self.count = 0

    def __enter__(self) -> "Feed":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._going.set()
        self._thread.join(30)

    def rest(self, *, within_s: float = 120.0) -> None:
        """Feeds no more until `go_on`; returns when everything is durable."""
        self._going.clear()
        with self._turn:
            assert self._producer.flush(within_s) == 0, "the broker does not take the events"

    def go_on(self) -> None:
        """Feeds again."""
        self._going.set()

    def send_raw(self, topic: str, key: bytes | None, value: bytes | None, *, partition: int = -1) -> None:
        """One record beside the stream."""
        while True:
            try:
                self._producer.produce(topic, value, key, partition)
                self.count += 1
                return
            except BufferError:
                self._producer.poll(0.2)

    def _feed(self) -> None:
        while not self._over.is_set():
            self._going.wait()
            began = time.monotonic()
            with self._turn:
                for _ in range(20):
                    self.send_raw(*next(self._events))
                try:
                    self._producer.poll(0)
                except KafkaException:
                    continue
            self._over.wait(max(0.0, 20 / self._per_second - (time.monotonic() - began)))


def abort_a_transaction(bootstrap: str, seed: int) -> None:
    """Sends events that never become visible."""
    producer = Producer(
        {"bootstrap.servers": bootstrap, "transactional.id": f"aborting-{seed}", "log_level": 0}
    )
    try:
        producer.init_transactions(15)
        producer.begin_transaction()
        for topic, event in mixed(60, seed=seed):
            producer.produce(topic, json.dumps(event).encode(), event[KEYS[topic]].encode())
        producer.flush(10)
        producer.abort_transaction(15)
    except KafkaException as error:
        if not error.args[0].retriable():
            raise
