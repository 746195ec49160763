"""The pipelines that are compared, each as a process of its own: the real worker, and the obvious Faust agent."""

import os
import shutil
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psutil

from benchmarks.plan import ROOT, SCORER, SCORERS_OF, BenchmarkFailed
from schemas.events.transaction import EVENT
from schemas.topics import SCORES
from scoring.catalog import scorers
from stream.bundle_library import BundleLibrary
from stream.services.ports import LOOPBACK, free_ports
from stream.services.process import ChildProcess
from stream.settings import PREFIX, Settings

OBVIOUS_OUTPUT = "obvious-scores"
"""Topic of the obvious agent's scores."""

READY_WITHIN_S = 90.0
LOOK_EVERY_S = 0.1


@dataclass(frozen=True)
class Reading:
    """What a process has used at one moment: its CPU seconds, user and system, all threads; its resident bytes."""

    cpu_seconds: float
    resident_bytes: int


class Pipeline:
    """A pipeline that runs as a process; a context manager that starts it and leaves no process behind.

    Args:
        name: one of `benchmarks.plan.NAMES`.
        settings: where Kafka and Redis are, and bundles beside the shipped ones; everything else is as shipped.

    Attributes:
        output: topic of its scores.
        scores_per_event: records on that topic for each event.
    """

    def __init__(self, name: str, settings: Settings) -> None:
        self.name, self._settings = name, settings
        self.output = OBVIOUS_OUTPUT if name == "faust_per_event" else SCORES
        self.scores_per_event = len(SCORERS_OF[name])
        self._folder = Path(tempfile.mkdtemp(prefix=f"bench-{name}-"))

    def __enter__(self) -> Self:
        command, variables = self._obvious() if self.name == "faust_per_event" else self._worker()
        kept = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        path = os.pathsep.join(filter(None, (str(ROOT), kept.get("PYTHONPATH"))))
        self._child = ChildProcess(
            [sys.executable, *command],
            log=self._folder / "log",
            environment=kept | {"PYTHONPATH": path} | variables,
        )
        self._process = psutil.Process(self._child.pid)
        return self

    def __exit__(self, *_: object) -> None:
        self._child.stop(grace_seconds=10.0)
        shutil.rmtree(self._folder, ignore_errors=True)

    def read(self) -> Reading:
        """What the process has used up to now.

        Raises:
            BenchmarkFailed: it has ended.
        """
        try:
            with self._process.oneshot():
                times = self._process.cpu_times()
                return Reading(times.user + times.system, self._process.memory_info().rss)
        except psutil.Error:
            raise self.failed("it ended") from None

    def failed(self, why: str) -> BenchmarkFailed:
        """The error that says why, with the end of the log."""
        return BenchmarkFailed(f"{self.name}: {why}; end of its log:\n{self._child.log_tail()}")

    def wait_ready(self) -> None:
        """Returns when a worker holds its partitions; the obvious agent does not tell, and is not waited for.

        Raises:
            BenchmarkFailed: it ended, or was not ready in time.
        """
        deadline = time.monotonic() + READY_WITHIN_S
        while self.name != "faust_per_event" and not self._says_ready():
            if not self._child.running or time.monotonic() > deadline:
                raise self.failed("not ready")
            time.sleep(LOOK_EVERY_S)

    def _says_ready(self) -> bool:
        # without the environment's proxies: the address is this machine's own
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(f"http://{LOOPBACK}:{self._port}/ready", timeout=2.0) as reply:
                return bool(reply.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def _worker(self) -> tuple[list[str], dict[str, str]]:
        self._port = free_ports(1)[0]
        chosen = [part for scorer in SCORERS_OF[self.name] for part in ("--scorer", scorer)]
        command = [
            "-c",
            "from stream.cli import main; main()",
            "worker",
            "--health-port",
            str(self._port),
            *chosen,
        ]
        # a namespace of its own: no state and no group membership of an earlier run
        return command, variables_of(self._settings) | {
            f"{PREFIX}NAMESPACE": f"bench-{uuid.uuid4().hex[:8]}",
            f"{PREFIX}DATA_DIR": str(self._folder),
        }

    def _obvious(self) -> tuple[list[str], dict[str, str]]:
        scorer = scorers()[SCORER]
        bundle = BundleLibrary(self._settings.bundle_dirs).champion(scorer)
        return ["-m", "benchmarks.faust_per_event"], {
            "BENCH_KAFKA": self._settings.kafka_bootstrap,
            "BENCH_REDIS": self._settings.redis_url,
            "BENCH_BUNDLE": str(bundle.folder.resolve()),
            "BENCH_POLICY": scorer.policy.digest,
            "BENCH_SOURCE": EVENT.topic,
            "BENCH_OUTPUT": OBVIOUS_OUTPUT,
            "BENCH_COMPRESSION": self._settings.compression,
            "BENCH_FOLDER": str(self._folder),
        }


def variables_of(settings: Settings) -> dict[str, str]:
    """Environment variables for a `riskstream` command: addresses and bundle folders; the rest stays as shipped."""
    given = {
        "KAFKA_BOOTSTRAP": settings.kafka_bootstrap,
        "REDIS_URL": settings.redis_url,
        "BUNDLE_DIRS": ",".join(map(str, settings.bundle_dirs)),
    }
    return {f"{PREFIX}{name}": value for name, value in given.items() if value}
