"""Broker, Redis, proxies, workers and feed of one run, and what it takes for all to be well again."""

import json
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from confluent_kafka import KafkaException
from redis import Redis, RedisError

from scoring.catalog import scorers
from stream.services.ports import LOOPBACK, free_ports
from stream.services.redis import EmbeddedRedis
from stream.settings import Settings, load
from stream.topics import ensure_topics
from tests.support.command_line import riskstream
from tests.support.independent_reader import Reader
from tests.support.log_fold import offsets_in
from tests.support.small_bundles import write_all, write_small_bundle
from tests.support.worker_process import WorkerProcess
from tests.torture.brokers import broker_behind, three_brokers
from tests.torture.feed import CANARY, Feed
from tests.torture.proxy import FaultProxy

NAMESPACE = "torture"
INPUTS = ("transactions", "market-ticks", "transactions-by-merchant")
WELL_WITHIN_S = 240.0
NOT_READY_WITHIN_S = 15.0
MOST_MEMORY_MB = 900
MOST_FILES = 400
Say = Callable[[str], None]


class TortureFailed(AssertionError):
    """A promise did not hold."""


@dataclass
class Watch:
    """Looks at every worker each second: memory, open files, and whether personal data shows."""

    most_memory_mb: float = 0.0
    most_files: int = 0
    leaks: set[str] = field(default_factory=set)

    def look(self, worker: WorkerProcess) -> None:
        """One look; a worker that is gone shows nothing."""
        with suppress(OSError, ValueError, StopIteration):
            status = Path(f"/proc/{worker.pid}/status").read_text()
            resident = next(line for line in status.splitlines() if line.startswith("VmRSS"))
            self.most_memory_mb = max(self.most_memory_mb, int(resident.split()[1]) / 1024)
            self.most_files = max(self.most_files, len(list(Path(f"/proc/{worker.pid}/fd").iterdir())))
        for page in ("/metrics", "/ready"):
            if CANARY in worker.get(page)[1]:
                self.leaks.add(page)


