"""The worker process: settings to a running Faust app, and its exit code."""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Mapping
from functools import partial
from typing import Any

import faust
import structlog
from faust.app.base import BootStrategy
from yarl import URL

from schemas.codec import EventDecoder
from scoring.catalog import selected
from scoring.event_columns import EventColumns, fields_of
from scoring.scorer import Scorer
from scoring.store.redis import RedisStore
from scoring.warm import warm_up
from stream.bundle_library import BundleLibrary
from stream.errors import JobFailed
from stream.inputs import input_topics, make_decoders
from stream.kafka import client_arguments
from stream.logs import set_up_logging
from stream.settings import Settings
from stream.state_store import redis_address
from stream.worker.activation_log import ActivationLog
from stream.worker.batching import PollSchema, PollTransport
from stream.worker.health import HealthServer
from stream.worker.keeper import FATAL, Keeper
from stream.worker.leasing import Leasing
from stream.worker.memory import collect_seldom, keep_freed_memory
from stream.worker.metrics import Metrics
from stream.worker.pipeline import Pipeline
from stream.worker.runs import ReadEvents
from stream.worker.watchdog import Watchdog

LEFT_WITHIN_S = 5.0
log = structlog.get_logger("riskstream.worker")


class ConsumerOnly(BootStrategy):  # type: ignore[misc]
    """Faust's producer and web server stay off: riskstream has its own."""

    enable_kafka_producer = False
    enable_web = False


class WorkerApp(faust.App):  # type: ignore[misc]
    """The Faust app of a worker: opens the pipeline before the group is joined, closes it before it is left."""

    BootStrategy = ConsumerOnly
    pipeline: Pipeline
    health: HealthServer

    async def on_first_start(self) -> None:
        """Store, activations and health first: who cannot score does not join."""
        await super().on_first_start()
        keeper = self.pipeline.keeper
        try:
            await self.health.start()
            self.pipeline.watchdog.start()
            await keeper.open()
        except OSError as error:
            port = f"health port {self.health.port}: {error.strerror}"
            await keeper.end_and_wait(JobFailed(f"{port}; free it, or choose another with --health-port"))
        except FATAL as error:
            await keeper.end_and_wait(error)
        collect_seldom()
        keep_freed_memory()
        log.info("worker up", health=f"http://127.0.0.1:{self.health.port}", pid=os.getpid())

    async def on_stop(self) -> None:
        """Drains: what is in work is finished and committed, the rest is left to the next worker."""
        await self.pipeline.close()
        # all that is durable is durable: a Kafka that is away must not hold the process back
        leaving = threading.Timer(LEFT_WITHIN_S, self._leave_at_once)
        leaving.daemon = True
        leaving.start()
        await super().on_stop()
        self.pipeline.watchdog.stop()
        await self.health.stop()

    def _leave_at_once(self) -> None:
        log.warning("drained, but Kafka does not let go of the consumer: leaving all the same")
        os._exit(int(self.pipeline.keeper.fatal is not None))


def run_worker(settings: Settings) -> int:
    """Runs until told to stop by SIGTERM or SIGINT; the exit code: 0, or 1 when the worker had to end.

    Raises:
        JobFailed, UnknownScorer, BrokenDeclaration, RefusedBundle: before anything was started.
    """
    set_up_logging(settings)
    scorers = selected(settings.scorers)
    library = BundleLibrary(settings.bundle_dirs)
    make_ready(scorers, library)
    app = build_app(settings, scorers, library)
    worker = faust.Worker(
        app, loglevel="WARN", redirect_stdouts=False, override_logging=False, daemon=True, quiet=True
    )
    code = 0
    try:
        worker.execute_from_commandline()
    except SystemExit as left:
        code = left.code if isinstance(left.code, int) else int(left.code is not None)
    fatal = app.pipeline.keeper.fatal
    if fatal is not None:
        print(f"riskstream worker: {fatal}", file=sys.stderr, flush=True)
        code = 1
    if any(not thread.daemon for thread in threading.enumerate() if thread is not threading.main_thread()):
        # Faust was stopped by an error and left its consumer's thread, which would be waited for
        os._exit(code)
    return code


