"""`python -m benchmarks.pages`: writes tables and plots of the results into the documents. Plots need matplotlib."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from benchmarks.capacity.service import NotMeasured
from benchmarks.full.run import FULL
from benchmarks.pages.blocks import with_blocks
from benchmarks.pages.content import DOCUMENTS, PLOTS, Measured, blocks_of
from benchmarks.results import LATEST


def pages(
    plots: Annotated[bool, typer.Option(help="Draw the plots too.")] = True,
    latest: Annotated[Path, typer.Option(help="Results of `python -m benchmarks`.")] = LATEST,
    full: Annotated[Path, typer.Option(help="Results of `python -m benchmarks.full`.")] = FULL,
) -> None:
    """Bring the documents to the state of the results."""
    try:
        measured = Measured.read(latest, full)
        made = blocks_of(measured)
    except (NotMeasured, FileNotFoundError) as missing:
        Console(stderr=True).print(str(missing), markup=False, highlight=False)
        raise typer.Exit(1) from None
    for document in DOCUMENTS:
        document.write_text(with_blocks(document.read_text(), made))
    if plots:
        from benchmarks.pages.figures import svgs_of  # matplotlib is not there wherever the benchmark is

        PLOTS.mkdir(parents=True, exist_ok=True)
        for name, svg in svgs_of(measured).items():
            (PLOTS / f"{name}.svg").write_text(svg)


if __name__ == "__main__":
    typer.run(pages)
