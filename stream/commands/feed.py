"""`riskstream feed`: files into Kafka."""

import asyncio
import logging
import re
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import scoring

if TYPE_CHECKING:
    from schemas.event import EventType
    from scoring.files import Mapping
    from stream.feed.pseudonym import Pseudonyms
    from stream.feed.questions import AskedAt
    from stream.feed.run import Order

DRY_RUN_EVENTS = 10
_SPEED = re.compile(r"(\d+(?:\.\d+)?)x?")


def register(app: typer.Typer) -> None:
    """Adds `feed`, with the shipped mappings named in its help."""
    # by their files, as `shipped_mappings` does; importing that would slow every command down
    folder = Path(scoring.__file__).parent / "files" / "mappings"
    names = ", ".join(sorted(path.stem for path in folder.glob("*.toml")))
    app.command(help=str(feed.__doc__).replace("{mappings}", names))(feed)


def feed(
    topic: Annotated[str, typer.Argument(help="Topic to feed, for example transactions or market-ticks.")],
    files: Annotated[list[Path], typer.Argument(help="Parquet, CSV or JSON lines.")],
    map_: Annotated[
        str | None,
        typer.Option("--map", help="Shipped mapping by name, or a TOML file; unset: columns by their names."),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="field=COLUMN, field='constant', field:=A * B, time.column=…, where:=…; repeatable."
        ),
    ] = None,
    event: Annotated[
        str | None,
        typer.Option(help="Event type, for example Transaction; unset: by the topic, else the mapping."),
    ] = None,
    speed: Annotated[str, typer.Option(help="How fast event time passes: 60x, 1x, or max.")] = "max",
    limit: Annotated[int | None, typer.Option(min=1, help="Most events to feed.")] = None,
    from_row: Annotated[int, typer.Option(min=0, help="First row of the first file, from 0.")] = 0,
    as_of: Annotated[
        str | None,
        typer.Option(
            help="Also ask for every known entity's score at the end of each period (1d, 12h) or at a date."
        ),
    ] = None,
    labels: Annotated[
        bool,
        typer.Option(
            "--labels",
            help="Also write each event's label to the topic labels, with the time at which it became known. "
            "The truth is the mapping's label, or --set label=COLUMN.",
        ),
    ] = False,
    label_delay: Annotated[
        str | None,
        typer.Option(
            help="With --labels: how long after the event its label is known (7d, 12h); unset: as the mapping says, "
            "else at once. A column that holds the time comes by --set label_known=COLUMN."
        ),
    ] = None,
    pseudonymise: Annotated[
        list[str] | None,
        typer.Option(help="Field to replace by a keyed pseudonym (HMAC-SHA256); repeatable."),
    ] = None,
    key_file: Annotated[
        Path | None, typer.Option(help="File with the pseudonyms' key; else RISKSTREAM_PSEUDONYM_KEY_FILE.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the first events, then their labels; send nothing.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 when a row or a label was refused.")] = False,
    refused_to: Annotated[
        Path | None, typer.Option(help="Write every refused row to this file, as JSON lines.")
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print the summary as one JSON object.")] = False,
) -> None:
    """Feed files into a topic as events: mapped, checked, keyed and paced.

    Every row becomes an event, or is refused with its row number and a reason, or is left out by the
    mapping's `where` and counted.

    Shipped mappings: {mappings}.

    Example: riskstream feed transactions cards.csv --set account_id=CARD --set time.column=WHEN --dry-run

    Example: riskstream feed transactions cards.parquet --map handbook_cards --labels --label-delay 7d

    Example: riskstream feed market-ticks eurusd_bid.csv eurusd_ask.csv --map fx_minute_bars --speed 60x
    """
    from rich.console import Console

    from stream import settings as all_settings
    from stream.errors import JobFailed
    from stream.feed.report import Report, summary_json, summary_table
    from stream.feed.run import Order
    from stream.feed.run import feed as run_feed

    # what goes wrong is told in the words of JobFailed; the client's own lines would repeat it by the dozen
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL + 1)
    settings = all_settings.load()
    mapping = _labelled(_mapping(map_, set_ or []), label_delay, labels=labels)
    event_type = _event_type(topic, event, mapping)
    order = Order(
        topic=topic,
        files=tuple(files),
        mapping=mapping,
        event_type=event_type,
        limit=min(limit or DRY_RUN_EVENTS, DRY_RUN_EVENTS) if dry_run else limit,
        from_row=from_row,
        speed=_speed(speed),
        pseudonyms=_pseudonyms(pseudonymise or [], key_file or settings.pseudonym_key_file, event_type),
        asked_at=_asked_at(as_of),
        labels=labels,
    )
    messages = Console(stderr=True)
    if dry_run:
        _show(order, messages)
        return
    with Report(messages, topic=topic, total=limit, refused_to=refused_to) as report:
        progress = asyncio.run(
            run_feed(settings, order, on_progress=report.progress, on_refused=report.refused)
        )
    if json_:
        typer.echo(summary_json(topic, progress))
    else:
        Console().print(summary_table(topic, progress))
    if strict and (progress.refused or progress.labels_refused):
        what = f"{progress.refused} rows" + (f" and {progress.labels_refused} labels" if labels else "")
        raise JobFailed(f"{what} were refused, and --strict is given; correct the file or the mapping")


