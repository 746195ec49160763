"""`riskstream topics create`: makes the topics that are missing and judges those that exist."""

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Adds the group `topics` to the command line."""
    group = typer.Typer(no_args_is_help=True, help="Create and check the topics.")
    group.command("create")(create)
    app.add_typer(group, name="topics")


def create(
    partitions: Annotated[
        int | None, typer.Option(min=1, max=1_000, help="Partitions of new inputs; 4 when not given.")
    ] = None,
    replication: Annotated[
        int | None, typer.Option(min=1, help="Copies of new topics; the broker's default when not given.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Create the topics that are missing; judge those that exist, and change none of them.

    Exit code 1 when a topic is not as it must be; each finding says what to do.

    Example: riskstream topics create --partitions 8
    """
    import json
    from dataclasses import asdict

    from rich.console import Console
    from rich.table import Table

    from stream.errors import JobFailed
    from stream.settings import load
    from stream.topics import BROKER_DEFAULT, ensure_topics

    reports = ensure_topics(load(), partitions=partitions, replication=replication or BROKER_DEFAULT)
    if as_json:
        typer.echo(json.dumps({"topics": [asdict(report) for report in reports]}))
    else:
        table = Table("topic", "partitions", "state")
        for report in reports:
            state = "created" if report.created else "; ".join(report.problems) or "there already, good"
            table.add_row(report.topic, str(report.partitions), state)
        Console().print(table)
    wrong = [report.topic for report in reports if report.problems]
    if wrong:
        raise JobFailed(f"not as they must be: {', '.join(wrong)}; what to do stands beside each")
