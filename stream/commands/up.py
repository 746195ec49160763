"""`riskstream up`: real Kafka and Redis on this machine, ready when it says so."""

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Adds the command `up`."""
    app.command("up")(up)


def up(
    data_dir: Annotated[
        Path | None,
        typer.Option(help="Folder of data, logs and addresses; the setting data_dir when not given."),
    ] = None,
    detach: Annotated[bool, typer.Option("--detach", help="Leave them running and return.")] = False,
    kafka_port: Annotated[
        int | None, typer.Option(min=1, max=65_535, help="A free one when not given.")
    ] = None,
    redis_port: Annotated[
        int | None, typer.Option(min=1, max=65_535, help="A free one when not given.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object when ready.")] = False,
) -> None:
    """Start a real Kafka and Redis on loopback for this project, and stop them on Ctrl-C.

    The addresses are stored in the folder, where the other commands find them. The first start downloads
    Kafka's jars.

    Example: riskstream up --detach
    """
    from rich.console import Console

    from stream.services.embedded import EmbeddedServices, running_services
    from stream.services.foreground import announce, hold
    from stream.settings import load

    folder = data_dir or load().data_dir
    output = Console(soft_wrap=True, highlight=False)
    running = running_services(folder)
    if running is not None:
        announce(running, output, as_json=as_json, already=True)
        return
    progress = Console(stderr=True, soft_wrap=True, highlight=False)
    with progress.status("starting Kafka and Redis") as status:

        def say(line: str) -> None:
            status.update(line)
            if not progress.is_terminal:
                progress.print(line)

        services = EmbeddedServices(
            folder, kafka_port=kafka_port, redis_port=redis_port, detached=detach, say=say
        ).start()
    stored = running_services(folder)
    assert stored is not None

    def tell_ready() -> None:
        announce(stored, output, as_json=as_json, already=False)

    if detach:
        tell_ready()
    else:
        hold(services, tell_ready=tell_ready)
