"""The parts of the full benchmark, one after another; each one's results go into the file as soon as it is done."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.full.cold_start import measure_cold_start
from benchmarks.full.entities import measure_entities
from benchmarks.full.ground import Ground, Say, ground
from benchmarks.full.load import measure_load
from benchmarks.full.plan import FullPlan
from benchmarks.full.polls import measure_polls
from benchmarks.full.skew import measure_skew
from benchmarks.full.windows import measure_windows
from benchmarks.full.workers import measure_workers
from benchmarks.limits.run import Servers, limit_dict, measure_limits
from benchmarks.machine import machine
from benchmarks.payments import Payments
from benchmarks.plan import Plan

FULL = Path(__file__).parents[1] / "results" / "full.json"


@dataclass(frozen=True)
class Part:
    """One part.

    Attributes:
        about: what it takes, for people, with its rough duration.
        measure: gives its results.
        append_only: whether its Redis writes changes to disk, as that of every other benchmark does.
    """

    about: str
    measure: Callable[[Ground], dict[str, Any]]
    append_only: bool = True


def limits(ground: Ground) -> dict[str, Any]:
    """Every limit over a backlog."""
    plan = ground.plan
    few = Plan(
        seed=plan.seed, accounts=plan.history_accounts, partitions=plan.partitions,
        limit_history=plan.history, limit_seconds=plan.seconds / 2, limit_repetitions=plan.repetitions,
    )  # fmt: skip
    ground.load(Payments(plan.seed, plan.history_accounts).frames(plan.backlog))
    runs = measure_limits(Servers(ground.settings, ground.watched), few, ground.say)
    return {name: limit_dict(name, some) for name, some in runs.items()}


PARTS: Mapping[str, Part] = {
    "limits": Part("each part of the work alone; 4 minutes", limits),
    "polls": Part("times of single polls by size and stage; 2 minutes", measure_polls),
    "workers": Part("one worker and two; 3 minutes", measure_workers),
    # a server that rewrites its log of 5 GB would do so in the middle of some runs and not of others
    "entities": Part("10 thousand to 2 million entities; 8 minutes", measure_entities, append_only=False),
    "windows": Part(
        "longest window 1 hour to 90 days; 3 minutes", lambda ground: measure_windows(ground.plan, ground.say)
    ),
    "skew": Part("one entity with half of the events; 4 minutes", measure_skew),
    "load": Part("latency against load; 11 minutes", measure_load),
    "cold_start": Part("process start to first score; 3 minutes", measure_cold_start),
}
"""The parts by name, in the order in which they run."""


def run(plan: FullPlan, names: Sequence[str], file: Path, say: Say) -> dict[str, Any]:
    """Measures the parts and puts them into the file beside those that are there; what the file then holds.

    Raises:
        BenchmarkFailed: a pipeline or process did not do its work; parts done before are in the file.
        JobFailed: the services cannot be started.
    """
    held: dict[str, Any] = json.loads(file.read_text()) if file.is_file() else {}
    for name in names:
        held = put_in(held, name, measure_part(plan, name, say))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(held, indent=1) + "\n")
    return held


def measure_part(plan: FullPlan, name: str, say: Say) -> dict[str, Any]:
    """One part on services of its own, with machine, versions and plan."""
    part = PARTS[name]
    say(f"{name}: {part.about}")
    found = machine()
    began = time.monotonic()
    with ground(plan, say, append_only=part.append_only) as (made, versions):
        results = part.measure(made)
    return {
        "results": results,
        "took_s": round(time.monotonic() - began),
        "redis_append_only": part.append_only,
        "machine": found,
        "versions": versions,
        "plan": asdict(plan),
    }


def put_in(held: Mapping[str, Any], name: str, part: Any) -> dict[str, Any]:
    """What is held with one part put in its place, parts in the order of `PARTS`."""
    parts = {**held, name: part}
    return {name: parts[name] for name in PARTS if name in parts}
