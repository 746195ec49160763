"""`riskstream scorers`: what is declared."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from stream.scorer_list import ScorerRow


def register(app: typer.Typer) -> None:
    """Adds `scorers`."""
    app.command()(scorers)


def scorers(
    json_: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """List the declared scorers: what for, which event, views, trainer, bundle and policy.

    The bundle is the one a worker without recorded activation would use; what is in force on the
    partitions is what `riskstream doctor` reports.

    Example: riskstream scorers --json
    """
    import msgspec

    from schemas.catalog import BrokenDeclaration
    from scoring import catalog
    from stream.bundle_library import BundleLibrary
    from stream.errors import JobFailed
    from stream.scorer_list import scorer_rows
    from stream.settings import load

    try:
        declared = catalog.scorers()
    except BrokenDeclaration as error:
        raise JobFailed(str(error)) from error
    rows = scorer_rows(declared, BundleLibrary(load().bundle_dirs))
    if json_:
        typer.echo(msgspec.json.encode({"scorers": rows}))
    else:
        _print_table(rows)


def _print_table(rows: "list[ScorerRow]") -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False, markup=False)
    table = Table("scorer", "reads", "model", "policy", show_lines=True)
    for column in table.columns:
        column.overflow = "fold"
    for row in rows:
        policy = row.policy
        table.add_row(
            f"{row.name}{' (shadow)' if row.shadow else ''}\n{row.use}",
            f"{row.event} on {row.topic}\n{', '.join(row.views)}",
            f"{row.trainer}\n{row.bundle or 'no bundle'}",
            f"watch {policy['watch']}\nalert {policy['alert']}\n"
            f"cool-down {policy['cooldown_ms'] / 1_000:g} s",
        )
    console.print(table)
    for row in rows:
        if row.bundle_problem:
            console.print(row.bundle_problem, soft_wrap=True)
