"""`riskstream demo`: the whole flow on this machine, shown live and judged at its end."""

import pkgutil
from pathlib import Path
from typing import Annotated

import typer

import stream.demo.uses

USES = tuple(sorted(module.name for module in pkgutil.iter_modules(stream.demo.uses.__path__)))
"""Names alone: the files are imported when one of them is shown."""


def register(app: typer.Typer) -> None:
    """Adds the command `demo`."""
    app.command("demo", epilog="Example: riskstream demo --json")(demo)


def demo(
    as_json: Annotated[
        bool, typer.Option("--json", help="End with the summary as one JSON object; progress to stderr.")
    ] = False,
    use: Annotated[
        str | None, typer.Option(help=f"Show one use with its own scorers: {', '.join(USES)}.")
    ] = None,
    picture: Annotated[
        Path | None, typer.Option(help="Write the finished screen to this file, as SVG.")
    ] = None,
) -> None:
    """Score real payments and market prices on a real Kafka and Redis, here and now.

    Starts both services and a worker in the folder `demo` of the setting data_dir, feeds the shipped data
    with some injected frauds, shows what comes back, and stops everything at its end.

    With --use the worker runs the scorers of that use alone, and the end says how they did on data they were
    not trained on.

    Exit code 1 when an event lacks its score or dead letter, fewer than 80 % of the injected frauds were
    found, or more than 5 % of the events are at level alert; with --use, when its own figures are not good enough.
    """
    from stream.demo.command import run_demo
    from stream.demo.use_catalog import use_named
    from stream.quiet import quieten_libraries
    from stream.settings import load

    quieten_libraries()
    shown = None if use is None else use_named(use)
    raise typer.Exit(run_demo(load(), as_json=as_json, use=shown, picture_to=picture))
