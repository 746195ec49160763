"""`python -m benchmarks`: measures, prints tables, writes `benchmarks/results/latest.json`."""

import dataclasses
import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from benchmarks.bench import run
from benchmarks.contestants import NAMES
from benchmarks.plan import CARDS, BenchmarkFailed, Plan
from benchmarks.results import LATEST
from benchmarks.tables import print_results
from stream.errors import JobFailed
from stream.quiet import quieten_libraries

DEFAULT = Plan()
LEAST_WIDTH = 120


def bench(
    seconds: Annotated[
        float, typer.Option(min=1, help="How long each run's throughput is measured.")
    ] = DEFAULT.seconds,
    repetitions: Annotated[int, typer.Option(min=1, help="Runs of each pipeline.")] = DEFAULT.repetitions,
    latency_seconds: Annotated[
        float, typer.Option(min=3, help="How long each rate of the latency is held.")
    ] = DEFAULT.latency_seconds,
    pipeline: Annotated[
        list[str] | None, typer.Option(help=f"Only this one, repeatable, of {', '.join(NAMES)}; needs --out.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the payments.")] = DEFAULT.seed,
    cards: Annotated[Path, typer.Option(help="Development cards for the size of the state.")] = CARDS,
    out: Annotated[Path | None, typer.Option(help="File for the results.")] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print the results as one JSON object.")] = False,
) -> None:
    """Measure throughput, limits, latency, memory, replay and feed beside what one would run otherwise.

    Takes about twenty minutes; nothing else should run meanwhile. For the figures of record: --seconds 60. Competitors
    whose package is not installed are left out; BENCH_PYTHON names another interpreter that has them.

    Example: python -m benchmarks --seconds 60 --json
    """
    unknown = [name for name in pipeline or () if name not in NAMES]
    if unknown:
        raise typer.BadParameter(f"pipeline {unknown[0]!r} is unknown; known are {', '.join(NAMES)}")
    if pipeline and out is None:
        raise typer.BadParameter(f"--pipeline measures a part; give --out, so that {LATEST.name} stays whole")
    plan = dataclasses.replace(
        DEFAULT, seconds=seconds, repetitions=repetitions, latency_seconds=latency_seconds, seed=seed,
        pipelines=tuple(name for name in NAMES if not pipeline or name in pipeline),
    )  # fmt: skip
    quieten_libraries()
    messages = Console(stderr=True)
    try:
        results = run(plan, cards, lambda text: messages.print(text, style="dim", highlight=False, markup=False))
    except (BenchmarkFailed, JobFailed) as error:
        messages.print(str(error), markup=False, highlight=False)
        raise typer.Exit(1) from None
    results.write(out or LATEST)
    if json_:
        typer.echo(json.dumps(results.as_dict()))
    else:
        console = Console()
        console.width = max(console.width, LEAST_WIDTH)  # tables that are cut help nobody
        print_results(results, console)
        messages.print(f"written to {out or LATEST}", style="dim", highlight=False)


if __name__ == "__main__":
    typer.run(bench)
