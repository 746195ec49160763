"""`python -m benchmarks.capacity`: what a million events a second needs, by `benchmarks/results/full.json`."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from benchmarks.capacity.service import NotMeasured
from benchmarks.capacity.tables import capacity_tables
from benchmarks.full.run import FULL


def capacity(results: Annotated[Path, typer.Option(help="Results of the full benchmark.")] = FULL) -> None:
    """Print what a rate needs, where it first breaks, and what a simulation with measured times says."""
    try:
        tables = capacity_tables(json.loads(results.read_text()))
    except (NotMeasured, FileNotFoundError) as missing:
        Console(stderr=True).print(str(missing), markup=False, highlight=False)
        raise typer.Exit(1) from None
    console = Console()
    for table in tables.values():
        console.print(table.drawn())


if __name__ == "__main__":
    typer.run(capacity)
