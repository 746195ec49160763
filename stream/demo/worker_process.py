"""A real `riskstream worker` as a child process, and how it tells that it scores."""

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from stream.errors import JobFailed
from stream.services.ports import LOOPBACK
from stream.services.process import ChildProcess
from stream.settings import PREFIX, Settings

PROJECT = Path(__file__).parents[2]
PROGRAM = "from stream.cli import main; main()"
READY_WITHIN_S = 120.0
DRAIN_WITHIN_S = 15.0
LOOK_EVERY_S = 0.05


class WorkerProcess:
    """A worker under the given settings; it may start before Kafka and Redis do, and waits for them.

    Args:
        log: file that takes what the worker says.

    Raises:
        JobFailed: Python cannot be executed.
    """

    def __init__(self, settings: Settings, log: Path) -> None:
        self._port = settings.health_port
        self._process = ChildProcess(
            [sys.executable, "-c", PROGRAM, "worker"], log=log, environment=_environment(settings)
        )

    def wait_ready(self) -> None:
        """Returns when the worker holds its partitions and scores.

        Raises:
            JobFailed: it ended, or was not ready in time; the text has the end of its log.
        """
        deadline = time.monotonic() + READY_WITHIN_S
        while problems := self._problems():
            if not self._process.running:
                raise JobFailed(f"the worker ended while starting; {self._end_of_log()}")
            if time.monotonic() > deadline:
                raise JobFailed(
                    f"the worker was not ready within {READY_WITHIN_S:.0f} s ({'; '.join(problems)}); "
                    f"{self._end_of_log()}"
                )
            time.sleep(LOOK_EVERY_S)

    def check(self) -> None:
        """Returns when the worker is there.

        Raises:
            JobFailed: it ended by itself; the text has the end of its log.
        """
        if not self._process.running:
            raise JobFailed(f"the worker ended; {self._end_of_log()}")

    def stop(self) -> None:
        """Lets the worker drain and end; nothing happens when it has ended."""
        self._process.stop(grace_seconds=DRAIN_WITHIN_S)

    def _end_of_log(self) -> str:
        return f"end of {self._process.log}:\n{self._process.log_tail()}"

    def _problems(self) -> list[str]:
        # a bare connection: urllib would ask a proxy of the environment for the loopback address
        connection = http.client.HTTPConnection(LOOPBACK, self._port, timeout=2.0)
        try:
            connection.request("GET", "/ready")
            return list(json.load(connection.getresponse())["problems"])
        except (OSError, http.client.HTTPException):
            return ["it does not answer yet"]
        finally:
            connection.close()


def compile_kernels() -> None:
    """Compiles what a worker would compile at its first start, in a process of its own; takes half a minute.

    Raises:
        JobFailed: it did not work; the text has what it said.
    """
    done = subprocess.run(
        [sys.executable, "-m", "scoring.warm"],
        env=_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise JobFailed(f"the feature kernels cannot be compiled: {done.stderr}")


def _environment(settings: Settings | None = None) -> Mapping[str, str]:
    """This process's environment with these settings alone; the project is found whether or not installed."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    path = os.pathsep.join(filter(None, (str(PROJECT), kept.get("PYTHONPATH"))))
    return kept | {"PYTHONPATH": path} | (_variables(settings) if settings else {})


def _variables(settings: Settings) -> dict[str, str]:
    found = {}
    for name in settings.model_fields_set:
        value = getattr(settings, name)
        found[f"{PREFIX}{name.upper()}"] = (
            ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
        )
    return found
