"""What the embedded Kafka and the embedded Redis have in common: one child process on one loopback port."""

import abc
import time
from collections.abc import Callable
from pathlib import Path

from stream.errors import JobFailed
from stream.services.process import ChildProcess

READY_WITHIN_SECONDS = 120.0
PORT_ATTEMPTS = 3
LOOK_EVERY_SECONDS = 0.02


class Service(abc.ABC):
    """A server in a folder of its own; killed and started again, it keeps port and data.

    Args:
        name: what it is called in texts for people.
        folder: data, settings and log.
        port: port to listen on; a free one, kept from the first start on, when not given.
        detached: the server outlives this process.
    """

    def __init__(self, name: str, folder: Path, *, port: int | None, detached: bool) -> None:
        self.name = name
        self.folder = folder.resolve()
        self._port = port
        self._port_may_change = port is None
        self._detached = detached
        self._process: ChildProcess | None = None
        self.on_ready: Callable[[], None] = lambda: None
        """Called each time the server has become ready, with a new process id."""

    @property
    def process(self) -> ChildProcess:
        """The process last started: its id, log, `pause` and `resume`.

        Raises:
            JobFailed: it was not started.
        """
        if self._process is None:
            raise JobFailed(f"the embedded {self.name} was not started; call start()")
        return self._process

    @property
    def pid(self) -> int:
        """Process id of the server."""
        return self.process.pid

    @property
    def port(self) -> int:
        """Port of the listener; known once it was started."""
        if self._port is None:
            raise JobFailed(f"the embedded {self.name} was not started; call start()")
        return self._port

    @property
    def running(self) -> bool:
        """Whether its process is there."""
        return self._process is not None and self._process.running

    def start(self) -> None:
        """Starts the server and returns at once; `wait_ready` tells when it answers.

        Raises:
            JobFailed: a program or file that it needs is missing.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        command = self._prepare()
        self._process = ChildProcess(command, log=self._log, detached=self._detached)

    def wait_ready(self, *, within_seconds: float = READY_WITHIN_SECONDS) -> None:
        """Returns when the server does its work, not merely listens.

        Raises:
            JobFailed: it ended or did not answer in time; the text has the end of its log.
        """
        deadline = time.monotonic() + within_seconds
        attempts = 1
        while not (self.running and self.answers()):
            if not self.running:
                if not self._lost_its_port() or attempts == PORT_ATTEMPTS:
                    raise JobFailed(
                        f"{self.name} ended while starting; end of {self._log}:\n{self.process.log_tail()}"
                    )
                attempts += 1
                self._port = None
                self.start()
            elif time.monotonic() > deadline:
                raise JobFailed(
                    f"{self.name} did not answer on port {self.port} within {within_seconds:.0f} s; "
                    f"end of {self._log}:\n{self.process.log_tail()}"
                )
            time.sleep(LOOK_EVERY_SECONDS)
        self._port_may_change = False
        self.on_ready()

    @abc.abstractmethod
    def answers(self) -> bool:
        """Whether the server does its work now."""

    def stop(self) -> None:
        """Stops the server in order; nothing happens when it is not running."""
        if self._process is not None:
            self._process.stop()

    def kill(self) -> None:
        """Ends the server as a crash would (SIGKILL)."""
        self.process.kill()

    def restart(self) -> None:
        """Starts the server again on the same port and data, stopping it first; returns when ready."""
        self.stop()
        self.start()
        self.wait_ready()

    @property
    def _log(self) -> Path:
        return self.folder / f"{self.name.lower()}.log"

    @abc.abstractmethod
    def _prepare(self) -> list[str]:
        """Chooses ports where there are none yet, writes settings, and returns the command."""

    def _lost_its_port(self) -> bool:
        """Whether another program took the free port between the choice and the start."""
        return self._port_may_change and "address already in use" in self.process.log_tail().lower()