def make_ready(scorers: Mapping[str, Scorer], library: BundleLibrary) -> None:
    """Compiles the kernels and loads the bundles before the group is joined: a late joiner holds up nobody."""
    warm_up({view for scorer in scorers.values() for view in scorer.needed_views})
    for scorer in scorers.values():
        if len(library.digests(scorer.name)) == 1:
            library.champion(scorer)


def build_app(settings: Settings, scorers: Mapping[str, Scorer], library: BundleLibrary) -> WorkerApp:
    """The Faust app with one agent over all input topics."""
    servers = [server.strip() for server in settings.kafka_bootstrap.split(",")]
    app = WorkerApp(
        f"{settings.namespace}-workers",
        broker=[URL(f"kafka://{server}") for server in servers],
        store="memory://",
        web_enabled=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        stream_wait_empty=False,
        stream_buffer_maxsize=1,
        broker_session_timeout=settings.session_timeout_ms / 1000,
        broker_heartbeat_interval=settings.session_timeout_ms / 5000,
        datadir=str(settings.data_dir / "faust"),
    )
    metrics = Metrics()
    activations = ActivationLog(settings)
    store = RedisStore(redis_address(settings), settings.namespace)
    keeper = Keeper(
        settings=settings,
        leasing=Leasing(settings, store, scorers, library, activations, make_decoders(settings, scorers)),
        metrics=metrics,
        on_fatal=lambda: os.kill(os.getpid(), signal.SIGTERM),
    )
    app.pipeline = Pipeline(settings, keeper, metrics, Watchdog(settings.model_timeout_s))
    app.health = HealthServer(settings.health_port, keeper.problems, metrics)
    app.transport = PollTransport(
        [URL(f"kafka://{server}") for server in servers],
        app,
        consumer_arguments=consumer_arguments(settings),
        readers=event_readers(keeper.leasing.decoders),
        keeper=keeper,
    )
    topics = input_topics(scorers)

    @app.agent(app.topic(*topics, schema=PollSchema(value_type=bytes, key_type=bytes)))  # type: ignore[untyped-decorator]
    async def score(stream: Any) -> None:
        async for generation, poll in stream:
            # shielded: a stop that cancels the agent lets the poll in work come to its commit
            try:
                await asyncio.shield(app.pipeline.handle(generation, poll))
            finally:
                app.consumer.ahead.finished()

    return app


def event_readers(decoders: Mapping[str, EventDecoder]) -> dict[str, ReadEvents]:
    """What makes events of the values of a topic; none for internal topics, which are read record by record."""
    return {
        topic: partial(EventColumns.read, decoder.event_type)
        for topic, decoder in decoders.items()
        if decoder.event_type.passed_on is None and fields_of(decoder.event_type) is not None
    }


def consumer_arguments(settings: Settings) -> dict[str, Any]:
    """Keyword arguments of the worker's aiokafka consumer.

    With a worker id membership is static, so a restart within the session timeout moves no partitions; without one
    a worker that is stopped leaves the group, and the others take over at once.
    """
    return client_arguments(settings) | {
        "group_instance_id": settings.worker_id,
        "enable_auto_commit": False,
        "auto_offset_reset": "earliest",
        "isolation_level": "read_committed",
        "max_poll_records": settings.poll_records,
        "max_partition_fetch_bytes": 512 * 1024,
        "fetch_max_wait_ms": 500,
        "session_timeout_ms": settings.session_timeout_ms,
        "heartbeat_interval_ms": settings.session_timeout_ms // 5,
        "max_poll_interval_ms": 10 * 60 * 1000,
        "rebalance_timeout_ms": 60_000,
        "request_timeout_ms": 40_000,
        # a topic with more partitions, or made anew, is noticed within that time
        "metadata_max_age_ms": 10_000,
    }
