"""The pipelines that are compared, each as processes of its own: the real worker, and its competitors."""

import os
import shutil
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psutil

from benchmarks.contestants import SCORER, Contestant
from benchmarks.interpreters import interpreter_of
from benchmarks.plan import ROOT, BenchmarkFailed
from schemas.events.transaction import EVENT
from scoring.catalog import scorers
from stream.bundle_library import BundleLibrary
from stream.services.ports import LOOPBACK, free_ports
from stream.services.process import ChildProcess
from stream.settings import PREFIX, Settings

READY_WITHIN_S = 90.0
LOOK_EVERY_S = 0.1


@dataclass(frozen=True)
class Reading:
    """What processes have used at one moment: CPU seconds, user and system, all threads; resident bytes."""

    cpu_seconds: float
    resident_bytes: int


class Pipeline:
    """A pipeline that runs as one process or several; a context manager that leaves none behind.

    Args:
        contestant: what to run.
        settings: where Kafka and Redis are, and bundles beside the shipped ones; everything else is as shipped.
        partitions: of every topic.
        namespace: of its state in Redis and of its group; a new one, in which nothing of an earlier run is left, when
            not given.

    Attributes:
        output: topic of its scores.
        scores_per_event: records on that topic for each event.
    """

    def __init__(
        self, contestant: Contestant, settings: Settings, partitions: int, *, namespace: str = ""
    ) -> None:
        self._contestant, self._settings, self._partitions = contestant, settings, partitions
        self.output = contestant.output
        self.scores_per_event = len(contestant.scorers)
        self._folder = Path(tempfile.mkdtemp(prefix=f"bench-{contestant.name}-"))
        self._namespace = namespace or new_namespace()
        self._ports: list[int] = []
        self._children: list[ChildProcess] = []

    def __enter__(self) -> Self:
        contestant = self._contestant
        for number in range(contestant.processes):
            command, variables = self._worker() if contestant.own else self._competitor()
            kept = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
            path = os.pathsep.join(filter(None, (str(ROOT), kept.get("PYTHONPATH"))))
            child = ChildProcess(
                [interpreter_of(contestant, os.environ), *command],
                log=self._folder / f"log-{number}",
                environment=kept | {"PYTHONPATH": path} | variables,
            )
            self._children.append(child)
        self._processes = [psutil.Process(child.pid) for child in self._children]
        return self

    def __exit__(self, *_: object) -> None:
        for child in self._children:
            child.stop(grace_seconds=10.0)
        shutil.rmtree(self._folder, ignore_errors=True)

    def read(self) -> Reading:
        """What the processes have used up to now: CPU of all together, memory of the largest.

        Raises:
            BenchmarkFailed: one has ended.
        """
        cpu_seconds, resident = 0.0, 0
        try:
            for process in self._processes:
                with process.oneshot():
                    times = process.cpu_times()
                    cpu_seconds += times.user + times.system
                    resident = max(resident, process.memory_info().rss)
        except psutil.Error:
            raise self.failed("it ended") from None
        return Reading(cpu_seconds, resident)

    def failed(self, why: str) -> BenchmarkFailed:
        """The error that says why, with the end of the log."""
        tails = "\n".join(child.log_tail() for child in self._children)
        return BenchmarkFailed(f"{self._contestant.name}: {why}; end of its log:\n{tails}")

    def wait_ready(self) -> None:
        """Returns when every worker holds its partitions; competitors do not tell, and are not waited for.

        Raises:
            BenchmarkFailed: it ended, or was not ready in time.
        """
        deadline = time.monotonic() + READY_WITHIN_S
        while not all(map(self._says_ready, self._ports)):
            if not all(child.running for child in self._children) or time.monotonic() > deadline:
                raise self.failed("not ready")
            time.sleep(LOOK_EVERY_S)

    def _says_ready(self, port: int) -> bool:
        # without the environment's proxies: the address is this machine's own
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(f"http://{LOOPBACK}:{port}/ready", timeout=2.0) as reply:
                return bool(reply.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def _worker(self) -> tuple[list[str], dict[str, str]]:
        (port,) = free_ports(1)
        self._ports.append(port)
        chosen = [part for scorer in self._contestant.scorers for part in ("--scorer", scorer)]
        command = [
            "-c",
            "from stream.cli import main; main()",
            "worker",
            "--health-port",
            str(port),
            *chosen,
        ]
        return command, self._own_variables()

    def _own_variables(self) -> dict[str, str]:
        return variables_of(self._settings) | {
            f"{PREFIX}NAMESPACE": self._namespace,
            f"{PREFIX}DATA_DIR": str(self._folder),
        }

    def _competitor(self) -> tuple[list[str], dict[str, str]]:
        scorer = scorers()[SCORER]
        bundle = BundleLibrary(self._settings.bundle_dirs).champion(scorer)
        return ["-m", self._contestant.module], self._own_variables() | {
            "BENCH_KAFKA": self._settings.kafka_bootstrap,
            "BENCH_REDIS": self._settings.redis_url,
            "BENCH_BUNDLE": str(bundle.folder.resolve()),
            "BENCH_POLICY": scorer.policy.digest,
            "BENCH_SOURCE": EVENT.topic,
            "BENCH_OUTPUT": self.output,
            "BENCH_PARTITIONS": str(self._partitions),
            "BENCH_COMPRESSION": self._settings.compression,
            "BENCH_FEATURES": self._contestant.features,
            "BENCH_FOLDER": str(self._folder),
        }


def new_namespace() -> str:
    """One that nobody has used."""
    return f"bench-{uuid.uuid4().hex[:8]}"


def variables_of(settings: Settings) -> dict[str, str]:
    """Environment variables for a `riskstream` command: addresses and bundle folders; the rest stays as shipped."""
    given = {
        "KAFKA_BOOTSTRAP": settings.kafka_bootstrap,
        "REDIS_URL": settings.redis_url,
        "BUNDLE_DIRS": ",".join(map(str, settings.bundle_dirs)),
    }
    return {f"{PREFIX}{name}": value for name, value in given.items() if value}
