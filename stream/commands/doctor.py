"""`riskstream doctor`: whether everything is as it must be, and what to do where it is not."""

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Adds `doctor`."""
    app.command()(doctor)


def doctor(
    json_: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Examine broker, topics, Redis, clocks, bundles and progress; say what to do where something is wrong.

    Nothing is changed, except that three tombstones go to the topic activations to read the broker's clock.
    Exit code 1 when there is an error; warnings alone leave it 0.

    Example: riskstream doctor --json
    """
    from collections import Counter

    import msgspec

    from stream.doctor.run import examine
    from stream.doctor.table import print_findings
    from stream.quiet import quieten_libraries
    from stream.settings import load

    quieten_libraries()
    findings = examine(load())
    counts = Counter(finding.level for finding in findings)
    if json_:
        told = {
            "good": not counts["error"],
            "errors": counts["error"],
            "warnings": counts["warning"],
            "findings": findings,
        }
        typer.echo(msgspec.json.encode(told))
    else:
        print_findings(findings)
    if counts["error"]:
        raise typer.Exit(1)
