"""A worker of the simulation: the real pipeline, keeper, leasing, core and wire, over a simulated broker and store."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence

from aiokafka import AIOKafkaProducer, TopicPartition
from faust.types import TP

from scoring.partition import PartitionState
from scoring.record_run import InputRecord
from scoring.scorer import Scorer
from scoring.store.contract import Partition
from scoring.wire.packed import pack
from stream.bundle_library import BundleLibrary
from stream.inputs import make_decoders
from stream.settings import Settings
from stream.worker.activation_log import ActivationLog
from stream.worker.clients import Producers
from stream.worker.keeper import FATAL, Keeper
from stream.worker.leasing import Leasing
from stream.worker.log_range import LogRange
from stream.worker.metrics import Metrics
from stream.worker.pipeline import Pipeline
from stream.worker.run import event_readers
from stream.worker.runs import read_events
from stream.worker.scan import Findings
from stream.worker.watchdog import Watchdog
from tests.simulation.producer import SimulatedProducer
from tests.simulation.world import Life, SimulatedStore, World
from tests.support.record_runs import run_of_batch

ACTIVATIONS = TopicPartition("activations", 0)
MOST_RECORDS = 12
IN_RUNS = 0.7
"""Polls that come in runs, whose partitions are read, folded and written together; the others come record by record."""
METRICS = Metrics()


class SimulatedLog(ActivationLog):
    """The activations in the world's log."""

    world: World
    taken = 0

    async def open(self) -> None:
        await self.catch_up()

    async def ask(self, partitions: Iterable[Partition] = ()) -> int:
        return len(self.world.logs[ACTIVATIONS])

    async def catch_up(self) -> None:
        new = self.world.logs[ACTIVATIONS][self.taken :]
        self.taken += len(new)
        self._take(new)

    async def close(self) -> None:
        """Nothing is open."""


class SimulatedLeasing(Leasing):
    """Leasing without clients of Kafka."""

    life: Life

    async def open(self) -> None:
        await self.store.open()
        await self.log.open()

    async def _ranges(self, partitions: Sequence[Partition]) -> dict[Partition, LogRange]:
        await self.life.gate()
        logs = self.life.world.logs
        return {each: LogRange(0, len(logs[TopicPartition(each.topic, each.index)])) for each in partitions}


async def simulated_scan(
    life: Life, states: Sequence[PartitionState], second_pass: Mapping[str, str]
) -> None:
    """What `scan` does, on the world's logs."""
    findings = Findings(states, second_pass)
    for target, start in findings.targets().items():
        await life.gate()
        headers = [dict(record.headers) for record in life.world.logs[target][start:]]
        identities, sources = (
            pack([known.get(name, b"") for known in headers]) for name in ("ce_id", "ce_source")
        )
        findings.note(target, identities, sources)
    findings.note_ends({target: len(life.world.logs[target]) for target in findings.internal()})


class SimulatedConsumer:
    """Gives records from positions that only a seek changes, as the worker's Faust consumer does."""

    def __init__(self, life: Life, assigned: Iterable[TP]) -> None:
        self._life, self.assigned = life, set(assigned)
        self._held = asyncio.Event()
        self._positions: dict[TP, int] = {}
        self._paused: set[TP] = set()

    def assignment(self) -> set[TP]:
        return set(self.assigned)

    def hold(self) -> None:
        self._held.clear()

    def proceed(self) -> None:
        self._held.set()

    async def quiet(self) -> None:
        await self._life.gate()

    async def seek_wait(self, offsets: Mapping[TP, int]) -> None:
        await self._life.gate()
        self._positions = dict(offsets)

    def pause_partitions(self, which: set[TP]) -> None:
        self._paused |= which

    def resume_partitions(self, which: set[TP]) -> None:
        self._paused -= which

    def mark_done(self, offsets: Mapping[TP, int]) -> None:
        """Only lag tools read it."""

    def highwater(self, tp: TP) -> int | None:
        return None

    async def feed(self, keeper: Keeper, pipeline: Pipeline) -> None:
        """Polls, and hands each to the pipeline."""
        world = self._life.world
        while True:
            await self._held.wait()
            generation = keeper.generation
            poll: dict[TP, Sequence[InputRecord]] = {}
            readers = event_readers(keeper.leasing.decoders)
            in_runs = world.chance.random() < IN_RUNS
            for tp, position in self._positions.items():
                log = world.logs[TopicPartition(tp.topic, tp.partition)]
                found = log[position : position + world.chance.randrange(1, MOST_RECORDS)]
                if tp in self.assigned and tp not in self._paused and found:
                    poll[tp] = run_of_batch(found) if in_runs and tp.topic in readers else found
                    self._positions[tp] = found[-1].offset + 1
            read_events(poll, readers)
            await self._life.gate()
            if not poll:
                await asyncio.sleep(0.1)
            elif self._held.is_set() and generation == keeper.generation:
                await asyncio.shield(pipeline.handle(generation, poll))


class SimulatedWorker:
    """One process; `life` tells whether it runs."""

    def __init__(
        self,
        life: Life,
        settings: Settings,
        scorers: Mapping[str, Scorer],
        library: BundleLibrary,
        assigned: Iterable[TP],
    ) -> None:
        self.life = life
        log = SimulatedLog(settings)
        log.world = life.world
        leasing = SimulatedLeasing(
            settings, SimulatedStore(life), scorers, library, log, make_decoders(settings, scorers)
        )
        leasing.life = life
        self.fatal: BaseException | None = None
        self.keeper = Keeper(settings=settings, leasing=leasing, metrics=METRICS, on_fatal=self._end)

        def produce() -> AIOKafkaProducer:
            return SimulatedProducer(life)

        self.keeper.producers = Producers(produce)
        self.keeper.consumer = SimulatedConsumer(life, assigned)
        self.pipeline = Pipeline(settings, self.keeper, METRICS, Watchdog(30.0))

    def _end(self) -> None:
        """The process ends: for good for some reasons, else whoever watches it starts it again."""
        if isinstance(self.keeper.fatal, FATAL):
            self.fatal = self.keeper.fatal
        self.life.die()

    def assign(self, assigned: Iterable[TP]) -> None:
        """Kafka gives it other partitions."""
        self.keeper.consumer.assigned = set(assigned)
        self.keeper.rebalanced()

    async def run(self) -> None:
        """Until it dies."""
        await self.keeper.open()
        self.keeper.rebalanced()
        await self.keeper.consumer.feed(self.keeper, self.pipeline)

    def close(self) -> None:
        """Lets go of its thread pool."""
        self.pipeline.poller.close()
