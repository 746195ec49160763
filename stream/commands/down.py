"""`riskstream down`: stops what `riskstream up` started."""

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Adds the command `down`."""
    app.command("down")(down)


def down(
    data_dir: Annotated[
        Path | None, typer.Option(help="Folder given to `up`; the setting data_dir when not given.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Stop the Kafka and Redis of this folder; their data stays.

    Only the very processes that `up` started are stopped, never another one that got the same process id.

    Example: riskstream down
    """
    import json

    from stream.services.embedded import stop_services
    from stream.settings import load

    folder = (data_dir or load().data_dir).resolve()
    stopped = stop_services(folder)
    if as_json:
        typer.echo(json.dumps({"stopped": stopped, "data_dir": str(folder)}))
    else:
        typer.echo(f"stopped; the data stays in {folder}" if stopped else f"nothing runs for {folder}")
