"""`riskstream worker`: scores the input topics until told to stop."""

from typing import Annotated

import typer

EPILOG = "Example: riskstream worker --scorer payment_anomaly --scorer tick_anomaly"


def register(app: typer.Typer) -> None:
    """Adds the command."""

    @app.command(epilog=EPILOG)
    def worker(
        scorer: Annotated[
            list[str] | None, typer.Option("--scorer", help="Scorer to run; repeatable; all when left out.")
        ] = None,
        health_port: Annotated[
            int | None, typer.Option("--health-port", help="Loopback port of /live, /ready and /metrics.")
        ] = None,
    ) -> None:
        """Scores the input topics until SIGTERM or Ctrl-C; several workers share the partitions."""
        from stream.settings import load
        from stream.worker.start import start

        raise typer.Exit(start(load(scorers=tuple(scorer) if scorer else None, health_port=health_port)))
