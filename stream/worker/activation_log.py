"""What scores what from which offset: the compacted topic `activations`, read whole at start and followed after."""

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from schemas.activation import Activation, Desired
from schemas.topics import ACTIVATIONS
from scoring.store.contract import Partition
from stream.kafka import client_arguments
from stream.settings import Settings

_activation = msgspec.json.Decoder(Activation).decode
_desired = msgspec.json.Decoder(Desired).decode
_encode = msgspec.json.Encoder().encode


class Resume(msgspec.Struct, frozen=True):
    """An operator's yes to go on with a paused partition, up to an offset they have looked at."""

    topic: str
    partition: int
    asked_at_ms: int


@dataclass(eq=False)
class ActivationLog:
    """The activations of one namespace.

    Attributes:
        activations: per scorer and partition, ascending by offset.
        desired: what an operator wants in force per scorer.
        resumed: when each partition was last resumed.
    """

    settings: Settings
    activations: dict[tuple[str, Partition], list[Activation]] = field(default_factory=dict)
    desired: dict[str, Desired] = field(default_factory=dict)
    resumed: dict[Partition, int] = field(default_factory=dict)
    _following: asyncio.Task[None] | None = None
    _consumer: AIOKafkaConsumer | None = None

    async def open(self) -> None:
        """Reads the topic to its end and follows it from then on.

        Raises:
            aiokafka.errors.KafkaError: the broker or the topic cannot be reached.
        """
        consumer = AIOKafkaConsumer(
            **client_arguments(self.settings), enable_auto_commit=False, isolation_level="read_committed"
        )
        await consumer.start()
        self._consumer = consumer
        partition = TopicPartition(ACTIVATIONS, 0)
        consumer.assign([partition])
        await consumer.seek_to_beginning(partition)
        end = (await consumer.end_offsets([partition]))[partition]
        while await consumer.position(partition) < end:
            for records in (await consumer.getmany(timeout_ms=500)).values():
                self._take(records)
        self._following = asyncio.create_task(self._follow(consumer))

    async def close(self) -> None:
        """Stops following."""
        if self._following is not None:
            self._following.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._following
        if self._consumer is not None:
            await self._consumer.stop()

    async def write(self, producer: AIOKafkaProducer, activation: Activation) -> None:
        """Writes an activation and waits until it is durable; only then may it be used."""
        key = f"{self.settings.namespace}|activation|{activation.scorer}|{activation.topic}|{activation.partition}|{activation.from_offset}"
        await producer.send_and_wait(ACTIVATIONS, key=key.encode(), value=_encode(activation), partition=0)
        self._add(activation)

    def of(self, scorer: str, partition: Partition) -> list[Activation]:
        """The activations of a scorer on a partition, ascending by offset."""
        return self.activations.get((scorer, partition), [])

    async def _follow(self, consumer: AIOKafkaConsumer) -> None:
        while True:
            for records in (await consumer.getmany(timeout_ms=1_000)).values():
                self._take(records)

    def _take(self, records: list[Any]) -> None:
        for record in records:
            namespace, kind, *_ = (record.key or b"||").decode().split("|")
            if namespace != self.settings.namespace or record.value is None:
                continue
            if kind == "activation":
                self._add(_activation(record.value))
            elif kind == "desired":
                wanted = _desired(record.value)
                self.desired[wanted.scorer] = wanted
            elif kind == "resume":
                resume = msgspec.json.decode(record.value, type=Resume)
                self.resumed[Partition(resume.topic, resume.partition)] = resume.asked_at_ms

    def _add(self, activation: Activation) -> None:
        known = self.activations.setdefault(
            (activation.scorer, Partition(activation.topic, activation.partition)), []
        )
        known[:] = [entry for entry in known if entry.from_offset != activation.from_offset]
        known.append(activation)
        known.sort(key=lambda entry: entry.from_offset)


def desired_record(settings: Settings, desired: Desired) -> tuple[bytes, bytes]:
    """Key and value that ask the workers to use a bundle."""
    return f"{settings.namespace}|desired|{desired.scorer}".encode(), _encode(desired)


def resume_record(settings: Settings, resume: Resume) -> tuple[bytes, bytes]:
    """Key and value that ask the worker of a partition to go on."""
    return f"{settings.namespace}|resume|{resume.topic}|{resume.partition}".encode(), _encode(resume)
