"""riskstream's scoring core on bare confluent-kafka: records taken and produced one by one, as that client has it.

The ceiling for this client. The broker's part of the work is done by librdkafka's own threads; each record passes Python
twice. Run by the benchmark, with the worker's own variables and the number of partitions.
"""

import asyncio
import os
import threading
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, NamedTuple

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

from benchmarks.competitors.bare_core import Covered, open_core
from benchmarks.competitors.obvious_scoring import LINGER_MS
from schemas.events.transaction import EVENT
from scoring.partition import PartitionState
from scoring.prepared import Written
from stream.settings import Settings, load
from stream.worker.outputs import output_name

FETCH_FOR_S = 0.005
"""`consume` waits that long for a full poll, whatever there is: longer is latency, shorter is idle turns."""

SERVED_EVERY_S = 0.05
PRODUCED_TOGETHER = 500


class Taken(NamedTuple):
    """A consumed record with the attributes that the core reads; payments carry no headers."""

    offset: int
    timestamp: int
    timestamp_type: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()


class Deliveries:
    """Waits for the acknowledgements of one poll's records.

    Args:
        count: how many there will be.
    """

    def __init__(self, count: int) -> None:
        self._left = count
        self._covered: dict[str, int] = {}
        self._loop = asyncio.get_running_loop()
        self._done: asyncio.Future[Covered] = self._loop.create_future()
        if not count:
            self._done.set_result({})

    def __call__(self, error: Any, message: Any) -> None:
        """Takes one in, on the thread that serves the producer."""
        if error is not None:
            self._loop.call_soon_threadsafe(self._fail, KafkaException(error))
            return
        name = output_name(message.topic(), message.partition())
        self._covered[name] = max(self._covered.get(name, 0), message.offset() + 1)
        self._left -= 1
        if not self._left:
            self._loop.call_soon_threadsafe(self._done.set_result, self._covered)

    def _fail(self, error: KafkaException) -> None:
        if not self._done.done():
            self._done.set_exception(error)

    async def all(self) -> Covered:
        """What is covered, once all are acknowledged.

        Raises:
            KafkaException: one was not.
        """
        return await self._done


def make_consumer(settings: Settings, starts: Mapping[int, int]) -> Consumer:
    """A consumer that stands at these offsets by partition."""
    consumer = Consumer(
        {
            "bootstrap.servers": settings.kafka_bootstrap,
            "group.id": settings.namespace,
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
        }
    )
    consumer.assign([TopicPartition(EVENT.topic, number, start) for number, start in starts.items()])
    return consumer


def make_producer(settings: Settings) -> Producer:
    """An idempotent producer that waits for all replicas, served by a thread of its own."""
    producer = Producer(
        {
            "bootstrap.servers": settings.kafka_bootstrap,
            "acks": "all",
            "enable.idempotence": True,
            "linger.ms": LINGER_MS,
            "compression.type": settings.compression,
        }
    )

    def serve() -> None:
        while True:
            producer.poll(SERVED_EVERY_S)

    threading.Thread(target=serve, name="deliveries", daemon=True).start()
    return producer


def take(consumer: Consumer, most: int) -> dict[int, list[Taken]]:
    """The next records by partition, at most so many.

    Raises:
        KafkaException: reading failed.
    """
    found: dict[int, list[Taken]] = {}
    messages: list[Any] = consumer.consume(most, FETCH_FOR_S)
    for message in messages:
        error = message.error()
        if error is not None:
            raise KafkaException(error)
        kind, at_ms = message.timestamp()
        # this client counts the kinds of time from "not available" on
        taken = Taken(message.offset(), at_ms, kind - 1, message.key(), message.value())
        found.setdefault(message.partition(), []).append(taken)
    return found


async def main(settings: Settings, partition_count: int) -> None:
    """Scores until something fails."""
    core = await open_core(settings, partition_count)
    starts = {number: state.next_offset for number, state in core.states.items()}
    consumer, producer = make_consumer(settings, starts), make_producer(settings)

    async def fetch() -> Mapping[int, Sequence[Any]]:
        return await asyncio.to_thread(take, consumer, settings.poll_records)

    async def hand_over(outputs: Mapping[PartitionState, Written]) -> Awaitable[Covered]:
        records: list[tuple[int, Any]] = [
            (state.partition.index, output)
            for state, written in outputs.items()
            for output in written.outputs()
        ]
        deliveries = Deliveries(len(records))
        for number, (partition, output) in enumerate(records):
            if not number % PRODUCED_TOGETHER:
                await asyncio.sleep(0)  # what Redis has answered is taken in
            producer.produce(
                output.topic,
                output.value,
                output.key,
                partition,
                on_delivery=deliveries,
                headers=output.headers,
            )
        return deliveries.all()

    await core.run(fetch, hand_over)


if __name__ == "__main__":
    asyncio.run(main(load(), int(os.environ["BENCH_PARTITIONS"])))
