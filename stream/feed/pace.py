"""When the next event is due, if event time is to pass at a multiple of real time."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Pace:
    """Event time passes `speed` times as fast as real time, from the first event on.

    An event whose time lies before that of an earlier one is due with it: the order of the file is kept.

    Args:
        speed: milliseconds of event time per millisecond of real time.
        first_ms: time of the first event.
    """

    speed: float
    first_ms: int

    def due(self, occurred_at_ms: NDArray[np.int64], elapsed_s: float) -> int:
        """How many of these events, in their order, are due that many seconds after the start.

        >>> Pace(speed=60, first_ms=0).due(np.array([0, 60_000, 30_000, 120_000]), 1.0)
        3
        """
        passed = np.maximum.accumulate(occurred_at_ms)
        return int(np.searchsorted(passed, self.first_ms + elapsed_s * 1_000 * self.speed, side="right"))

    def wait_s(self, occurred_at_ms: int, elapsed_s: float) -> float:
        """Seconds until an event of this time is due; 0.0 when it is."""
        return max(0.0, (occurred_at_ms - self.first_ms) / 1_000 / self.speed - elapsed_s)
