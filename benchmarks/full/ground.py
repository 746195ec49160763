"""Where a part of the full benchmark is measured: an embedded Kafka and Redis of its own, gone at its end."""

import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import psutil

from benchmarks.broker import Broker
from benchmarks.contestants import CONTESTANTS
from benchmarks.full.plan import FullPlan
from benchmarks.loading import load_backlog
from benchmarks.machine import all_versions
from benchmarks.pipelines import Pipeline
from benchmarks.plan import BUNDLES
from benchmarks.throughput import Sample, measure, summarise
from stream.services.embedded import EmbeddedServices
from stream.settings import Settings, load

Say = Callable[[str], None]
WORKER, TWO_WORKERS = "riskstream", "riskstream_two_workers"


@dataclass(frozen=True, eq=False)
class Ground:
    """Services, and what is known of them.

    Attributes:
        watched: process ids of Kafka and Redis.
    """

    plan: FullPlan
    settings: Settings
    broker: Broker
    watched: tuple[int, int]
    kafka_data: Path
    say: Say

    def servers_cpu_seconds(self) -> tuple[float, ...]:
        """What Kafka and Redis have used up to now, user and system."""
        times = [psutil.Process(pid).cpu_times() for pid in self.watched]
        return tuple(each.user + each.system for each in times)

    def pipeline(self, name: str = WORKER, *, namespace: str = "") -> Pipeline:
        """A pipeline of that name, not started; of a new namespace when none is given."""
        return Pipeline(CONTESTANTS[name], self.settings, self.plan.partitions, namespace=namespace)

    def load(self, frames: Iterable[pl.DataFrame]) -> float:
        """Empties all topics and loads payments; Redis is emptied too. The mean bytes of a record's value."""
        self.broker.reset()
        return load_backlog(self.settings, frames)

    def throughput(self, pipeline: Pipeline) -> dict[str, float]:
        """Speed of a started pipeline over what is loaded, the servers' CPU time, share of scores that are explained.

        Raises:
            BenchmarkFailed: it ended, or gives no output.
        """
        plan = self.plan
        samples = measure(
            pipeline, self.broker, backlog=plan.backlog, seconds=plan.seconds, warm_up_s=plan.warm_up_s,
            beside=self.servers_cpu_seconds,
        )  # fmt: skip
        return run_dict(samples) | {"watch_share": round(self.broker.watch_share(pipeline.output), 4)}

    def topic_bytes(self, topic: str) -> int:
        """Bytes of the topic's log segments on disk: what was sent, with headers of batches and records."""
        folders = [self.kafka_data / f"{topic}-{number}" for number in range(self.plan.partitions)]
        return sum(file.stat().st_size for folder in folders for file in folder.glob("*.log"))


@contextmanager
def ground(plan: FullPlan, say: Say, *, append_only: bool = True) -> Iterator[tuple[Ground, dict[str, str]]]:
    """Services of a part with the versions of everything; they are stopped whatever happens.

    Args:
        append_only: whether Redis writes its changes to disk.

    Raises:
        JobFailed: they cannot be started.
    """
    with tempfile.TemporaryDirectory(prefix="bench-full-") as folder:
        home = Path(folder) / "services"
        with EmbeddedServices(home, redis_append_only=append_only) as services:
            settings = load(
                {}, kafka_bootstrap=services.kafka_bootstrap, redis_url=services.redis_url, bundle_dirs=(BUNDLES,),
                data_dir=home,
            )  # fmt: skip
            with Broker(settings, plan.partitions) as broker:
                broker.reset()
                watched = (services.kafka.pid, services.redis.pid)
                made = Ground(plan, settings, broker, watched, services.kafka.folder / "data", say)
                yield made, all_versions(services.redis_url)


def run_dict(samples: list[Sample]) -> dict[str, Any]:
    """One run for programs; CPU in microseconds per event: the worker's, Kafka's and Redis's."""
    first, last, speed = samples[0], samples[-1], summarise(samples)
    kafka_s, redis_s = (after - before for before, after in zip(first.beside, last.beside, strict=True))
    return {
        "events": speed.events,
        "seconds": round(speed.seconds, 2),
        "events_per_second": round(speed.events_per_second, 1),
        "worker_cpu_us": round(1e6 / speed.events_per_cpu_second, 3),
        "kafka_cpu_us": round(1e6 * kafka_s / speed.events, 3),
        "redis_cpu_us": round(1e6 * redis_s / speed.events, 3),
        "resident_mb": round(speed.resident_mb, 1),
    }
