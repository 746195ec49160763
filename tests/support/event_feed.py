"""Seeded payments and ticks, and a producer of another make that sends them."""

import json
import random
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from confluent_kafka import Producer

PAYMENTS, TICKS = "transactions", "market-ticks"
BARS, PORTFOLIOS = "market-bars", "portfolio-returns"
KEYS = {
    PAYMENTS: "account_id",
    TICKS: "symbol",
    BARS: "symbol",
    PORTFOLIOS: "portfolio_id",
    "measurements": "series_id",
}
SCORERS = {
    PAYMENTS: ("payment_anomaly", "payment_attention", "payment_fraud", "payment_merchant"),
    TICKS: ("tick_anomaly",),
}
"""Of the topics that `mixed` feeds."""
FIRST_MS = 1_700_000_000_000

Message = tuple[str, dict[str, Any]]


def payments(count: int, *, seed: int, accounts: int = 150) -> list[Message]:
    """Payments in order of time, some twenty times as high as usual for their account, at times two in a row."""
    chance = random.Random(seed)
    usual = [chance.lognormvariate(3, 1) for _ in range(accounts)]
    found: list[Message] = []
    account, unusual = 0, False
    for number in range(count):
        again = unusual and chance.random() < 1 / 2
        account = account if again else chance.randrange(accounts)
        unusual = again or chance.random() < 1 / 40
        amount = usual[account] * chance.uniform(0.5, 1.5) * (20 if unusual else 1)
        event = {
            "event_id": f"p{seed}-{number}",
            "occurred_at_ms": FIRST_MS + number * 60_000,
            "account_id": f"account-{account}",
            "amount": round(amount, 2),
            "currency": chance.choice(("EUR", "USD")),
            "merchant_id": f"m{chance.randrange(50)}",
            "country": chance.choice(("DE", "FR", "IT")),
        }
        found.append((PAYMENTS, event))
    return found


def ticks(count: int, *, seed: int, symbols: int = 40) -> list[Message]:
    """Ticks in order of time; one in sixty jumps."""
    chance = random.Random(seed)
    price = [chance.uniform(10, 100) for _ in range(symbols)]
    found: list[Message] = []
    for number in range(count):
        symbol = chance.randrange(symbols)
        step = chance.gauss(0, 0.001) + (0.1 if chance.random() < 1 / 60 else 0)
        price[symbol] *= 1 + step
        event = {
            "event_id": f"t{seed}-{number}",
            "occurred_at_ms": FIRST_MS + number * 30_000,
            "symbol": f"S{symbol}",
            "price": round(price[symbol], 4),
            "volume": float(chance.randrange(1, 1_000)),
        }
        found.append((TICKS, event))
    return found


def mixed(count: int, *, seed: int) -> list[Message]:
    """Payments and ticks by turns, `count` in all."""
    half = zip(payments(count // 2, seed=seed), ticks(count // 2, seed=seed), strict=True)
    return [message for pair in half for message in pair]


def with_questions(messages: Sequence[Message], *, every: int) -> list[Message]:
    """The same with a question behind every so many events: how risky is the event's entity an hour later?"""
    found: list[Message] = []
    for number, (topic, event) in enumerate(messages):
        found.append((topic, event))
        if number % every == every - 1:
            asked = {
                "event_id": f"q{number}", "entity": event[KEYS[topic]],
                "occurred_at_ms": event["occurred_at_ms"] + 3_600_000, "as_of": True,
            }  # fmt: skip
            found.append((topic, asked))
    return found


class Feeder:
    """Sends events as a user's own producer would: JSON, keyed, with Java's partitioner."""

    def __init__(self, bootstrap: str) -> None:
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "partitioner": "murmur2_random",
                "enable.idempotence": True,
                "linger.ms": 5,
                "log_level": 0,
            }
        )

    def send(self, messages: Iterable[Message]) -> None:
        """Sends events and returns when all are durable."""
        for topic, event in messages:
            key = event["entity"] if "as_of" in event else event[KEYS[topic]]
            self.send_raw(topic, key.encode(), json.dumps(event).encode())
        self.flush()

    @contextmanager
    def sending(self, messages: Sequence[Message], *, per_second: float) -> Iterator[list[Message]]:
        """Sends events at a rate for as long as the block lasts; gives the list of those sent, which grows."""
        sent: list[Message] = []
        failed: list[BaseException] = []
        over = threading.Event()

        def send() -> None:
            began = time.monotonic()
            try:
                for start in range(0, len(messages), 20):
                    if over.wait(max(0.0, began + start / per_second - time.monotonic())):
                        return
                    self.send(messages[start : start + 20])
                    sent.extend(messages[start : start + 20])
            except BaseException as error:
                failed.append(error)

        thread = threading.Thread(target=send, name="feeder")
        thread.start()
        try:
            yield sent
        finally:
            over.set()
            thread.join()
        assert not failed, failed
        assert len(sent) < len(messages), "the events did not last until the end; give more"

    def send_raw(self, topic: str, key: bytes | None, value: bytes | None, *, partition: int = -1) -> None:
        """Hands over one record as it is; by the partitioner unless a partition is given."""
        self._producer.produce(topic, value, key, partition)
        self._producer.poll(0)

    def flush(self) -> None:
        """Returns when everything is durable.

        Raises:
            AssertionError: the broker did not take it in time.
        """
        assert self._producer.flush(60) == 0, "the broker did not take the records"


def outputs_of(messages: Iterable[Message]) -> int:
    """How many scores events end in."""
    return sum(len(SCORERS[topic]) for topic, _ in messages)
