"""The demo from beginning to end: services and worker up, inputs fed, everything read back."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from aiokafka.errors import KafkaError

from scoring.catalog import BrokenDeclaration, UnknownScorer, selected
from scoring.kernel_cache import is_complete
from scoring.scorer import Scorer
from stream.demo.feeding import DueTimes, feed_history, feed_steadily
from stream.demo.inputs import DemoInputs, write_inputs
from stream.demo.ledger import Ledger
from stream.demo.reading import Reader
from stream.demo.screen import Screen
from stream.demo.state import DEMO_TITLE, DemoState
from stream.demo.summary import Extras
from stream.demo.use import Use
from stream.demo.worker_process import WorkerProcess, compile_kernels
from stream.errors import JobFailed
from stream.services.embedded import EmbeddedServices
from stream.services.ports import LOOPBACK, free_ports
from stream.settings import Settings, load
from stream.topics import ensure_topics

EVENTS_PER_SECOND = 1_000.0
PATIENCE_S = 20.0
LOOK_EVERY_S = 0.2


@dataclass(eq=False)
class Demo:
    """One demo in an empty folder.

    Args:
        folder: takes the inputs as files, the data of the services and the worker's log.
        given: settings of whoever starts it, of which the demo takes bundles and scorers.
        use: what is shown, by its own scorers; without one the demo of payments and prices.

    Raises:
        JobFailed: a scorer is not declared.
    """

    folder: Path
    given: Settings
    use: Use | None = None
    inputs: DemoInputs = field(init=False)
    ledger: Ledger = field(init=False)
    state: DemoState = field(init=False)

    def __post_init__(self) -> None:
        use = self.use
        self.inputs = write_inputs(self.folder) if use is None else use.inputs(self.folder)
        self._due = DueTimes()
        topics = [given.topic for given in self.inputs.inputs]
        scorers = _scorers(self.given, topics) if use is None else _named(use.scorers)
        self.ledger = Ledger(scorers, self.inputs.injected, self._due, keeps=use is not None)
        title = DEMO_TITLE if use is None else use.about
        self.state = DemoState(self.ledger, topics, self.inputs.rows, EVENTS_PER_SECOND, title)

    def run(self, screen: Screen) -> None:
        """Plays the demo to its end; services and worker are stopped when it returns, also by Ctrl-C.

        Raises:
            JobFailed: services or worker cannot be started, or ended early.
        """
        settings = self._settings()
        if not is_complete():
            screen.phase("compiling the feature kernels, once; about half a minute")
            compile_kernels()
        with ExitStack() as stack:
            screen.phase("starting Kafka, Redis and a worker")
            worker = WorkerProcess(settings, self.folder / "worker.log")
            stack.callback(worker.stop)
            services = EmbeddedServices(
                self.folder,
                kafka_port=_port(settings.kafka_bootstrap),
                redis_port=_port(settings.redis_url.removesuffix("/0")),
                say=screen.phase,
            )
            stack.enter_context(services)
            stack.callback(worker.stop)  # again, so that it drains before the services go
            self.state.services_ready()
            screen.phase("Kafka and Redis are ready; creating topics")
            partitions = {report.topic: report.partitions for report in ensure_topics(settings)}
            screen.phase("waiting for the worker to take its partitions")
            worker.wait_ready()
            try:
                asyncio.run(self._play(settings, partitions, screen, worker))
            except (KafkaError, OSError) as error:
                raise JobFailed(
                    f"Kafka of the demo was lost ({error}); see the logs in {self.folder}"
                ) from error
            screen.phase("stopping worker, Kafka and Redis")
        self.state.end("done")

    def extras(self) -> Extras:
        """What people are told beside the summary."""
        return Extras(
            fed=self.state.fed_events,
            alerted=len(self.ledger.alerted),
            alerts_missing=self.ledger.alerts_missing,
            scores=dict(self.ledger.scores),
            levels=dict(self.ledger.levels),
            first_alert_s=self.state.first_alert_s,
            seconds=self.state.seconds,
            steady_events=len(self._due.by_event),
            events_per_second=EVENTS_PER_SECOND,
        )

    def _settings(self) -> Settings:
        kafka, redis, health = free_ports(3)
        return load(
            {},
            data_dir=self.folder.resolve(),
            kafka_bootstrap=f"{LOOPBACK}:{kafka}",
            redis_url=f"redis://{LOOPBACK}:{redis}/0",
            health_port=health,
            scorers=tuple(self.ledger.scorers),
            bundle_dirs=tuple(folder.resolve() for folder in self.given.bundle_dirs),
        )

    async def _play(
        self, settings: Settings, partitions: Mapping[str, int], screen: Screen, worker: WorkerProcess
    ) -> None:
        main = asyncio.current_task()
        assert main is not None
        watching = asyncio.create_task(self._watch(screen, worker, main))
        inputs = self.inputs.inputs
        try:
            async with Reader(
                settings, self.ledger, inputs=self.state.topics, partitions=partitions
            ) as reader:
                screen.phase("feeding history at full speed")
                await feed_history(settings, inputs, self.state.acknowledged)
                await reader.note_inputs()
                screen.phase("the worker catches up with the history")
                # what is not there by then will be missing at the end, too
                await reader.until_complete(patience_s=PATIENCE_S)
                screen.phase(f"live: {EVENTS_PER_SECOND:,.0f} events/s")
                await feed_steadily(
                    settings, inputs, events_per_second=EVENTS_PER_SECOND, due=self._due,
                    acknowledged=self.state.acknowledged,
                )  # fmt: skip
                await reader.note_inputs()
                screen.phase("waiting for the last scores")
                await reader.until_complete(patience_s=PATIENCE_S)
        except asyncio.CancelledError:
            if watching.done():
                watching.result()
            raise
        finally:
            watching.cancel()

    async def _watch(self, screen: Screen, worker: WorkerProcess, main: "asyncio.Task[None]") -> None:
        try:
            while True:
                worker.check()
                self.state.note_first_alert()
                screen.look()
                await asyncio.sleep(LOOK_EVERY_S)
        except JobFailed:
            main.cancel()
            raise


def _scorers(given: Settings, topics: Sequence[str]) -> Mapping[str, Scorer]:
    """Those that were named; else those of what is fed, without a second entity, of which the payments have none."""
    known = _named(given.scorers)
    if given.scorers:
        return known
    return {name: each for name, each in known.items() if each.topic in topics and each.view.carries is None}


def _named(names: Sequence[str]) -> Mapping[str, Scorer]:
    try:
        return selected(names)
    except (BrokenDeclaration, UnknownScorer) as error:
        raise JobFailed(str(error)) from error


def _port(address: str) -> int:
    return int(address.rpartition(":")[2])
