"""Latency from producer to score against load: one rate after another, by one worker and by two."""

from collections.abc import Iterator
from typing import Any

from benchmarks.full.ground import TWO_WORKERS, WORKER, Ground
from benchmarks.full.medians import medians
from benchmarks.full.plan import FullPlan
from benchmarks.latency import Rate, make_producer, measure_latency, wait_until_scoring
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
            if rate.first_block == 0:
                continue  # the first is there to warm up
            found[rate.events_per_second] = latency.as_dict() | {"worker_cpu_us": round(used_us, 2)}
            ground.say(f"{name} at {latency.rate:,}/s: p50 {latency.p50_ms:.1f} ms, p99 {latency.p99_ms:.1f} ms")
    return found


def rates_of(plan: FullPlan) -> Iterator[Rate]:
    """The highest rate to warm up with, then those of the plan, each with payments of its own."""
    first_block = 0
    for events_per_second, seconds in (
        (max(plan.rates), plan.rate_warm_up_seconds),
        *((each, plan.rate_seconds) for each in plan.rates),
    ):
        rate = Rate(events_per_second=events_per_second, seconds=seconds, first_block=first_block)
        yield rate
        first_block += rate.blocks
