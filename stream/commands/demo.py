"""`riskstream demo`: the whole flow on this machine, shown live and judged at its end."""

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Adds the command `demo`."""
    app.command("demo", epilog="Example: riskstream demo --json")(demo)


def demo(
    as_json: Annotated[
        bool, typer.Option("--json", help="End with the summary as one JSON object; progress to stderr.")
    ] = False,
    picture: Annotated[
        Path | None, typer.Option(help="Write the finished screen to this file, as SVG.")
    ] = None,
) -> None:
    """Score real payments and market prices on a real Kafka and Redis, here and now.

    Starts both services and a worker in the folder `demo` of the setting data_dir, feeds the shipped data
    with some injected frauds, shows what comes back, and stops everything at its end.

    Exit code 1 when an event lacks its score or dead letter, fewer than 80 % of the injected frauds were
    found, or more than 5 % of the events are at level alert.
    """
    from stream.demo.command import run_demo
    from stream.quiet import quieten_libraries
    from stream.settings import load

    quieten_libraries()
    raise typer.Exit(run_demo(load(), as_json=as_json, picture_to=picture))
