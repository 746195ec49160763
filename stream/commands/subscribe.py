"""`riskstream subscribe`: what a topic holds and what comes, for people and programs."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stream.subscribe.message import Message, Wanted
    from stream.subscribe.topic import TopicReader


def register(app: typer.Typer) -> None:
    """Adds `subscribe`."""
    app.command()(subscribe)


def subscribe(
    topic: Annotated[str, typer.Argument(help="risk-scores, alerts, dead-letters, or any other topic.")],
    from_: Annotated[
        str,
        typer.Option("--from", help="earliest, latest, or when the record arrived: 2024-01-31T12:00Z (UTC)."),
    ] = "latest",
    min_level: Annotated[
        str | None, typer.Option(help="Scores from this level on: none, watch or alert.")
    ] = None,
    entity: Annotated[str | None, typer.Option(help="Only this account, symbol or other entity.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="End after this many shown records.")] = None,
    timeout: Annotated[
        float | None, typer.Option(min=0, help="End after this many seconds without a shown record.")
    ] = None,
    json_: Annotated[
        bool, typer.Option("--json", help="Print the value of each record as one JSON line.")
    ] = False,
) -> None:
    """Show what a topic holds and what comes, until Ctrl-C; joins no consumer group and commits nothing.

    Example: riskstream subscribe alerts --from earliest

    Example: riskstream subscribe risk-scores --min-level watch --entity 4711 --json --timeout 10
    """
    import logging
    import os
    import sys

    from rich.console import Console

    from schemas.catalog import event_types
    from schemas.topics import ACTIVATIONS, DEAD_LETTERS, LABELS
    from stream import settings as all_settings
    from stream.subscribe.message import LEVELS, Wanted
    from stream.subscribe.table import Lines
    from stream.subscribe.topic import TopicReader, parse_start

    if min_level is not None and min_level not in LEVELS:
        raise typer.BadParameter(f"--min-level {min_level!r}; write one of {', '.join(LEVELS)}")
    if min_level is not None and topic in {*event_types(), DEAD_LETTERS, LABELS, ACTIVATIONS}:
        raise typer.BadParameter(f"--min-level is for scores and alerts; records of {topic!r} have no level")
    try:
        start = parse_start(from_)
    except ValueError as error:
        raise typer.BadParameter(f"--from {error}") from None

    settings = all_settings.load()
    logging.getLogger("kafka").setLevel(logging.ERROR)
    show = _print_json if json_ else Lines(Console(highlight=False, soft_wrap=True)).print
    shown = 0
    try:
        with TopicReader(settings, topic, start) as reader:
            if sys.stderr.isatty():
                typer.echo(f"listening to {topic} from {from_}; Ctrl-C ends", err=True)
            chosen = _chosen(reader, Wanted(min_level, entity), limit, timeout)
            for messages in chosen:
                shown += len(messages)
                show(messages)
    except KeyboardInterrupt:
        pass  # the wanted end
    except BrokenPipeError:
        # the reader of our output has gone, as with `| head`; what Python still holds must not be written
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return
    if sys.stderr.isatty():
        typer.echo(f"{shown} shown", err=True)


def _chosen(
    reader: "TopicReader", wanted: "Wanted", limit: int | None, timeout_s: float | None
) -> "Iterator[list[Message]]":
    """The wanted messages of every poll, until the limit is reached or the time is over."""
    from scoring.clock import stopwatch_s
    from stream.subscribe.message import read

    left = limit
    last_shown_s = stopwatch_s()
    for records in reader.polls():
        messages = [message for message in map(read, records) if wanted(message)]
        messages = messages if left is None else messages[:left]
        if messages:
            last_shown_s = stopwatch_s()
            left = None if left is None else left - len(messages)
            yield messages
        if left == 0 or (timeout_s is not None and stopwatch_s() - last_shown_s >= timeout_s):
            return


def _print_json(messages: "list[Message]") -> None:
    import sys

    sys.stdout.buffer.write(b"".join(message.line() + b"\n" for message in messages))
    sys.stdout.buffer.flush()
