"""`python -m benchmarks.full`: measures the parts, writes `benchmarks/results/full.json`, prints tables."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from benchmarks.full.plan import SHORT, FullPlan
from benchmarks.full.run import FULL, PARTS, run
from benchmarks.full.tables import print_parts
from benchmarks.plan import BenchmarkFailed
from stream.errors import JobFailed
from stream.quiet import quieten_libraries

LEAST_WIDTH = 120


def full(
    part: Annotated[
        list[str] | None, typer.Option(help=f"Only this one, repeatable, of {', '.join(PARTS)}.")
    ] = None,
    short: Annotated[bool, typer.Option("--short", help="Small and quick, to see that it works; needs --out.")] = False,
    repetitions: Annotated[int | None, typer.Option(min=1, help="Runs of each point.")] = None,
    out: Annotated[Path | None, typer.Option(help="File that the results go into.")] = None,
) -> None:
    """Measure limits, cost curves, latency against load and cold start; some 30 minutes, each part at most eleven.

    Results of a part take the place of earlier ones in the file; the other parts stay as they are.

    Example: python -m benchmarks.full --part entities
    """
    unknown = [name for name in part or () if name not in PARTS]
    if unknown:
        raise typer.BadParameter(f"part {unknown[0]!r} is unknown; known are {', '.join(PARTS)}")
    if short and out is None:
        raise typer.BadParameter(f"--short gives no figures of record; give --out, so that {FULL.name} stays")
    quieten_libraries()
    messages = Console(stderr=True)
    names = [name for name in PARTS if not part or name in part]
    plan = SHORT if short else FullPlan()
    if repetitions is not None:
        plan = replace(plan, repetitions=repetitions, rate_repetitions=repetitions)
    try:
        held = run(
            plan, names, out or FULL,
            lambda text: messages.print(text, style="dim", highlight=False, markup=False),
        )  # fmt: skip
    except (BenchmarkFailed, JobFailed) as error:
        messages.print(str(error), markup=False, highlight=False)
        raise typer.Exit(1) from None
    console = Console()
    console.width = max(console.width, LEAST_WIDTH)
    print_parts({name: held[name] for name in names}, console)


if __name__ == "__main__":
    typer.run(full)
