"""What scores what from which offset: the compacted topic `activations`, read whole at start and followed after."""

import asyncio
import contextlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec
import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaConnectionError, KafkaError

from schemas.activation import Activation, Desired, PassingOn, Resume
from schemas.topics import ACTIVATIONS
from scoring.store.contract import Partition
from stream.kafka import client_arguments
from stream.settings import Settings
from stream.worker.clients import let_go

_activation = msgspec.json.Decoder(Activation).decode
_desired = msgspec.json.Decoder(Desired).decode
_encode = msgspec.json.Encoder().encode
_PARTITION = TopicPartition(ACTIVATIONS, 0)
CAUGHT_UP_WITHIN_S = 15.0
FETCH_WAIT_MS = 100
"""How long the broker holds a fetch without news; whoever asks where the log ends waits as long, in a take-over too."""
log = structlog.get_logger("riskstream.worker")


@dataclass(eq=False)
class ActivationLog:
    """The activations of one namespace.

    Attributes:
        activations: per scorer and partition, ascending by offset.
        desired: what an operator wants in force per scorer.
        resumed: when each partition was last resumed.
        passed_on: to each internal topic, from which offset of each partition on.
    """

    settings: Settings
    activations: dict[tuple[str, Partition], list[Activation]] = field(default_factory=dict)
    desired: dict[str, Desired] = field(default_factory=dict)
    resumed: dict[Partition, int] = field(default_factory=dict)
    passed_on: dict[tuple[str, Partition], int] = field(default_factory=dict)
    _following: asyncio.Task[None] | None = None
    _consumer: AIOKafkaConsumer | None = None

    async def open(self) -> None:
        """Reads the topic to its end and follows it from then on.

        Raises:
            aiokafka.errors.KafkaError: the broker or the topic cannot be reached.
        """
        consumer = AIOKafkaConsumer(
            **client_arguments(self.settings), enable_auto_commit=False, isolation_level="read_committed",
            auto_offset_reset="earliest", fetch_max_wait_ms=FETCH_WAIT_MS,
        )  # fmt: skip
        try:
            await consumer.start()
            # asked before anything is fetched: a broker answers one question of a connection after another
            end = (await consumer.end_offsets([_PARTITION]))[_PARTITION]
            consumer.assign([_PARTITION])
            await consumer.seek_to_beginning(_PARTITION)
            while await consumer.position(_PARTITION) < end:
                for records in (await consumer.getmany(timeout_ms=500)).values():
                    self._take(records)
        except BaseException:
            await let_go(consumer)
            raise
        self._consumer = consumer
        self._following = asyncio.create_task(self._follow(consumer))

    async def ask(self, partitions: Iterable[Partition] = ()) -> int:
        """Where the topic ends now, asked of its broker; and those who lead the partitions named are asked as well.

        Raises:
            aiokafka.errors.KafkaError: no answer.
        """
        if self._consumer is None:
            raise KafkaConnectionError("the activations are not open")
        others = [TopicPartition(partition.topic, partition.index) for partition in partitions]
        end: int = (await self._consumer.end_offsets([_PARTITION, *others]))[_PARTITION]
        return end

    async def catch_up(self) -> None:
        """Returns when everything written up to now is known here.

        Raises:
            TimeoutError, aiokafka.errors.KafkaError: the broker does not answer.
        """
        async with asyncio.timeout(CAUGHT_UP_WITHIN_S):
            end = await self.ask()
            # the position is aiokafka's, which has no event for it
            while self._consumer is not None and await self._consumer.position(_PARTITION) < end:  # noqa: ASYNC110
                await asyncio.sleep(0.02)

    async def close(self) -> None:
        """Stops following."""
        if self._following is not None:
            self._following.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._following
        if self._consumer is not None:
            await let_go(self._consumer)

    async def write(self, producer: AIOKafkaProducer, activation: Activation) -> None:
        """Writes an activation and waits until it is durable; only then may it be used."""
        parts = (activation.scorer, activation.topic, activation.partition, activation.from_offset)
        key = "|".join(map(str, (self.settings.namespace, "activation", *parts)))
        await producer.send_and_wait(ACTIVATIONS, key=key.encode(), value=_encode(activation), partition=0)
        self._add(activation)

    async def write_passing_on(self, producer: AIOKafkaProducer, passing: PassingOn) -> None:
        """Writes from where a partition is passed on, and waits until it is durable; only then may it be done."""
        parts = (passing.to, passing.topic, passing.partition)
        key = "|".join(map(str, (self.settings.namespace, "passing-on", *parts)))
        await producer.send_and_wait(ACTIVATIONS, key=key.encode(), value=_encode(passing), partition=0)
        self.passed_on[passing.to, Partition(passing.topic, passing.partition)] = passing.from_offset

    def of(self, scorer: str, partition: Partition) -> list[Activation]:
        """The activations of a scorer on a partition, ascending by offset."""
        return self.activations.get((scorer, partition), [])

    async def _follow(self, consumer: AIOKafkaConsumer) -> None:
        while True:
            try:
                for records in (await consumer.getmany(timeout_ms=1_000)).values():
                    self._take(records)
            except KafkaError as error:
                log.warning(
                    "cannot follow the activations, trying again", error=f"{type(error).__name__}: {error}"
                )
                await asyncio.sleep(1)

    def _take(self, records: list[Any]) -> None:
        for record in records:
            try:
                self._take_one(record)
            except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
                log.error(
                    "passed over a record of the activations that is none", offset=record.offset,
                    error=f"{type(error).__name__}: {error}",
                )  # fmt: skip

    def _take_one(self, record: Any) -> None:
        namespace, kind, *_ = (record.key or b"||").decode().split("|")
        if namespace != self.settings.namespace or record.value is None:
            return
        if kind == "activation":
            self._add(_activation(record.value))
        elif kind == "desired":
            wanted = _desired(record.value)
            self.desired[wanted.scorer] = wanted
        elif kind == "resume":
            resume = msgspec.json.decode(record.value, type=Resume)
            self.resumed[Partition(resume.topic, resume.partition)] = resume.asked_at_ms
        elif kind == "passing-on":
            passing = msgspec.json.decode(record.value, type=PassingOn)
            where = passing.to, Partition(passing.topic, passing.partition)
            self.passed_on[where] = min(passing.from_offset, self.passed_on.get(where, passing.from_offset))

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
