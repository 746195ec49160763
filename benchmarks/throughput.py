"""How many events a pipeline scores in a second, catching up with a backlog."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.broker import Broker
from benchmarks.pipelines import Pipeline

SAMPLE_EVERY_S = 0.1
FIRST_OUTPUT_WITHIN_S = 120.0
STALLED_AFTER_S = 20.0
WORST_OF_S = 5.0


@dataclass(frozen=True)
class Sample:
    """At one moment of a run: seconds of a steady clock, events scored, CPU seconds and resident bytes of the process.

    Attributes:
        beside: CPU seconds of processes that work for it, such as the broker.
    """

    at_s: float
    events: float
    cpu_seconds: float
    resident_bytes: int
    beside: tuple[float, ...] = ()


@dataclass(frozen=True)
class Throughput:
    """A pipeline's speed between its first and its last output that counts.

    Attributes:
        events: scored in `seconds`.
        events_per_second: of wall time; events_per_cpu_second: of the process's own CPU time.
        slowest_events_per_second: in the slowest `WORST_OF_S` seconds; of the whole when it is shorter.
        resident_mb: most resident memory of the process, in units of 10^6 bytes.
    """

    events: int
    seconds: float
    events_per_second: float
    events_per_cpu_second: float
    slowest_events_per_second: float
    resident_mb: float


def measure(
    pipeline: Pipeline, broker: Broker, *, backlog: int, seconds: float, warm_up_s: float = 0.0,
    beside: Callable[[], tuple[float, ...]] = tuple,
) -> list[Sample]:  # fmt: skip
    """Samples of a running pipeline from its first output until the time is over or the backlog is scored.

    Args:
        backlog: events there are to score.
        seconds: how long, from the first sample on.
        warm_up_s: what is left out after the first output.
        beside: asked at every sample for CPU seconds of other processes.

    Raises:
        BenchmarkFailed: it ended, or gives no output.
    """
    samples: list[Sample] = []
    began = last_news_s = time.monotonic()
    warm_at: float | None = None
    while True:
        scored = broker.count(pipeline.output) / pipeline.scores_per_event
        now, used = time.monotonic(), pipeline.read()
        if scored and (not samples or scored > samples[-1].events):
            last_news_s = now
        if not scored and now - began > FIRST_OUTPUT_WITHIN_S:
            raise pipeline.failed(f"no output within {FIRST_OUTPUT_WITHIN_S:.0f} s")
        if samples and now - last_news_s > STALLED_AFTER_S:
            raise pipeline.failed(
                f"{scored:,.0f} of {backlog:,} events scored, then nothing for {STALLED_AFTER_S:.0f} s"
            )
        if scored and warm_at is None:
            warm_at = now + warm_up_s
        if warm_at is not None and now >= warm_at:
            samples.append(Sample(now, scored, used.cpu_seconds, used.resident_bytes, beside()))
            if scored >= backlog or now - samples[0].at_s >= seconds:
                return samples
        time.sleep(SAMPLE_EVERY_S)


def summarise(samples: Sequence[Sample]) -> Throughput:
    """The speed between the first and the last sample.

    Raises:
        ValueError: fewer than two samples, or nothing was scored between them.
    """
    first, last = samples[0], samples[-1]
    events, seconds = last.events - first.events, last.at_s - first.at_s
    if events <= 0:
        raise ValueError(f"{len(samples)} samples with {events:.0f} events between them; measure for longer")
    return Throughput(
        events=round(events),
        seconds=seconds,
        events_per_second=events / seconds,
        events_per_cpu_second=events / (last.cpu_seconds - first.cpu_seconds),
        slowest_events_per_second=_slowest(samples),
        resident_mb=max(sample.resident_bytes for sample in samples) / 1e6,
    )


def median(runs: Sequence[Throughput]) -> Throughput:
    """Each figure's median over the runs; the slowest seconds and the memory are the worst of all."""
    return Throughput(
        events=round(statistics.median(run.events for run in runs)),
        seconds=statistics.median(run.seconds for run in runs),
        events_per_second=statistics.median(run.events_per_second for run in runs),
        events_per_cpu_second=statistics.median(run.events_per_cpu_second for run in runs),
        slowest_events_per_second=min(run.slowest_events_per_second for run in runs),
        resident_mb=max(run.resident_mb for run in runs),
    )


def _slowest(samples: Sequence[Sample]) -> float:
    rates = []
    end = 0
    for start in samples:
        while end < len(samples) and samples[end].at_s - start.at_s < WORST_OF_S:
            end += 1
        if end == len(samples):
            break
        rates.append((samples[end].events - start.events) / (samples[end].at_s - start.at_s))
    first, last = samples[0], samples[-1]
    return min(rates, default=(last.events - first.events) / (last.at_s - first.at_s))
