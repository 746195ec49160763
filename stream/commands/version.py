"""`riskstream version`: what runs here."""

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Adds `version`."""
    app.command()(version)


def version(
    json_: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Print the versions of riskstream, Python and the libraries, and the fingerprint of the arithmetic.

    Two machines with the same fingerprint (`runtime`, also on every score) give bit-identical scores.

    Example: riskstream version --json
    """
    import json

    from stream.versions import versions

    found = versions()
    if json_:
        typer.echo(json.dumps(found))
        return
    width = max(map(len, found))
    for name, text in found.items():
        typer.echo(f"{name:<{width}}  {text}")
