"""`riskstream state`: what is kept of an entity, and forgetting it."""

import asyncio
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Adds the group `state`."""
    group = typer.Typer(no_args_is_help=True, help="Look at the state of an entity, or forget it.")
    group.command("get")(get)
    group.command("forget")(forget)
    app.add_typer(group, name="state")


def get(
    entity: Annotated[str, typer.Argument(help="Account, symbol or other entity.")],
    topic: Annotated[str | None, typer.Option(help="Input topic; all of them when left out.")] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show what is kept of an entity: recent events, sums of older ones, past vectors, cool-downs, bytes.

    Ids, merchants and other codes are kept as hashes only. Exit code 1 when nothing is kept.

    Example: riskstream state get 4711 --topic transactions
    """
    import msgspec

    from stream.errors import JobFailed
    from stream.quiet import quieten_libraries
    from stream.settings import load
    from stream.state.run import look_up
    from stream.state.table import print_state

    quieten_libraries()
    settings = load()
    found = asyncio.run(look_up(settings, entity, _topics(topic)))
    if json_:
        typer.echo(msgspec.json.encode({"entity": entity, "namespace": settings.namespace, "found": found}))
    else:
        for state in found:
            print_state(state)
    if not found:
        raise JobFailed(
            f"nothing is kept of {entity!r} on {', '.join(_topics(topic))} in namespace "
            f"{settings.namespace!r}: no event of it was folded, or it was forgotten"
        )


def forget(
    entity: Annotated[str, typer.Argument(help="Account, symbol or other entity.")],
    topic: Annotated[str, typer.Option(help="Input topic its events come on.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print one JSON object; needs --yes.")] = False,
) -> None:
    """Delete what is kept of an entity: states of all views, and cool-downs. Workers may run meanwhile.

    The entity's next event is scored as if it were its first. Three limits. Polls in work at that moment,
    and the first one after it on an idle worker, may still be scored with the past. Scores, alerts and dead
    letters that are out stay out. The log still holds the entity's events: a rebuild folds them again, so
    remove them there too, or let retention do it.

    Example: riskstream state forget 4711 --topic transactions --yes
    """
    import json

    from stream.errors import JobFailed
    from stream.quiet import quieten_libraries
    from stream.settings import load
    from stream.state.forget import find_keys, forget_all

    quieten_libraries()
    settings = load()
    (only,) = _topics(topic)
    if json_ and not yes:
        raise typer.BadParameter("--json leaves nobody to ask; give --yes too")
    keys = asyncio.run(find_keys(settings, entity, only))
    if not keys:
        raise JobFailed(f"nothing is kept of {entity!r} on {only} in namespace {settings.namespace!r}")
    if not yes:
        for key in (key for partition in keys.values() for key in partition):
            typer.echo(key)
        typer.confirm(f"Forget {entity!r} on {only}? This cannot be undone", abort=True)
    done = asyncio.run(forget_all(settings, entity, list(keys)))
    deleted = sum(part.deleted for part in done)
    if json_:
        told = {
            "entity": entity,
            "topic": only,
            "deleted": deleted,
            "partitions": [part.partition.index for part in done],
            "keys": [key for part in done for key in part.keys],
        }
        typer.echo(json.dumps(told))
    else:
        typer.echo(f"{entity} on {only}: {deleted} keys deleted")


def _topics(topic: str | None) -> list[str]:
    from schemas.catalog import event_types

    if topic is not None and topic not in event_types():
        raise typer.BadParameter(f"topic {topic!r} is no input; inputs are {', '.join(event_types())}")
    return [topic] if topic else list(event_types())
