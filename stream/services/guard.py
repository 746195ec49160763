"""Runs one command for as long as its starter lives: `python guard.py COMMAND…`.

Started as a program of its own, standard library only, so that it starts in a few hundredths of a second. It
prints the process id of the command on standard output, and ends the command when standard input closes or
the starter is gone. The kernel does the same on Linux with PR_SET_PDEATHSIG, but counts the death of the
starting *thread*, which pools end early.
"""

import os
import select
import signal
import subprocess
import sys

GRACE_SECONDS = 10.0
LOOK_AT_PARENT_EVERY_SECONDS = 0.5


def main(command: list[str]) -> int:
    """Exit code of the command, negative for a signal as in `subprocess`; 0 when the starter is gone."""
    starter = os.getppid()
    woken, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sys.stderr)
    print(child.pid, flush=True)
    while child.poll() is None:
        ready, _, _ = select.select([sys.stdin, woken], [], [], LOOK_AT_PARENT_EVERY_SECONDS)
        if woken in ready:
            os.read(woken, 64)
        if sys.stdin in ready or os.getppid() != starter:
            _end(child)
            return 0
    return child.returncode


def _end(child: "subprocess.Popen[bytes]") -> None:
    child.terminate()
    try:
        child.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
