"""Latency from producer to score against load: one rate after another, by one worker and by two."""

from collections.abc import Iterator
from typing import Any

from benchmarks.full.ground import TWO_WORKERS, WORKER, Ground
from benchmarks.full.medians import medians
from benchmarks.full.plan import FullPlan
from benchmarks.latency import Rate, after_warm_up, make_producer, measure_latency, wait_until_scoring
from benchmarks.payments import Payments

RUNS = {WORKER: "one_worker", TWO_WORKERS: "two_workers"}


def measure_load(ground: Ground) -> dict[str, Any]:
    """Percentiles at every rate for one worker and for two; the medians of the repetitions."""
    plan = ground.plan
    found: dict[str, dict[int, list[dict[str, float]]]] = {name: {} for name in RUNS}
    for _ in range(plan.rate_repetitions):
        for name, by_rate in found.items():
            for rate, latency in _latencies(ground, name).items():
                by_rate.setdefault(rate, []).append(latency)
    return {
        RUNS[name]: {str(rate): medians(some, digits=2) for rate, some in by_rate.items()}
        for name, by_rate in found.items()
    }


def _latencies(ground: Ground, name: str) -> dict[int, dict[str, float]]:
    plan, settings = ground.plan, ground.settings
    payments = Payments(plan.seed, plan.history_accounts)
    ground.broker.reset()
    producer = make_producer(settings)
    found = {}
    with ground.pipeline(name) as pipeline:
        pipeline.wait_ready()
        wait_until_scoring(pipeline, ground.broker, producer)
        for rate in rates_of(plan):
            before = pipeline.read().cpu_seconds
            latency = measure_latency(
                settings, pipeline, producer, payments, rate, partitions=plan.partitions,
                settle_seconds=plan.settle_seconds,
            )  # fmt: skip
            used_us = 1e6 * (pipeline.read().cpu_seconds - before) / rate.count
            if rate.warms_up:
                continue
            found[rate.events_per_second] = latency.as_dict() | {"worker_cpu_us": round(used_us, 2)}
            ground.say(f"{name} at {latency.rate:,}/s: p50 {latency.p50_ms:.1f} ms, p99 {latency.p99_ms:.1f} ms")
    return found


def rates_of(plan: FullPlan) -> Iterator[Rate]:
    """The rates of the plan, after the one that warms up."""
    return after_warm_up(
        plan.rates, seconds=plan.rate_seconds, warm_up_seconds=plan.rate_warm_up_seconds
    )
