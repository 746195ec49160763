"""`riskstream replay`: history through the same engine, without any service running."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from schemas.event import EventType
    from scoring.files.mapping import Mapping
    from scoring.scorer import Scorer
    from stream.replay.order import Order, Summary
    from stream.settings import Settings

EPILOG = (
    "Example: riskstream replay cards.parquet --map handbook_cards --scorer payment_anomaly --out scores.parquet\n\n"
    "Example: riskstream replay transactions --against risk-scores"
)


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(epilog=EPILOG)(replay)


def replay(
    sources: Annotated[list[str], typer.Argument(help="Files (Parquet, CSV, JSON lines), or one topic.")],
    scorer: Annotated[list[str] | None, typer.Option("--scorer", help="Scorer to run; repeatable.")] = None,
    bundle: Annotated[
        Path | None, typer.Option("--bundle", help="Bundle folder instead of the one in force.")
    ] = None,
    map_: Annotated[
        str | None, typer.Option("--map", help="Mapping of the files: a shipped name or a TOML file.")
    ] = None,
    from_: Annotated[
        str | None, typer.Option("--from", help="Topics: score from this time on (ISO 8601).")
    ] = None,
    to: Annotated[str | None, typer.Option("--to", help="Topics: up to this time (ISO 8601).")] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Files: most events.")] = None,
    cores: Annotated[
        int | None,
        typer.Option("--cores", min=1, help="Files: cores to use, all if left out; scores are the same."),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Parquet file for the scores.")] = None,
    against: Annotated[
        str | None,
        typer.Option("--against", help="Served scores to compare with: a Parquet file or risk-scores."),
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print the summary as one JSON object.")] = False,
) -> None:
    """Replays files or a topic through the live engine, and compares the scores with those that were served.

    Files have no broker time, so the check for events of the far future is left out. Nothing is written to live topics.
    """
    from stream.replay.report import Report, print_summary
    from stream.replay.run import replay as run
    from stream.settings import load

    settings = load()
    order = _order(settings, sources, scorer or [], bundle, map_, from_, to, limit, cores, out, against)
    with Report(quiet=json_) as report:
        summary = _run(run(settings, order, report.progress))
    print_summary(summary, order, as_json=json_)


def _run(job: "Coroutine[None, None, Summary]") -> "Summary":
    from aiokafka.errors import KafkaError

    from scoring.files import BadMapping, UnreadableFile
    from scoring.model.errors import RefusedBundle
    from stream.errors import JobFailed

    try:
        return asyncio.run(job)
    except (RefusedBundle, BadMapping, UnreadableFile) as error:
        raise JobFailed(str(error)) from error
    except KafkaError as error:
        raise JobFailed(f"Kafka: {error}; is the broker up? riskstream doctor") from error


def _order(
    settings: "Settings",
    sources: list[str],
    names: list[str],
    bundle: Path | None,
    map_: str | None,
    from_: str | None,
    to: str | None,
    limit: int | None,
    cores: int | None,
    out: Path | None,
    against: str | None,
) -> "Order":
    from schemas.catalog import event_types
    from scoring.catalog import UnknownScorer, selected
    from stream.replay.order import Order
    from stream.replay.shards import usable_cores
    from stream.time_option import time_ms

    try:
        wanted = selected(names or settings.scorers)
    except UnknownScorer as error:
        raise typer.BadParameter(str(error)) from None
    types = event_types()
    topic = (
        sources[0] if len(sources) == 1 and sources[0] in types and not Path(sources[0]).exists() else None
    )
    if topic is not None:
        event_type, mapping = types[topic], None
        if map_ is not None or limit is not None or cores is not None:
            raise typer.BadParameter("--map, --limit and --cores are for files; a topic has --from and --to")
    else:
        mapping = _mapping(map_)
        named = {scorer.event.topic for scorer in wanted.values()} if names else set()
        event_type = _event_type(mapping.event, named)
        if from_ is not None or to is not None:
            raise typer.BadParameter("--from and --to are for a topic; files have --limit")
    def log_of(scorer: "Scorer") -> str:
        return scorer.topic if topic else scorer.event.topic  # a file has both passes in it

    of_type = {name: scorer for name, scorer in wanted.items() if log_of(scorer) == event_type.topic}
    if not of_type:
        raise typer.BadParameter(
            f"no scorer of {event_type.name} among {', '.join(wanted)}; see riskstream scorers"
        )
    return Order(
        event_type=event_type, scorers=of_type, files=() if topic else tuple(map(Path, sources)), mapping=mapping,
        topic=topic, from_ms=time_ms(from_, "--from"), to_ms=time_ms(to, "--to"), limit=limit, bundle=bundle, out=out,
        against=against, shards=cores or usable_cores(),
    )  # fmt: skip


def _mapping(name: str | None) -> "Mapping":
    from scoring.files import BadMapping, read_mapping
    from scoring.files.mapping import IDENTITY

    if name is None:
        return IDENTITY
    try:
        return read_mapping(name)
    except BadMapping as error:
        raise typer.BadParameter(str(error)) from None


def _event_type(named: str | None, topics: set[str]) -> "EventType":
    from schemas.catalog import input_types

    by_name = {event_type.name: event_type for event_type in input_types().values()}
    if named is not None:
        return by_name[named]
    if len(topics) == 1:
        return input_types()[topics.pop()]
    raise typer.BadParameter(
        f"which events are these? give --map, or --scorer of one of {', '.join(by_name)}"
    )
