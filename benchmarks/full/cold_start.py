"""From the start of a worker's process to its first score, with compiled kernels cached; memory then and under load."""

import time
from typing import Any

from benchmarks.full.ground import Ground
from benchmarks.full.medians import medians
from benchmarks.payments import Payments
from benchmarks.pipelines import Pipeline
from benchmarks.plan import BenchmarkFailed

FIRST_SCORE_WITHIN_S = 60.0
LOOK_EVERY_S = 0.01


def measure_cold_start(ground: Ground) -> dict[str, Any]:
    """Starts over a backlog; the first one, which may compile, is left out.

    Raises:
        BenchmarkFailed: there was no score in time.
    """
    plan = ground.plan
    runs = []
    for number in range(plan.cold_starts + 1):
        ground.load(Payments(plan.seed, plan.history_accounts).frames(plan.backlog))
        run = one_start(ground)
        if number:
            runs.append(run)
            ground.say(f"start {number}/{plan.cold_starts}: first score after {run['first_score_s']:.2f} s")
    return medians(runs)


def one_start(ground: Ground) -> dict[str, float]:
    """Seconds from the process to the first score on the topic, resident memory there and at its most under load."""
    began = time.monotonic()
    with ground.pipeline() as pipeline:
        first_score_s = wait_for_score(ground, pipeline, began)
        resident_then = pipeline.read().resident_bytes
        loaded = ground.throughput(pipeline)
    return {
        "first_score_s": round(first_score_s, 3),
        "resident_mb_at_first_score": round(resident_then / 1e6, 1),
        "resident_mb_under_load": loaded["resident_mb"],
    }


def wait_for_score(ground: Ground, pipeline: Pipeline, began_s: float) -> float:
    """Seconds since `began_s` when the first score is there.

    Raises:
        BenchmarkFailed: there is none in time.
    """
    while not ground.broker.count(pipeline.output):
        if time.monotonic() - began_s > FIRST_SCORE_WITHIN_S:
            raise _late(pipeline)
        pipeline.read()  # raises when the process has ended
        time.sleep(LOOK_EVERY_S)
    return time.monotonic() - began_s


def _late(pipeline: Pipeline) -> BenchmarkFailed:
    return pipeline.failed(f"no score within {FIRST_SCORE_WITHIN_S:.0f} s of its start")
