"""The wall clock, in one place: everything else takes time as an argument."""

import time


def now_ms() -> int:
    """Milliseconds since 1970-01-01 UTC."""
    return time.time_ns() // 1_000_000


def stopwatch_s() -> float:
    """Seconds of a clock that only goes forward, for durations."""
    return time.perf_counter()