class House:
    """Everything of one run; a context manager.

    Args:
        folder: of all data and logs; made anew.
        seed: of the events.
        per_second: events fed.
        say: is told what goes on.
        brokers: 1, behind a proxy, or 3, without.
        cluster: servers of a Redis Cluster that runs already, instead of one server behind a proxy.
        redis_options: further options of the one server.

    Attributes:
        workers: by name, with fixed group membership.
    """

    def __init__(
        self,
        folder: Path,
        seed: int,
        *,
        per_second: float,
        say: Say = lambda _: None,
        brokers: int = 1,
        cluster: Sequence[EmbeddedRedis] = (),
        redis_options: Sequence[str] = (),
    ) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self.folder, self.seed, self.say, self.cluster = folder, seed, say, list(cluster)
        kafka_port, redis_port = free_ports(2)
        self.kafka_proxy, self.redis_proxy = FaultProxy(kafka_port), FaultProxy(redis_port)
        self.brokers = (
            [broker_behind(folder / "kafka", port=kafka_port, proxy_port=self.kafka_proxy.port)]
            if brokers == 1
            else three_brokers(folder / "kafka")
        )
        self.kafka = self.brokers[0]
        self.redis = EmbeddedRedis(folder / "redis", port=redis_port, extra=redis_options)
        self.first, self.second = write_all(folder / "bundles"), folder / "more-bundles"
        write_small_bundle(self.second, scorers()["payment_anomaly"], bias=-3.0)
        self.workers = {name: self.worker(name) for name in ("one", "two")}
        self.feed = Feed(self.kafka_bootstrap, seed, per_second)
        self.watch = Watch()
        self._over = threading.Event()
        self._stack = ExitStack()
        self.made = list(self.workers.values())

    @property
    def kafka_bootstrap(self) -> str:
        """The broker, through its proxy, or the three."""
        if len(self.brokers) > 1:
            return ",".join(broker.bootstrap for broker in self.brokers)
        return f"{LOOPBACK}:{self.kafka_proxy.port}"

    @property
    def redis_url(self) -> str:
        """Redis, through its proxy, or a server of the cluster."""
        if self.cluster:
            return self.cluster[0].url
        return f"redis://{LOOPBACK}:{self.redis_proxy.port}/0"

    @property
    def settings(self) -> Settings:
        """Of commands."""
        return load(
            {},
            kafka_bootstrap=self.kafka_bootstrap,
            redis_url=self.redis_url,
            namespace=NAMESPACE,
            data_dir=self.folder,
            bundle_dirs=(self.first, self.second),
            redis_cluster=bool(self.cluster),
        )

    def worker(self, name: str, **settings: object) -> WorkerProcess:
        """A worker, not started."""
        made = WorkerProcess(
            self, self.folder, name=name,  # type: ignore[arg-type]
            **({
                "namespace": NAMESPACE, "bundle_dirs": f"{self.first},{self.second}", "poll_records": 200,
                "redis_cluster": bool(self.cluster),
            } | settings),
        )  # fmt: skip
        made.entry = "tests.torture.worker"
        return made

    def extra_worker(self, name: str) -> WorkerProcess:
        """A worker whose membership ends with it, not started."""
        made = self.worker(name, worker_id=None)
        self.made.append(made)
        return made

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command of riskstream to its end."""
        return riskstream(
            *arguments, within_seconds=900, kafka_bootstrap=self.kafka_bootstrap, redis_url=self.redis_url,
            namespace=NAMESPACE, bundle_dirs=f"{self.first},{self.second}", data_dir=str(self.folder),
            redis_cluster=str(bool(self.cluster)),
        )  # fmt: skip

    def __enter__(self) -> "House":
        services = [*([] if self.cluster else [self.redis]), *self.brokers]
        for service in services:
            service.start()
            self._stack.callback(service.stop)
        for service in services:
            service.wait_ready()
        ensure_topics(self.settings)
        self._stack.callback(lambda: [worker.__exit__() for worker in self.made])
        for worker in self.workers.values():
            worker.start()
        self._stack.enter_context(self.feed)
        threading.Thread(target=self._look, name="watch", daemon=True).start()
        self._stack.callback(self._over.set)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
        self.kafka_proxy.close()
        self.redis_proxy.close()

    def wait_well(self) -> float:
        """Seconds until every worker is ready and everything that was fed is scored and committed; feeding rests.

        Raises:
            TortureFailed: it takes too long.
        """
        began = time.monotonic()
        for worker in self.workers.values():
            if not worker.running:
                worker.start()
        self.feed.rest()
        before = ""
        while True:
            behind = self._behind()
            if not behind:
                break
            if behind != before:
                before = behind
            if time.monotonic() - began > WELL_WITHIN_S:
                raise TortureFailed(f"not well after {WELL_WITHIN_S:.0f} s: {behind}")
            time.sleep(0.1)
        seconds = time.monotonic() - began
        self.feed.go_on()
        return seconds

    def _behind(self) -> str:
        """What is not well; empty when all is."""
        for name, worker in self.workers.items():
            if not worker.running:
                raise TortureFailed(f"worker {name} ended by itself: {worker.log()[-2_000:]}")
            ready, problems = worker.ready()
            if not ready:
                return f"{name}: {problems}"
        try:
            committed = self.committed()
        except RedisError as error:
            return f"Redis: {error}"
        try:
            with Reader(self.kafka_bootstrap) as reader:
                for topic in INPUTS:
                    for index, end in reader.ends(topic).items():
                        if committed.get((topic, index), 0) < end:
                            return f"{topic} {index}: {committed.get((topic, index), 0)} of {end}"
        except KafkaException as error:  # leaders change
            return f"Kafka: {error}"
        return ""

    def committed(self) -> dict[tuple[str, int], int]:
        """Per input partition, the offset up to which states are committed."""
        urls = [server.url for server in self.cluster if server.running] or [self.redis_url]
        return {place: offset for url in urls for place, offset in offsets_in(url, NAMESPACE).items()}

    def expect_not_ready(self, what: str) -> None:
        """Every running worker says that it is not ready, while something that it needs is away.

        Raises:
            TortureFailed: one says that all is well.
        """
        deadline = time.monotonic() + NOT_READY_WITHIN_S
        waiting = [worker for worker in self.workers.values() if worker.running]
        while waiting:
            waiting = [worker for worker in waiting if worker.ready()[0]]
            if waiting and time.monotonic() > deadline:
                raise TortureFailed(f"{what} is away, and a worker says that it is ready")
            time.sleep(0.1)

    def flush(self) -> None:
        """Takes everything out of Redis."""
        with Redis(host=LOOPBACK, port=self.redis.port) as client:
            client.flushall()

    def sync_redis_always(self) -> None:
        """Lets Redis write each change to disk before it answers, until its next start."""
        with Redis(host=LOOPBACK, port=self.redis.port) as client:
            client.config_set("appendfsync", "always")
        time.sleep(1)  # what was answered before may still be on its way

    def reports_of_going_back(self) -> int:
        """How often workers have said that Redis knows less than it did."""
        logs = [worker.log() for worker in self.made if worker.log_file.exists()]
        return sum(log.count("Redis was rolled back") + log.count("Redis went back") for log in logs)

    def verify(self) -> dict[str, Any]:
        """What `riskstream verify` finds, when nothing is fed and nothing is in work.

        Raises:
            TortureFailed: it cannot be run.
        """
        self.feed.rest()
        done = self.run("verify", "--json", "--wait", "60")
        if not done.stdout:
            raise TortureFailed(f"riskstream verify: {done.stderr[-2_000:]}")
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def leaks(self) -> list[str]:
        """Where personal data showed: pages and logs."""
        logs = [worker.log_file.name for worker in self.made if worker.log_file.exists() and CANARY in worker.log()]
        return sorted({*self.watch.leaks, *logs})

    def _look(self) -> None:
        while not self._over.wait(1.0):
            for worker in list(self.workers.values()):
                if worker.running:
                    self.watch.look(worker)
