"""Broker, store and chance of one history; and the gates, at which anything may happen to a worker."""

import asyncio
import copy
import random
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.memory_records import MemoryRecords

from scoring.store.contract import Lease, Partition, Step, StoreUnavailable
from scoring.store.keys import hash_tag
from scoring.store.memory import Held, MemoryStore

NOW_MS = 4_000_000_000_000
LOG_APPEND_TIME = 1
NAMESPACE = "simulated"


class Record(msgspec.Struct, frozen=True):
    """A record as consumers see it; `identity` and `origin` as the verification reads them."""

    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()
    timestamp: int = NOW_MS
    timestamp_type: int = LOG_APPEND_TIME

    @property
    def identity(self) -> str:
        return dict(self.headers).get("ce_id", b"").decode()

    @property
    def origin(self) -> str:
        return dict(self.headers).get("ce_source", b"").decode()


@dataclass(frozen=True)
class Odds:
    """How likely each fault is at a gate."""

    crash: float = 0.0
    freeze: float = 0.0
    rollback: float = 0.0
    empty: float = 0.0
    error: float = 0.0
    lost_ack: float = 0.0
    rebalance: float = 0.0


@dataclass(eq=False)
class World:
    """What outlives workers.

    Attributes:
        logs: records by topic and partition.
        memory: what the store holds.
        quiet: no more faults: what is broken mends.
        zombies: whether a worker was frozen; then identical duplicates are allowed.
    """

    chance: random.Random
    odds: Odds
    partitions: int
    logs: dict[TopicPartition, list[Record]] = field(default_factory=lambda: defaultdict(list))
    memory: dict[Partition, Held] = field(default_factory=dict)
    quiet: bool = False
    zombies: bool = False
    faults: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    _saved: list[dict[Partition, Held]] = field(default_factory=list)

    def append(self, target: TopicPartition, records: Sequence[Any]) -> int:
        """Writes behind what is there; gives the first offset."""
        log = self.logs[target]
        first = len(log)
        for number, record in enumerate(records):
            log.append(Record(first + number, record.key, record.value, tuple(record.headers)))
        return first

    def happens(self, fault: str) -> bool:
        """Whether a fault happens now."""
        if self.quiet or self.chance.random() >= getattr(self.odds, fault):
            return False
        self.faults[fault] += 1
        return True

    def save(self) -> None:
        """Keeps a copy of the store, to be restored some day."""
        if len(self._saved) < 4 and self.chance.random() < 0.1:
            self._saved.append(copy.deepcopy(self.memory))

    def disturb_the_store(self) -> None:
        """Now and then it is empty, or as it was once."""
        if self.happens("empty"):
            self.memory.clear()
        elif self._saved and self.happens("rollback"):
            saved = copy.deepcopy(self.chance.choice(self._saved))
            self.memory.clear()
            self.memory.update(saved)


@dataclass(eq=False)
class Life:
    """Whether a worker's process runs, is stopped, or is gone; and its gates."""

    world: World
    name: str
    dead: bool = False
    thawed: asyncio.Event = field(default_factory=asyncio.Event)
    tasks: set["asyncio.Task[Any]"] = field(default_factory=set)
    at_death: list[Callable[[], None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.thawed.set()

    async def gate(self) -> None:
        """An await of the worker's: here it may die, be stopped for a while, or only lose its turn.

        Raises:
            CancelledError: the process is gone.
        """
        world = self.world
        if not self.dead and world.happens("crash"):
            self.die()
        elif not self.dead and self.thawed.is_set() and world.happens("freeze"):
            world.zombies = True
            self.thawed.clear()
        world.disturb_the_store()
        while not self.thawed.is_set() and not self.dead:
            await self.thawed.wait()
        if self.dead:
            raise asyncio.CancelledError
        await asyncio.sleep(world.chance.choice((0.0, 0.0, 0.001, 0.01)))
        if self.dead:
            raise asyncio.CancelledError

    def die(self) -> None:
        """The process is gone, at once; what it had sent arrives now or never."""
        self.dead = True
        for arrive in self.at_death:
            arrive()
        for task in list(self.tasks):
            task.cancel()


class SimulatedStore(MemoryStore):
    """The store in memory, behind gates; calls fail now and then, before or after they have done their work."""

    def __init__(self, life: Life) -> None:
        super().__init__(NAMESPACE, life.world.memory)
        self._life = life

    async def acquire(self, partition: Partition, *, partition_count: int) -> Lease:
        await self._before()
        lease = await super().acquire(partition, partition_count=partition_count)
        await self._after()
        return lease

    async def read(self, lease: Lease, keys: Sequence[str]) -> list[bytes | None]:
        await self._before()
        values = await super().read(lease, keys)
        await self._after()
        return values

    async def commit(self, lease: Lease, steps: Sequence[Step]) -> Lease:
        await self._before()
        done = await super().commit(lease, steps)
        self._life.world.save()
        await self._after()
        return done

    async def keys(self, partition: Partition) -> list[str]:
        """Every key of a partition, as the verification asks for them."""
        held, tag = self._partitions.get(partition), hash_tag(NAMESPACE, partition)
        return sorted(key for key in (held.values if held else ()) if tag in key)

    async def _before(self) -> None:
        await self._life.gate()
        if self._life.world.happens("error"):
            raise StoreUnavailable("simulated: it never arrived")

    async def _after(self) -> None:
        await self._life.gate()
        if self._life.world.happens("error"):
            raise StoreUnavailable("simulated: the answer was lost")


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


class LogView:
    """The logs as `riskstream verify` reads them."""

    def __init__(self, logs: Mapping[TopicPartition, Sequence[Record]], partitions: int) -> None:
        self._logs, self._partitions = logs, partitions

    def partition_count(self, topic: str) -> int:
        """Partitions of a topic."""
        return self._partitions

    def range_of(self, topic: str, partition: int) -> Any:
        """Begin and end."""
        from stream.verify.reading import Range

        return Range(0, len(self._logs.get(TopicPartition(topic, partition), ())))

    def read(self, topic: str, partition: int, within: Any) -> Any:
        """All of it."""
        yield list(self._logs.get(TopicPartition(topic, partition), ()))
