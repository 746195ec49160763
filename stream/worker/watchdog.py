"""Ends the process when a model call hangs: a thread, because the event loop hangs with it."""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from scoring.clock import stopwatch_s

HANGING_EXIT_CODE = 70


class Watchdog:
    """Watches sections of work that must end in time.

    Args:
        limit_s: longest a section may take before the process is ended with code 70.
    """

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._began: float | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def start(self) -> None:
        """Begins to watch."""
        self._thread.start()

    def stop(self) -> None:
        """Ends watching."""
        self._stopped.set()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """The section inside is watched."""
        self._began = stopwatch_s()
        try:
            yield
        finally:
            self._began = None

    def _watch(self) -> None:
        while not self._stopped.wait(min(1.0, self._limit_s / 4)):
            began = self._began
            if began is not None and stopwatch_s() - began > self._limit_s:
                print(
                    f"riskstream worker: scoring a poll took longer than model_timeout_s = {self._limit_s}; "
                    "ending the process so that another worker takes over",
                    file=sys.stderr, flush=True,
                )  # fmt: skip
                os._exit(HANGING_EXIT_CODE)