def _asked_at(text: str | None) -> "AskedAt | None":
    from stream.feed.questions import AskedAt

    try:
        return None if text is None else AskedAt.parse(text)
    except ValueError as wrong:
        raise typer.BadParameter(str(wrong), param_hint="--as-of") from None


def _mapping(name: str | None, options: list[str]) -> "Mapping":
    from scoring.files import BadMapping, read_mapping
    from scoring.files.mapping import IDENTITY

    try:
        return (read_mapping(name) if name else IDENTITY).with_options(options)
    except BadMapping as error:
        raise typer.BadParameter(str(error)) from None


def _labelled(mapping: "Mapping", delay: str | None, *, labels: bool) -> "Mapping":
    from scoring.files import BadMapping

    if not labels:
        if delay is not None:
            raise typer.BadParameter("it goes with --labels", param_hint="--label-delay")
        return mapping
    if mapping.label is None:
        raise typer.BadParameter(
            f"mapping {mapping.name} names no label; add --set label=COLUMN", param_hint="--labels"
        )
    try:
        return mapping if delay is None else mapping.with_options([f"label_delay={delay}"])
    except BadMapping as error:
        raise typer.BadParameter(str(error), param_hint="--label-delay") from None


def _event_type(topic: str, name: str | None, mapping: "Mapping") -> "EventType":
    from schemas.catalog import input_types

    by_name = {each.name: each for each in input_types().values()}
    chosen = name or (input_types()[topic].name if topic in input_types() else mapping.event)
    if chosen is None:
        raise typer.BadParameter(
            f"topic {topic!r} is not one of {', '.join(input_types())}; say what it carries with --event "
            f"{' or '.join(by_name)}"
        )
    if chosen not in by_name:
        raise typer.BadParameter(f"event type {chosen!r} is unknown; known are {', '.join(by_name)}")
    return by_name[chosen]


def _speed(text: str) -> float | None:
    if text == "max":
        return None
    match = _SPEED.fullmatch(text)
    if match is None or float(match.group(1)) == 0:
        raise typer.BadParameter(f"speed {text!r}; write max, or a factor such as 60x")
    return float(match.group(1))


def _pseudonyms(fields: list[str], key_file: Path | None, event_type: "EventType") -> "Pseudonyms | None":
    from scoring.files.rules import field_rules
    from stream.feed.pseudonym import Pseudonyms, read_key

    if not fields:
        return None
    texts = [name for name, rule in field_rules(event_type).items() if rule.kind == "text"]
    unknown = [name for name in fields if name not in texts]
    if unknown:
        raise typer.BadParameter(
            f"--pseudonymise {unknown[0]}: no text field of {event_type.name}; choose from {', '.join(texts)}"
        )
    if key_file is None:
        raise typer.BadParameter(
            "--pseudonymise needs a key: give --key-file, or set RISKSTREAM_PSEUDONYM_KEY_FILE; "
            "make one with: openssl rand -hex 32 > pseudonym.key"
        )
    return Pseudonyms(tuple(fields), read_key(key_file))


def _show(order: "Order", messages: object) -> None:
    """Prints the first events as JSON lines and then their labels, and what of them is refused to standard error."""
    from stream.feed.labels import label_frame
    from stream.feed.records import encode
    from stream.feed.report import told

    shown = labelled = 0
    for chunk in islice(order.chunks(), 1):
        for line in encode(chunk.frame):
            typer.echo(line)
            shown += 1
        for row in chunk.refused[:DRY_RUN_EVENTS]:
            typer.echo(f"refused {told(row)}", err=True)
        if order.labels:
            for line in encode(label_frame(chunk, order.event_type)):
                typer.echo(line)
                labelled += 1
            for row in chunk.labels_refused:
                typer.echo(f"refused label {told(row)}", err=True)
    said = f"{shown} events and {labelled} labels" if order.labels else f"{shown} events"
    typer.echo(f"{said} shown, nothing sent", err=True)
