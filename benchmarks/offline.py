"""How fast `riskstream replay` and `riskstream feed` read a file of payments."""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.contestants import SCORER
from benchmarks.pipelines import variables_of
from benchmarks.plan import ROOT, BenchmarkFailed
from schemas.events.transaction import EVENT
from stream.settings import PREFIX, Settings

WITHIN_S = 600


@dataclass(frozen=True)
class Rate:
    """Events, events per second as the command itself says, and per CPU second of its whole process, start included."""

    events: int
    events_per_second: float
    events_per_cpu_second: float


def replay_rate(settings: Settings, file: Path) -> Rate:
    """`riskstream replay` of the file by one scorer, scores written to Parquet, all on one core where that can be had.

    Raises:
        BenchmarkFailed: the command failed.
    """
    out = file.with_suffix(".scores.parquet")
    with _one_core():
        return _run(settings, "replay", str(file), "--scorer", SCORER, "--out", str(out), "--json")


def feed_rate(settings: Settings, file: Path) -> Rate:
    """`riskstream feed` of the file into the topic of payments, as fast as it goes.

    Raises:
        BenchmarkFailed: the command failed.
    """
    return _run(settings, "feed", EVENT.topic, str(file), "--json")


@contextmanager
def _one_core() -> Iterator[None]:
    """What is started inside runs on one core, where the system lets us say so."""
    held = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
    if held:
        os.sched_setaffinity(0, {max(held)})
    try:
        yield
    finally:
        if held:
            os.sched_setaffinity(0, held)


def _run(settings: Settings, *arguments: str) -> Rate:
    before = _children_cpu_s()
    done = subprocess.run(
        [sys.executable, "-c", "from stream.cli import main; main()", *arguments],
        cwd=ROOT, env=_environment(settings), capture_output=True, text=True, timeout=WITHIN_S, check=False,
    )  # fmt: skip
    if done.returncode:
        raise BenchmarkFailed(
            f"riskstream {arguments[0]} ended with {done.returncode}: {done.stderr[-2_000:]}"
        )
    told: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    cpu_s = _children_cpu_s() - before
    return Rate(told["events"], told["events_per_second"], told["events"] / cpu_s)


def _environment(settings: Settings) -> Mapping[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    return kept | variables_of(settings) | {f"{PREFIX}DATA_DIR": str(settings.data_dir)}


def _children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
