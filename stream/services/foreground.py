"""What `riskstream up` shows, and how it stays in the foreground until it is told to stop."""

import json
import signal
import threading
from collections.abc import Callable
from types import FrameType

from rich.console import Console

from stream.errors import JobFailed
from stream.services.addresses import RunningServices
from stream.services.embedded import EmbeddedServices

LOOK_EVERY_SECONDS = 0.5


def announce(services: RunningServices, console: Console, *, as_json: bool, already: bool) -> None:
    """Prints the addresses, for people or as one JSON object with `state` `ready` or `already running`."""
    state = "already running" if already else "ready"
    if as_json:
        told = {
            "state": state,
            "kafka_bootstrap": services.kafka_bootstrap,
            "redis_url": services.redis_url,
            "kafka_pid": services.kafka.pid,
            "redis_pid": services.redis.pid,
            "data_dir": services.data_dir,
        }
        print(json.dumps(told), flush=True)
        return
    console.print(f"[bold green]{state}[/]  (data in {services.data_dir})")
    console.print(f"  Kafka  {services.kafka_bootstrap}  (process {services.kafka.pid})")
    console.print(f"  Redis  {services.redis_url}  (process {services.redis.pid})")
    console.print(f"  stop with Ctrl-C, or: riskstream down --data-dir {services.data_dir}")


def hold(services: EmbeddedServices, *, tell_ready: Callable[[], None]) -> None:
    """Tells that they are ready, once a signal would stop them in order, and stays until they shall stop.

    Returns when a signal asks to stop, or `riskstream down` stopped the services; both are stopped then.

    Raises:
        JobFailed: one of them ended by itself; the other is stopped, too.
    """
    asked = threading.Event()

    def ask(_signal: int, _frame: FrameType | None) -> None:
        asked.set()

    previous = {
        number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    try:
        tell_ready()
        while not asked.wait(LOOK_EVERY_SECONDS):
            ended = [one for one in (services.kafka, services.redis) if not one.running]
            if ended and not services.still_stored():
                return
            if ended:
                one = ended[0]
                raise JobFailed(
                    f"{one.name} ended by itself; end of {one.process.log}:\n{one.process.log_tail()}"
                )
    finally:
        services.stop()
        for number, handler in previous.items():
            signal.signal(number, handler)
