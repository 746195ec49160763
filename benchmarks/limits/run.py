"""Measures the limits, each run in a process of its own, alternating."""

import statistics
import subprocess
import sys
import uuid
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import msgspec

from benchmarks.limits.declared import LIMITS
from benchmarks.limits.given import Given
from benchmarks.limits.meter import Done
from benchmarks.plan import ROOT, BenchmarkFailed, Plan
from stream.settings import Settings

WITHIN_S = 120.0
WARM_UP_S = 1.0


@dataclass(frozen=True)
class Servers:
    """Where limits are measured: Kafka with a backlog, Redis, and the process ids of the two."""

    settings: Settings
    watched: tuple[int, int]


def measure_limits(
    servers: Servers, plan: Plan, say: Callable[[str], None], names: Sequence[str] = tuple(LIMITS)
) -> dict[str, list[Done]]:
    """Runs of every limit; the backlog has to be in the topic of payments.

    Raises:
        BenchmarkFailed: a process ended without a result.
    """
    runs: dict[str, list[Done]] = {name: [] for name in names}
    for repetition in range(plan.limit_repetitions):
        for name in names:
            done = run_one(servers, plan, name)
            runs[name].append(done)
            say(f"{name} alone {repetition + 1}/{plan.limit_repetitions}: {done.events_per_second:,.0f} events/s")
    return runs


def run_one(servers: Servers, plan: Plan, name: str) -> Done:
    """One run.

    Raises:
        BenchmarkFailed: its process ended without a result.
    """
    settings = servers.settings
    given = Given(
        limit=name, kafka_bootstrap=settings.kafka_bootstrap, redis_url=settings.redis_url,
        bundle_dirs=tuple(str(folder.resolve()) for folder in settings.bundle_dirs),
        namespace=f"limit-{uuid.uuid4().hex[:8]}", partitions=plan.partitions, seed=plan.seed,
        accounts=plan.accounts, history=plan.limit_history, seconds=plan.limit_seconds, warm_up_s=WARM_UP_S,
        watched=servers.watched,
    )  # fmt: skip
    return msgspec.json.decode(run_module("benchmarks.limits.process", given.encode()), type=Done)


def run_module(module: str, *arguments: str, within_s: float = WITHIN_S) -> str:
    """The last line that a module of the benchmark prints; its process is gone when this returns.

    Raises:
        BenchmarkFailed: it failed, or did not end in time.
    """
    command = [sys.executable, "-m", module, *arguments]
    try:
        ran = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=within_s, check=False
        )
    except subprocess.TimeoutExpired:
        raise BenchmarkFailed(f"{module} did not end within {within_s:.0f} s") from None
    if ran.returncode or not ran.stdout.strip():
        raise BenchmarkFailed(f"{module} ended with {ran.returncode}:\n{ran.stderr[-2_000:]}")
    return ran.stdout.strip().splitlines()[-1]


def limit_dict(name: str, runs: Sequence[Done]) -> dict[str, Any]:
    """A limit for programs: medians over its runs, CPU of the servers in microseconds per event."""
    return {
        "what": LIMITS[name],
        "events_per_second": round(statistics.median(run.events_per_second for run in runs), 1),
        "events_per_cpu_second": round(statistics.median(run.events_per_cpu_second for run in runs), 1),
        "kafka_cpu_us": round(statistics.median(1e6 * run.kafka_cpu_seconds / run.events for run in runs), 3),
        "redis_cpu_us": round(statistics.median(1e6 * run.redis_cpu_seconds / run.events for run in runs), 3),
        "runs": [{key: round(value, 3) for key, value in asdict(run).items()} for run in runs],
    }
