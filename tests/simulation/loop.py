"""An event loop whose time jumps to the next thing that is due: waiting costs nothing, and every run is the same."""

import asyncio
from typing import Any


class VirtualLoop(asyncio.SelectorEventLoop):
    """asyncio without waiting. Nothing in it may do input or output, or start threads."""

    def __init__(self) -> None:
        super().__init__()
        self._now = 0.0

    def time(self) -> float:
        """Seconds since the loop was made, of its own time."""
        return self._now

    def _run_once(self) -> None:
        scheduled: Any = self._scheduled  # type: ignore[attr-defined]
        if not self._ready and scheduled:  # type: ignore[attr-defined]
            self._now = max(self._now, scheduled[0]._when)
        super()._run_once()  # type: ignore[misc]
