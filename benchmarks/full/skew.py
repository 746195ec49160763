"""Throughput when one entity gets half of all events, when all get as many, and as the benchmark's payments are."""

from dataclasses import replace
from typing import Any

from benchmarks.full.ground import Ground
from benchmarks.full.medians import medians
from benchmarks.full.plan import FullPlan
from benchmarks.payments import Payments


def measure_skew(ground: Ground) -> dict[str, Any]:
    """Runs of the worker over each kind of payments, every account with habits of its own in all of them."""
    plan = ground.plan
    kinds = kinds_of(plan)
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in kinds}
    for repetition in range(plan.repetitions):
        for name, payments in kinds.items():
            ground.load(payments.frames(plan.backlog))
            with ground.pipeline() as pipeline:
                run = ground.throughput(pipeline)
            runs[name].append(run)
            ground.say(f"{name} {repetition + 1}/{plan.repetitions}: {run['events_per_second']:,.0f} events/s")
    return {"hot_share": plan.hot_share, **{name: medians(some) for name, some in runs.items()}}


def kinds_of(plan: FullPlan) -> dict[str, Payments]:
    """Payments by how they are shared out."""
    payments = Payments(plan.seed, plan.history_accounts)
    even = replace(payments, skew=0.0)
    return {
        "uniform": even,
        "as_the_payments": payments,
        "one_gets_half": replace(even, hot_share=plan.hot_share),
    }
