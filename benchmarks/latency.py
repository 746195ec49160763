"""From the moment a producer hands an event over to the moment a consumer holds its score, at a steady rate."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from confluent_kafka import Producer
from numpy.typing import NDArray

from benchmarks.broker import Broker
from benchmarks.payments import BLOCK_EVENTS, Payments
from benchmarks.pipelines import Pipeline
from benchmarks.plan import ROOT
from schemas.events.transaction import EVENT
from stream.feed.records import encode
from stream.settings import Settings

PRODUCER_LINGER_MS = 1
PROBE_WITHIN_S = 60.0
SLICE_S = 0.0005
READ_WITHIN_S = 180.0


@dataclass(frozen=True)
class Latency:
    """Milliseconds from producer to score at one rate.

    Attributes:
        rate: events per second asked for; sent_rate: sent.
        events: scores that count; missing: events without a score, the settling ones included.
        producer_p99_ms: how late the producer itself was, which is not part of the other figures.
    """

    rate: int
    sent_rate: float
    events: int
    missing: int
    p50_ms: float
    p90_ms: float
    p99_ms: float
    maximum_ms: float
    producer_p99_ms: float

    def as_dict(self) -> dict[str, float]:
        """The figures by name, rounded for people."""
        return {name: round(value, 2) for name, value in asdict(self).items()}


@dataclass(frozen=True, eq=False)
class Sent:
    """When each event of a run was handed to the producer and when it was due, int64[n] nanoseconds each."""

    at_ns: NDArray[np.int64]
    due_ns: NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Rate:
    """One steady rate: events per second, seconds, and the first block of the payments to send."""

    events_per_second: int
    seconds: float
    first_block: int = 0

    @property
    def count(self) -> int:
        """Events to send."""
        return int(self.events_per_second * self.seconds)

    @property
    def blocks(self) -> int:
        """Blocks of payments that they take up."""
        return -(-self.count // BLOCK_EVENTS)

    @property
    def warms_up(self) -> bool:
        """Whether it is the one that comes before all others, and is not counted."""
        return self.first_block == 0


def after_warm_up(rates: Sequence[int], *, seconds: float, warm_up_seconds: float) -> Iterator[Rate]:
    """The highest rate to warm up with, then each of the rates, each with payments of its own."""
    first_block = 0
    for events_per_second, held_s in ((max(rates), warm_up_seconds), *((each, seconds) for each in rates)):
        rate = Rate(events_per_second=events_per_second, seconds=held_s, first_block=first_block)
        yield rate
        first_block += rate.blocks


def wait_until_scoring(pipeline: Pipeline, broker: Broker, producer: Producer) -> None:
    """Sends one event at a time until one is scored, so that joining the group is no part of the latency.

    Raises:
        BenchmarkFailed: none was scored in time.
    """
    deadline = time.monotonic() + PROBE_WITHIN_S
    number = 0
    while broker.count(pipeline.output) == 0:
        if time.monotonic() > deadline:
            raise pipeline.failed(f"no event was scored within {PROBE_WITHIN_S:.0f} s")
        value = b'{"event_id":"probe-%d","occurred_at_ms":%d,"account_id":"probe","amount":1.0}' % (
            number,
            number,
        )
        producer.produce(EVENT.topic, value, b"probe")
        producer.flush(10)
        number += 1
        time.sleep(0.5)


def make_producer(settings: Settings) -> Producer:
    """A producer as a user's would be, with Java's partitioner."""
    return Producer(
        {
            "bootstrap.servers": settings.kafka_bootstrap,
            "partitioner": "murmur2_random",
            "linger.ms": PRODUCER_LINGER_MS,
        }
    )


def measure_latency(
    settings: Settings, pipeline: Pipeline, producer: Producer, payments: Payments, rate: Rate, *,
    partitions: int, settle_seconds: float,
) -> Latency:  # fmt: skip
    """Sends at the rate, while another process reads the scores.

    Raises:
        BenchmarkFailed: the reader did not start or did not come to its end.
    """
    frames = list(payments.frames(rate.count, first_block=rate.first_block))
    values = [value for frame in frames for value in encode(frame)]
    keys = [key.encode() for frame in frames for key in frame[EVENT.key].to_list()]
    first = rate.first_block * BLOCK_EVENTS
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "arrived.npy"
        arguments = [
            settings.kafka_bootstrap,
            pipeline.output,
            str(partitions),
            str(first),
            str(rate.count),
            str(file),
        ]
        with subprocess.Popen(
            [sys.executable, "-m", "benchmarks.score_reader", *arguments], cwd=ROOT, stdout=subprocess.PIPE
        ) as reader:
            try:
                assert reader.stdout is not None
                if not reader.stdout.readline():
                    raise pipeline.failed("the reader of its scores did not start")
                sent = send(producer, keys, values, rate.events_per_second)
                reader.wait(READ_WITHIN_S)
            except subprocess.TimeoutExpired:
                raise pipeline.failed(
                    f"its scores were not read {READ_WITHIN_S:.0f} s after the last event"
                ) from None
            finally:
                reader.kill()
        arrived = np.load(file)
    return summarise(sent, arrived[:, 0] - first, arrived[:, 1], rate, settle_seconds)


def send(producer: Producer, keys: list[bytes], values: list[bytes], events_per_second: int) -> Sent:
    """Sends the events when they are due; event n is due n / rate seconds after the beginning."""
    at_ns = np.zeros(len(values), np.int64)
    began = time.monotonic_ns()
    due_ns = began + (np.arange(len(values)) * (1e9 / events_per_second)).astype(np.int64)
    number = 0
    while number < len(values):
        due = min(len(values), int((time.monotonic_ns() - began) * events_per_second / 1e9) + 1)
        while number < due:
            at_ns[number] = time.monotonic_ns()
            producer.produce(EVENT.topic, values[number], keys[number])
            number += 1
        producer.poll(0)
        time.sleep(SLICE_S)
    producer.flush(30)
    return Sent(at_ns, due_ns)


def summarise(
    sent: Sent, number: NDArray[np.int64], arrived_ns: NDArray[np.int64], rate: Rate, settle_seconds: float
) -> Latency:
    """The percentiles over the events sent after the settling time.

    Args:
        number: int64[m], which events have a score; arrived_ns: int64[m], when it was there.
    """
    took_ms = (arrived_ns - sent.at_ns[number]) / 1e6
    counted = took_ms[sent.due_ns[number] >= sent.due_ns[0] + settle_seconds * 1e9]
    p50, p90, p99 = np.percentile(counted, (50, 90, 99)).tolist() if len(counted) else (float("nan"),) * 3
    span_s = (sent.at_ns[-1] - sent.at_ns[0]) / 1e9
    return Latency(
        rate=rate.events_per_second,
        sent_rate=(len(sent.at_ns) - 1) / span_s if span_s else 0.0,
        events=len(counted),
        missing=len(sent.at_ns) - len(number),
        p50_ms=p50,
        p90_ms=p90,
        p99_ms=p99,
        maximum_ms=float(counted.max()) if len(counted) else float("nan"),
        producer_p99_ms=float(np.percentile((sent.at_ns - sent.due_ns) / 1e6, 99)),
    )
