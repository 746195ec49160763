"""The process of one limit: `python -m benchmarks.limits.process JSON`; prints what it did as JSON."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing

import msgspec
import psutil

from benchmarks.limits import clients, core
from benchmarks.limits.given import Given
from benchmarks.limits.meter import measured, now
from scoring.warm import warm_up
from stream.worker.memory import collect_seldom, keep_freed_memory

Turns = Callable[[Given], AsyncIterator[int]]
TURNS: Mapping[str, Turns] = {
    "consume_aiokafka": clients.consume_aiokafka,
    "consume_confluent": clients.consume_confluent,
    "produce": clients.produce,
    "redis_bare": core.redis_bare,
    "redis_store": core.redis_store,
    "model": core.model,
    "fold": core.fold,
}
"""Each gives the number of events done, turn by turn, without end."""


async def main(given: Given) -> None:
    """Measures, and prints."""
    warm_up({core.VIEW})
    collect_seldom()
    keep_freed_memory()
    processes = [psutil.Process(), *map(psutil.Process, given.watched)]
    async with aclosing(TURNS[given.limit](given)) as turns:  # type: ignore[type-var]
        done = await measured(
            turns, warm_up_s=given.warm_up_s, seconds=given.seconds, moment=lambda: now(processes)
        )
    print(msgspec.json.encode(done).decode())


if __name__ == "__main__":
    asyncio.run(main(Given.decode(sys.argv[1])))
