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
