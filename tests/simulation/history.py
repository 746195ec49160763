"""One history: workers live and die over a log, then everything mends, and the books are looked at."""

import asyncio
import contextvars
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import msgspec
import structlog
from aiokafka import TopicPartition
from faust.types import TP

from scoring.murmur2 import partition_of
from scoring.scorer import Scorer
from scoring.store.contract import Partition
from stream.bundle_library import BundleLibrary
from stream.inputs import input_topics
from stream.settings import Settings
from stream.verify.findings import Findings
from stream.verify.run import _Job
from tests.simulation.loop import VirtualLoop
from tests.simulation.worker import SimulatedLog, SimulatedWorker, simulated_scan
from tests.simulation.world import Life, LogView, Odds, Record, SimulatedStore, World
from tests.support.event_feed import PAYMENTS, payments

PARTITIONS = 2
MENDS_WITHIN_S = 3_000.0
LOOKS_EVERY_S = 0.25
REBALANCE_S = 20.0
_living: contextvars.ContextVar[Life | None] = contextvars.ContextVar("living", default=None)


@dataclass(frozen=True)
class Stage:
    """What all histories share; bundles are loaded once."""

    settings: Settings
    scorers: Mapping[str, Scorer]
    library: BundleLibrary


@dataclass
class History:
    """What one history came to."""

    seed: int
    faults: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    answers: int = 0


