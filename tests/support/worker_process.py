"""`riskstream worker` as a process of its own, to be looked at over HTTP, stopped and killed."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from stream.services.embedded import EmbeddedServices
from stream.services.ports import LOOPBACK, free_ports
from tests.support.command_line import ROOT, environment, riskstream_command

READY_WITHIN_S = 60.0
LOOK_EVERY_S = 0.05


class WorkerProcess:
    """A worker; a context manager that leaves no process behind.

    Args:
        services: Kafka and Redis.
        folder: for its log.
        name: of its log, and its static group membership: taken up again after a kill, it waits for no time-out.
        settings: further settings, by their lower-case names; `worker_id=None` for membership that ends with it.

    Attributes:
        entry: a module to run in place of `riskstream worker`, with `variables` in its environment.
    """

    def __init__(
        self, services: EmbeddedServices, folder: Path, *, name: str = "one", **settings: object
    ) -> None:
        self.log_file = folder / f"worker-{name}.log"
        self._settings = {
            "kafka_bootstrap": services.kafka_bootstrap,
            "redis_url": services.redis_url,
            "data_dir": str(folder),
            "worker_id": name,
            "session_timeout_ms": "6000",
        } | {key: str(value) for key, value in settings.items() if value is not None}
        if settings.get("worker_id", name) is None:
            del self._settings["worker_id"]
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0
        self.entry = ""
        self.variables: dict[str, str] = {}

    def start(self) -> Self:
        """Starts the process and returns at once; its log goes on where it was."""
        assert self._process is None or self._process.poll() is not None, "it runs already"
        self._port = free_ports(1)[0]
        arguments = ("worker", "--health-port", str(self._port))
        own = [sys.executable, "-m", self.entry, *arguments] if self.entry else None
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                own or riskstream_command(*arguments),
                env={**environment(**self._settings), **self.variables},
                cwd=ROOT if own else None,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        return self

    @property
    def pid(self) -> int:
        """Process id."""
        assert self._process is not None
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """Of the process; None while it runs."""
        return None if self._process is None else self._process.poll()

    def log(self) -> str:
        """What it has written so far."""
        return self.log_file.read_text(errors="replace")

    def get(self, path: str) -> tuple[int, str]:
        """Status and text of one of its pages; status 0 when it does not answer."""
        try:
            with urllib.request.urlopen(f"http://{LOOPBACK}:{self._port}{path}", timeout=5) as reply:
                return reply.status, reply.read().decode()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read().decode()
        except OSError:
            return 0, ""

    def ready(self) -> tuple[bool, list[str]]:
        """Whether it is ready, and what it says is not well."""
        status, text = self.get("/ready")
        told: dict[str, Any] = json.loads(text) if text else {"ready": False, "problems": ["no answer"]}
        assert told["ready"] == (status == 200)
        return told["ready"], told["problems"]

    def metrics(self) -> dict[str, float]:
        """Every sample of `/metrics`, by its name with labels."""
        lines = [line for line in self.get("/metrics")[1].splitlines() if line and not line.startswith("#")]
        return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}

    def wait_ready(self, *, within_s: float = READY_WITHIN_S) -> Self:
        """Returns when it says that it is ready.

        Raises:
            AssertionError: it ended or was not ready in time; with the end of its log.
        """
        self.wait_until(lambda: self.ready()[0], "ready", within_s=within_s)
        return self

    def wait_until(self, holds: Callable[[], bool], what: str, *, within_s: float = READY_WITHIN_S) -> None:
        """Returns when a condition holds.

        Raises:
            AssertionError: the worker ended or the time is over; with the end of its log.
        """
        deadline = time.monotonic() + within_s
        while not holds():
            tail = self.log()[-3_000:]
            assert self.running, f"the worker ended while waiting for: {what}\n{tail}"
            assert time.monotonic() < deadline, f"not within {within_s} s: {what}; {self.ready()}\n{tail}"
            time.sleep(LOOK_EVERY_S)

    def partitions(self) -> set[str]:
        """The input partitions that it holds, as `topic/number`."""
        held = re.findall(r'riskstream_lag\{partition="(\d+)",topic="([^"]+)"\}', self.get("/metrics")[1])
        return {f"{topic}/{number}" for number, topic in held}

    def kill(self) -> None:
        """Ends it as a crash would (SIGKILL)."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def pause(self) -> None:
        """Stops it where it is (SIGSTOP): its connections stay open."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Lets it go on (SIGCONT)."""
        os.kill(self.pid, signal.SIGCONT)

    def terminate(self, *, within_s: float = 30.0) -> int:
        """Asks it to end (SIGTERM); its exit code.

        Raises:
            TimeoutExpired: it did not end in time.
        """
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(within_s)

    def __enter__(self) -> Self:
        return self.start() if self._process is None else self

    def __exit__(self, *_: object) -> None:
        if self.running:
            self.kill()
