"""How long a poll takes, by its number of records and by stage: the service times of the capacity page."""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from benchmarks.full.ground import Ground
from benchmarks.full.poll_process import PollOrder, PollTimes
from benchmarks.limits.given import Given
from benchmarks.limits.run import WITHIN_S, run_module
from benchmarks.payments import Payments
from benchmarks.pipelines import new_namespace

STAGES = ("fetch", "state", "compute", "produce", "commit", "cpu")
QUANTILES = tuple(step / 20 for step in range(21))
"""Of the times of single polls: from the shortest to the longest, in steps of five hundredths."""


def measure_polls(ground: Ground) -> dict[str, Any]:
    """Quantiles of the seconds of each stage, by size of the poll.

    Raises:
        BenchmarkFailed: the process that takes the times failed.
    """
    plan, settings = ground.plan, ground.settings
    wanted = (plan.polls + 2) * sum(plan.poll_sizes) * 2
    ground.load(Payments(plan.seed, plan.history_accounts).frames(wanted))
    given = Given(
        limit="", kafka_bootstrap=settings.kafka_bootstrap, redis_url=settings.redis_url,
        bundle_dirs=tuple(str(folder.resolve()) for folder in settings.bundle_dirs), namespace=new_namespace(),
        partitions=plan.partitions, seed=plan.seed, accounts=plan.history_accounts, history=0, seconds=0.0,
        warm_up_s=0.0, watched=ground.watched,
    )  # fmt: skip
    order = PollOrder(given=given, sizes=plan.poll_sizes, polls=plan.polls)
    before = ground.servers_cpu_seconds()
    told = run_module("benchmarks.full.poll_process", msgspec.json.encode(order).decode(), within_s=2 * WITHIN_S)
    after = ground.servers_cpu_seconds()
    found = msgspec.json.decode(told, type=list[PollTimes])
    events = sum(times.records * len(times.fetch) for times in found)
    kafka_us, redis_us = (1e6 * (end - start) / events for start, end in zip(before, after, strict=True))
    for times in found:
        ground.say(f"polls of {times.records:,}: {1e3 * float(np.median(times.compute)):.1f} ms of computing")
    return {
        "quantiles": list(QUANTILES),
        "kafka_cpu_us": round(kafka_us, 3),
        "redis_cpu_us": round(redis_us, 3),
        "sizes": {str(times.records): quantiles_of(times) for times in found},
    }


def quantiles_of(times: PollTimes) -> dict[str, Any]:
    """Milliseconds of each stage at `QUANTILES`."""
    return {stage: milliseconds(getattr(times, stage)) for stage in STAGES}


def milliseconds(seconds: Sequence[float]) -> list[float]:
    """The quantiles of some durations.

    >>> milliseconds([0.001, 0.002, 0.003])[::10]
    [1.0, 2.0, 3.0]
    """
    return [round(1e3 * float(value), 3) for value in np.quantile(seconds, QUANTILES)]
