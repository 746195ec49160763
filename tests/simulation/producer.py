"""A producer of the simulation: writes real batches into the world's logs, and fails as a broker does."""

import asyncio
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.memory_records import MemoryRecords

from tests.simulation.world import Life, Record


@dataclass
class Appended:
    """What the broker says of a batch."""

    offset: int


class SimulatedProducer:
    """Takes batches, writes them in the order of each partition, acknowledges them later or never."""

    def __init__(self, life: Life) -> None:
        self._life, self._world = life, life.world
        self._waiting: dict[TopicPartition, list[tuple[list[Any], asyncio.Future[Any]]]] = defaultdict(list)
        self._broken: set[TopicPartition] = set()
        life.at_death.append(self._end)

    async def start(self) -> None:
        """Connects."""
        await self._life.gate()

    async def stop(self) -> None:
        """Writes what is waiting."""
        self._end()

    def _end(self) -> None:
        for target in list(self._waiting):
            while self._waiting[target]:
                self._deliver(target)

    async def partitions_for(self, topic: str) -> set[int]:
        """Numbers of a topic's partitions."""
        await self._life.gate()
        return set(range(self._world.partitions))

    def create_batch(self) -> BatchBuilder:
        """For single records."""
        return BatchBuilder(1_000_000, 0)

    async def send_batch(self, batch: BatchBuilder, topic: str, *, partition: int) -> "asyncio.Future[Any]":
        """Hands a batch over."""
        await self._life.gate()
        records = [record for each in _batches(batch) for record in each]
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        future.add_done_callback(lambda done: done.cancelled() or done.exception())
        target = TopicPartition(topic, partition)
        self._waiting[target].append((records, future))
        asyncio.get_running_loop().call_later(self._world.chance.choice((0, 0.002, 0.05)), self._deliver, target)
        return future

    async def send_and_wait(
        self, topic: str, value: bytes | None = None, key: bytes | None = None, partition: int = 0
    ) -> None:
        """One record, durable on return."""
        await self._life.gate()
        self._world.append(TopicPartition(topic, partition), [Record(0, key, value)])
        await self._life.gate()

    def _deliver(self, target: TopicPartition) -> None:
        """The oldest waiting batch of a partition arrives, unless its process died with it."""
        if not self._waiting[target]:
            return
        records, future = self._waiting[target].pop(0)
        lost = target in self._broken or (self._life.dead and self._world.chance.random() < 0.5)
        if lost or self._world.happens("error"):
            self._broken.add(target)  # what follows would be out of sequence, which the broker refuses
            _settle(future, KafkaConnectionError("simulated: not written"))
            return
        offset = self._world.append(target, records)
        if self._world.happens("lost_ack"):
            self._broken.add(target)
            _settle(future, KafkaConnectionError("simulated: written, and nobody said so"))
        else:
            _settle(future, Appended(offset))


def _settle(future: "asyncio.Future[Any]", outcome: Any) -> None:
    if future.done():
        return
    if isinstance(outcome, Exception):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)


def _batches(batch: BatchBuilder) -> list[Any]:
    batch.close()
    records = MemoryRecords(bytes(batch._build()))
    found = []
    while (each := records.next_batch()) is not None:
        found.append(list(each))
    return found
