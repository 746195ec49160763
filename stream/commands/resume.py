"""`riskstream resume`: goes on with a partition that paused because too many records were refused."""

import asyncio
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Adds `resume`."""
    app.command()(resume)


def resume(
    topic: Annotated[str, typer.Argument(help="Input topic, for example transactions.")],
    partition: Annotated[int, typer.Argument(min=0, help="Number of the partition.")],
    json_: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Go on with a partition that paused because too many of its records were refused.

    Look at the dead letters first: what was refused stays refused, and its records stay in dead-letters. The
    partition's worker goes on within a second or two, and pauses again if as many records are refused again.

    Example: riskstream resume transactions 3
    """
    import json

    from schemas.catalog import event_types
    from scoring.clock import now_ms
    from scoring.store.contract import Partition
    from stream.broker import required_partitions
    from stream.operator import ask_to_resume
    from stream.quiet import quieten_libraries
    from stream.settings import load
    from stream.state.pauses import paused_at_ms

    quieten_libraries()
    settings = load()
    if topic not in event_types():
        raise typer.BadParameter(f"topic {topic!r} is no input; inputs are {', '.join(event_types())}")
    count = required_partitions(settings, topic)
    if partition >= count:
        raise typer.BadParameter(f"{topic} has partitions 0 to {count - 1}, was {partition}")
    source = Partition(topic, partition)
    paused_ms = asyncio.run(paused_at_ms(settings, source))
    # the pause bears the worker's clock: a machine whose clock is behind must still be able to end it
    asked = asyncio.run(ask_to_resume(settings, source, asked_at_ms=max(now_ms(), paused_ms + 1)))
    if json_:
        told = {
            "topic": topic,
            "partition": partition,
            "was_paused": paused_ms > 0,
            "asked_at_ms": asked.asked_at_ms,
        }
        typer.echo(json.dumps(told))
    elif paused_ms:
        typer.echo(f"{topic} {partition}: asked its worker to go on")
    else:
        typer.echo(f"{topic} {partition} is not recorded as paused; asked its worker all the same")
