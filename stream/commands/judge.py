"""`riskstream judge`: how good the published scores are, by the labels that have come."""

from typing import Annotated

import typer

EPILOG = (
    "Example: riskstream judge --known-by 2026-01-31\n\n"
    "Example: riskstream judge --positive fraud --against payment_anomaly --json"
)


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(epilog=EPILOG)(judge)


def judge(
    scorer: Annotated[
        list[str] | None, typer.Option("--scorer", help="Scorer to judge; repeatable. Unset: all with scores.")
    ] = None,
    known_by: Annotated[
        str | None, typer.Option(help="Only labels known by this time (ISO 8601, UTC without a zone); unset: now.")
    ] = None,
    positive: Annotated[
        list[str] | None,
        typer.Option(help="Label that means what scorers look for, all others its opposite; repeatable. Unset: 1 and 0."),
    ] = None,
    from_: Annotated[str | None, typer.Option("--from", help="Only events from this time on (ISO 8601).")] = None,
    to: Annotated[str | None, typer.Option("--to", help="Only events before this time (ISO 8601).")] = None,
    against: Annotated[
        str | None, typer.Option(help="Also each scorer's difference to this one, on events that both scored.")
    ] = None,
    resamples: Annotated[int, typer.Option(min=100, help="How often entities are drawn anew.")] = 1_000,
    seed: Annotated[int, typer.Option(help="Of the drawing.")] = 7,
    json_: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Judge the published scores by the labels that have come: ranking, and decisions at watch and alert.

    Joins risk-scores with the topic labels by event and entity; of several labels the one known last counts, of
    several scores of an event the first. Levels are those that were published. Nothing is written. What is not
    labelled yet is left out: where frauds are known sooner than the rest, the figures are of no fair sample.
    """
    import asyncio

    from scoring.catalog import scorers
    from scoring.clock import now_ms
    from stream.judge.judgement import Draws
    from stream.judge.report import print_judgement
    from stream.judge.run import Asked
    from stream.judge.run import judge as run
    from stream.settings import load
    from stream.time_option import time_ms

    known_by_ms = time_ms(known_by, "--known-by")
    asked = Asked(
        known_by_ms=now_ms() if known_by_ms is None else known_by_ms,
        positives=frozenset(positive) if positive else None,
        scorers=frozenset(scorer or ()),
        from_ms=time_ms(from_, "--from"),
        to_ms=time_ms(to, "--to"),
        against=against,
        draws=Draws(resamples, seed),
    )
    print_judgement(asyncio.run(run(load(), scorers(), asked)), as_json=json_)
