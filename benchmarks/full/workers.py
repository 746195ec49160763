"""Throughput of one worker and of two, alternating."""

from typing import Any

from benchmarks.full.ground import TWO_WORKERS, WORKER, Ground
from benchmarks.full.medians import medians
from benchmarks.payments import Payments
from schemas.events.transaction import EVENT
from schemas.topics import SCORES

NUMBERS = {WORKER: 1, TWO_WORKERS: 2}


def measure_workers(ground: Ground) -> dict[str, Any]:
    """Speed by number of workers, and what Kafka holds of an event and of its score in bytes of its log."""
    plan = ground.plan
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in NUMBERS}
    bytes_in = bytes_out = 0.0
    for repetition in range(plan.repetitions):
        for name in NUMBERS:
            ground.load(Payments(plan.seed, plan.history_accounts).frames(plan.backlog))
            bytes_in = ground.topic_bytes(EVENT.topic) / plan.backlog
            with ground.pipeline(name) as pipeline:
                run = ground.throughput(pipeline)
            bytes_out = ground.topic_bytes(SCORES) / ground.broker.count(SCORES)
            runs[name].append(run)
            ground.say(f"{name} {repetition + 1}/{plan.repetitions}: {run['events_per_second']:,.0f} events/s")
    return {
        "log_bytes_in": round(bytes_in, 1),
        "log_bytes_out": round(bytes_out, 1),
        "workers": {str(NUMBERS[name]): medians(some) for name, some in runs.items()},
    }
