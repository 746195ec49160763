"""`riskstream verify`: did every input get its one answer, and is it the right one."""

from typing import Annotated

import typer

EPILOG = "Example: riskstream verify --json"


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(epilog=EPILOG)(verify)


def verify(
    topics: Annotated[
        list[str] | None, typer.Argument(help="Input topics; every one that was scored when left out.")
    ] = None,
    wait_s: Annotated[
        float, typer.Option("--wait", min=0, help="Seconds to wait for workers to come to the end of the log.")
    ] = 30.0,
    json_: Annotated[bool, typer.Option("--json", help="Print what was found as one JSON object.")] = False,
) -> None:
    """Check that every input has its one answer, that it is the right one, and that state is that of the log.

    Topics are read by another client than the workers'. Counts are made from coordinates alone; contents by scoring the
    log again under the recorded activations; states against Redis, bit for bit. Nothing is written. Run it while nothing
    is fed. Exit code 1 when something is missing, contradicts itself or is not what the log gives.
    """
    import asyncio

    from scoring.catalog import scorers
    from stream.settings import load
    from stream.verify.report import Report, print_findings
    from stream.verify.run import verify as run

    settings = load()
    with Report(quiet=json_) as report:
        job = run(settings, scorers(), topics=topics or (), wait_s=wait_s, on_progress=report.progress)
        findings = asyncio.run(job)
    print_findings(findings, as_json=json_)
    raise typer.Exit(1 if findings.broken else 0)
