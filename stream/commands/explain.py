"""`riskstream explain`: why a score is what it is."""

import asyncio
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Adds `explain`."""
    app.command()(explain)


def explain(
    score_id: Annotated[str, typer.Argument(help="Id of a score, or of an alert.")],
    json_: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Explain a published score: value, level, reasons in words, every feature and what it adds, versions.

    From level watch on all that was published with the score. Below, the features are decoded, and what
    each adds is worked out from the bundle, if it is at hand and reads no past vectors. Exit code 1 when
    there is no such score.

    Example: riskstream explain payment_anomaly:transactions:3:17:0011aabb
    """
    import msgspec

    from stream.explain.find import ALERT_PREFIX
    from stream.explain.run import explain_score
    from stream.explain.table import print_account
    from stream.quiet import quieten_libraries
    from stream.settings import load

    quieten_libraries()
    try:
        found, account = asyncio.run(explain_score(load(), score_id.removeprefix(ALERT_PREFIX)))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    if json_:
        typer.echo(msgspec.json.encode({"found": found, "account": account}))
    else:
        print_account(found, account)