def play(stage: Stage, seed: int, odds: Odds, *, events: int = 40, workers: int = 2) -> History:
    """One history from its seed; `wrong` says which promises did not hold."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    loop = VirtualLoop()
    try:
        loop.set_task_factory(_belonging)
        return loop.run_until_complete(_play(stage, seed, odds, events, workers))
    finally:
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.wait(left))
        loop.close()
        structlog.reset_defaults()


def _belonging(loop: asyncio.AbstractEventLoop, coroutine: Any, **named: Any) -> "asyncio.Task[Any]":
    """A task belongs to the process that started it, and dies with it."""
    task = asyncio.Task(coroutine, loop=loop, **named)
    life = _living.get()
    if life is not None:
        life.tasks.add(task)
        task.add_done_callback(life.tasks.discard)
    return task


async def _play(stage: Stage, seed: int, odds: Odds, events: int, workers: int) -> History:
    chance = random.Random(seed)
    world = World(chance, odds, PARTITIONS)
    history = History(seed)
    group = Group(world, stage, workers)
    with group.scanning():
        feeding = asyncio.create_task(_feed(world, seed, events))
        await group.run_until(lambda: feeding.done() and chance.random() < 0.2)
        world.quiet = True
        group.thaw()
        mended = await group.run_until(lambda: _is_level(world, stage), within_s=MENDS_WITHIN_S)
        group.close()
    history.faults = dict(world.faults)
    history.wrong += group.fatal
    if not mended:
        history.wrong.append("it did not come level again")
    else:
        findings = await _verified(world, stage)
        history.wrong += [f"{kind}: {findings.examples[kind][0]}" for kind in findings.broken] + findings.notes
        if findings.duplicates_identical and not world.zombies:
            history.wrong.append(f"duplicates without a zombie: {findings.examples['duplicates_identical'][0]}")
        history.answers = findings.inputs
    return history


class Group:
    """The workers that live, each with its share of the partitions; who dies or is frozen is replaced."""

    def __init__(self, world: World, stage: Stage, most: int) -> None:
        self._world, self._stage, self._most = world, stage, most
        self._members: list[SimulatedWorker] = []
        self._frozen: list[SimulatedWorker] = []
        self._all: list[SimulatedWorker] = []
        self.fatal: list[str] = []
        self._partitions = [
            TP(topic, index) for topic in input_topics(stage.scorers) for index in range(PARTITIONS)
        ]

    @contextmanager
    def scanning(self) -> Iterator[None]:
        """`scan` reads the world\'s logs, by the gates of whoever asks."""

        async def scan(_: Settings, states: Any, second_pass: Mapping[str, str]) -> None:
            life = _living.get()
            assert life is not None
            await simulated_scan(life, states, second_pass)

        with mock.patch("stream.worker.leasing.scan", scan):
            yield

    async def run_until(self, over: Any, within_s: float = 60.0) -> bool:
        """Whether it was over in time; meanwhile members come and go."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within_s
        while loop.time() < deadline:
            await self._look()
            if over():
                return True
            await asyncio.sleep(LOOKS_EVERY_S * self._world.chance.random())
        return False

    def thaw(self) -> None:
        """Everybody who was stopped goes on."""
        for worker in [*self._frozen, *self._members]:
            worker.life.thawed.set()

    def close(self) -> None:
        """Ends them all."""
        for worker in self._all:
            worker.life.die()
            worker.close()

    async def _look(self) -> None:
        before = list(self._members)
        for worker in before:
            if worker.fatal is not None:
                self.fatal.append(f"a worker had to end: {worker.fatal}")
            if worker.life.dead:
                self._members.remove(worker)
            elif not worker.life.thawed.is_set():  # its session runs out
                self._members.remove(worker)
                self._frozen.append(worker)
        if self._frozen and self._world.chance.random() < 0.2:
            # a zombie wakes; it is told of its loss only later, if ever
            self._frozen.pop(0).life.thawed.set()
        wanted = self._most if self._world.quiet else self._world.chance.randrange(1, self._most + 1)
        while len(self._members) < max(1, min(wanted, self._most)):
            self._members.append(self._new())
        if before != self._members or self._world.happens("rebalance"):
            await self._rebalance()

    async def _rebalance(self) -> None:
        """Eager, as with Faust: all let go before anybody gets anything; who is stopped is not waited for for ever."""
        releases = [self._started(worker, worker.keeper.release()) for worker in self._members]
        if releases:
            await asyncio.wait(releases, timeout=REBALANCE_S)
        for number, worker in enumerate(self._members):
            worker.assign(self._partitions[number :: len(self._members)])

    def _started(self, worker: SimulatedWorker, coroutine: Any) -> "asyncio.Task[Any]":
        """A task that belongs to the worker."""
        token = _living.set(worker.life)
        try:
            return asyncio.get_running_loop().create_task(coroutine)
        finally:
            _living.reset(token)

    def _new(self) -> SimulatedWorker:
        life = Life(self._world, f"w{len(self._all)}")
        worker = SimulatedWorker(life, self._stage.settings, self._stage.scorers, self._stage.library, ())
        self._all.append(worker)
        self._started(worker, _quietly(worker))
        return worker


async def _quietly(worker: SimulatedWorker) -> None:
    try:
        await worker.run()
    except asyncio.CancelledError:
        return


async def _feed(world: World, seed: int, events: int) -> None:
    """Payments of few accounts at few merchants, some twice, some broken, a few at a time."""
    chance = random.Random(seed)
    for number, (topic, event) in enumerate(payments(events, seed=seed, accounts=6)):
        event["merchant_id"] = f"m{chance.randrange(3)}" if chance.random() < 0.9 else None
        key = event["account_id"].encode()
        value = b"{" if chance.random() < 0.03 else msgspec.json.encode(event)
        target = TopicPartition(topic, partition_of(key, PARTITIONS))
        for _ in range(2 if chance.random() < 0.05 else 1):
            world.append(target, [Record(0, key, value)])
        if number % 5 == 0:
            await asyncio.sleep(chance.random())


def _is_level(world: World, stage: Stage) -> bool:
    for topic in input_topics(stage.scorers):
        for index in range(PARTITIONS):
            end = len(world.logs[TopicPartition(topic, index)])
            held = world.memory.get(Partition(topic, index))
            if end and (held is None or min(held.record.offsets.values(), default=0) < end):
                return False
    return bool(world.logs[TopicPartition(PAYMENTS, 0)])


async def _verified(world: World, stage: Stage) -> Findings:
    """What `riskstream verify` finds in these logs and this store."""
    log = SimulatedLog(stage.settings)
    log.world = world
    await log.open()
    findings = Findings()
    store: Any = SimulatedStore(Life(world, "verify"))
    reader: Any = LogView(world.logs, PARTITIONS)
    job = _Job(stage.settings, stage.scorers, log, store, reader, findings, 0.0, lambda *_: None)
    job._library = stage.library
    for topic in input_topics(stage.scorers):
        for index in range(PARTITIONS):
            await job.look_at(Partition(topic, index))
    return findings
