"""What a process did in a while, and the CPU time that it and the servers used for it."""

import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

import psutil


@dataclass(frozen=True)
class Done:
    """What was done.

    Attributes:
        cpu_seconds: of this process; kafka_cpu_seconds, redis_cpu_seconds: of the servers in the same time.
    """

    events: int
    seconds: float
    cpu_seconds: float
    kafka_cpu_seconds: float
    redis_cpu_seconds: float

    @property
    def events_per_second(self) -> float:
        """Of wall time."""
        return self.events / self.seconds

    @property
    def events_per_cpu_second(self) -> float:
        """Of the process's own CPU time."""
        return self.events / self.cpu_seconds


@dataclass(frozen=True)
class Moment:
    """Seconds of a steady clock, and CPU seconds of this process and of those that are watched."""

    at_s: float
    cpu_seconds: tuple[float, ...]


def now(processes: Sequence[psutil.Process]) -> Moment:
    """The present moment."""
    return Moment(time.monotonic(), tuple(cpu_seconds(process) for process in processes))


def cpu_seconds(process: psutil.Process) -> float:
    """User and system, all threads."""
    times = process.cpu_times()
    return float(times.user + times.system)


async def measured(
    turns: AsyncIterator[int], *, warm_up_s: float, seconds: float, moment: Callable[[], Moment]
) -> Done:
    """What the turns do in the time after the warm-up, whole turns counted."""
    events, began = 0, moment()
    warm = False
    async for count in turns:
        at_s = time.monotonic() - began.at_s
        if not warm and at_s >= warm_up_s:
            warm, events, began = True, 0, moment()
        elif warm:
            events += count
            if at_s >= seconds:
                break
    ended = moment()
    used = [after - before for before, after in zip(began.cpu_seconds, ended.cpu_seconds, strict=True)]
    return Done(events, ended.at_s - began.at_s, *used)
