"""Child processes that can be found again, stopped for certain, and outlive their starter only if wanted."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from stream.errors import JobFailed

GUARD = Path(__file__).with_name("guard.py")
LOG_TAIL_LINES = 12


class ChildProcess:
    """A running command whose output goes to a log file.

    Args:
        command: program and arguments.
        log: file that standard output and error are appended to.
        detached: live on after the starter; otherwise end with it, even when it is killed with -9.
        environment: its environment variables; this process's when not given.

    Raises:
        JobFailed: the program cannot be executed.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        log: Path,
        detached: bool = False,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.log = log
        self._held: subprocess.Popen[bytes] | None = None
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            if detached:
                self.pid = _start_detached(command, output.fileno(), environment)
            else:
                self._held, self.pid = _start_guarded(command, output.fileno(), environment)
        if self.pid <= 0:
            raise JobFailed(f"{command[0]} did not start; see {log}: {self.log_tail()}")
        self.birth = process_birth(self.pid)

    @property
    def running(self) -> bool:
        """Whether the process is there and not a zombie."""
        return is_running(self.pid, self.birth)

    def stop(self, *, grace_seconds: float = 15.0) -> None:
        """Asks the process to end, insists after the grace, and returns when it is gone."""
        stop_process(self.pid, self.birth, grace_seconds=grace_seconds)
        self._release()

    def kill(self) -> None:
        """Ends the process at once, as a crash would (SIGKILL), and returns when it is gone."""
        stop_process(self.pid, self.birth, grace_seconds=0.0)
        self._release()

    def pause(self) -> None:
        """Freezes the process (SIGSTOP): its connections stay open and nothing answers."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Lets a frozen process go on (SIGCONT)."""
        os.kill(self.pid, signal.SIGCONT)

    def log_tail(self) -> str:
        """The last lines of the log, for error texts."""
        try:
            lines = self.log.read_text(errors="replace").splitlines()
        except OSError:
            return "(no log)"
        return "\n".join(lines[-LOG_TAIL_LINES:])

    def _release(self) -> None:
        if self._held is not None:
            if self._held.stdin:
                self._held.stdin.close()
            if self._held.stdout:
                self._held.stdout.close()
            self._held.wait()
            self._held = None


def process_birth(pid: int) -> str | None:
    """A text that differs between two processes that had the same id; None when there is no such process.

    Linux tells the start in clock ticks since boot; elsewhere `ps` tells it to the second.
    """
    try:
        # the name, in brackets, may hold spaces and brackets; what follows the last one is in fixed order
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return None if fields[0] in "ZX" else f"ticks {fields[19]}"
    except (OSError, IndexError):
        if Path("/proc/self").exists():
            return None
    told = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    state, _, started = told.stdout.strip().partition(" ")
    return None if not started or state.startswith("Z") else started.strip()


def is_running(pid: int, birth: str | None) -> bool:
    """Whether the process of this id and birth is there; an id that another process took since is not it."""
    return birth is not None and process_birth(pid) == birth


def stop_process(pid: int, birth: str | None, *, grace_seconds: float) -> bool:
    """Ends that very process and waits until it is gone; SIGTERM first unless the grace is 0.

    Returns:
        Whether it was there to be ended.
    """
    if not is_running(pid, birth):
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM if grace_seconds else signal.SIGKILL)
        os.kill(pid, signal.SIGCONT)
        deadline = time.monotonic() + grace_seconds
        while is_running(pid, birth) and time.monotonic() < deadline:
            time.sleep(0.02)
        if is_running(pid, birth):
            os.kill(pid, signal.SIGKILL)
    while is_running(pid, birth):
        time.sleep(0.01)
    return True


def _start_guarded(
    command: Sequence[str], output: int, environment: Mapping[str, str] | None
) -> "tuple[subprocess.Popen[bytes], int]":
    # a session of its own: Ctrl-C in the terminal reaches the starter alone, which then stops them in order
    guard = subprocess.Popen(
        [sys.executable, "-I", "-S", str(GUARD), *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=output,
        start_new_session=True,
        env=environment,
    )
    assert guard.stdout is not None
    told = guard.stdout.readline().strip()
    return guard, int(told) if told.isdigit() else 0


def _start_detached(command: Sequence[str], output: int, environment: Mapping[str, str] | None) -> int:
    try:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            env=environment,
        )
    except OSError as error:
        raise JobFailed(
            f"{command[0]} cannot be started: {error.strerror}; reinstall riskstream[embedded]"
        ) from None
    # it outlives this process: nobody here waits for it, and the interpreter need not warn
    child.returncode = 0
    return child.pid
