"""The process that times single polls: `python -m benchmarks.full.poll_process JSON`; prints times as JSON.

The worker's own core, clients and store, one poll at a time and nothing overlapping, so that each time is one poll's.
"""

import asyncio
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from benchmarks.competitors.bare_core import BareCore, open_core
from benchmarks.competitors.core_on_aiokafka import reading_arguments
from benchmarks.limits.clients import full_poll, reading
from benchmarks.limits.given import Given
from schemas.events.transaction import EVENT
from scoring.event_columns import EventColumns
from scoring.prepared import with_outputs
from stream.settings import Settings
from stream.worker.batch_consumer import BatchConsumer
from stream.worker.clients import ended
from stream.worker.outputs import acknowledged, covered_for, make_producer, send
from stream.worker.runs import read_events


@dataclass(frozen=True, kw_only=True)
class PollOrder:
    """How many records a poll has, by size, and how many polls of each are timed."""

    given: Given
    sizes: tuple[int, ...]
    polls: int


@dataclass(frozen=True)
class PollTimes:
    """Seconds of polls of one size, one entry for each poll.

    Attributes:
        records: of each poll.
        fetch: taking what lies there already, with its events read; state: reading states from Redis; compute: decode,
            fold, model, encode; produce: from sending to the last acknowledgement; commit: the fenced write to Redis.
        cpu: of this process, for all of it.
    """

    records: int
    fetch: list[float]
    state: list[float]
    compute: list[float]
    produce: list[float]
    commit: list[float]
    cpu: list[float]


async def time_polls(order: PollOrder) -> list[PollTimes]:
    """The times of every size; sizes alternate, and the first poll of each is left out."""
    given = order.given
    settings = given.settings
    core = await open_core(settings, given.partitions)
    consumer, producer = await reading(given, as_in_a_worker), make_producer(settings)
    await producer.start()
    found = {size: PollTimes(size, [], [], [], [], [], []) for size in order.sizes}
    try:
        for number in range(order.polls + 1):
            for size, times in found.items():
                taken = await one(core, consumer, producer, given, size)
                if number:
                    for name, seconds in taken.items():
                        getattr(times, name).append(seconds)
    finally:
        await ended(consumer.stop())
        await ended(producer.stop())
        await core.store.close()
    return list(found.values())


def as_in_a_worker(settings: Settings) -> BatchConsumer:
    """A consumer that gives runs of records, whose events are read when all partitions have given theirs."""
    return BatchConsumer(readers={EVENT.topic: lambda _: None}, **reading_arguments(settings))


async def one(
    core: BareCore, consumer: AIOKafkaConsumer, producer: AIOKafkaProducer, given: Given, size: int
) -> dict[str, float]:
    """Seconds of each part of one poll."""
    cpu_began = time.process_time()
    marks = [time.perf_counter()]
    runs = await full_poll(consumer, size, given.partitions)
    read = {TopicPartition(EVENT.topic, number): run for number, run in runs.items()}
    read_events(read, {EVENT.topic: partial(EventColumns.read, EVENT)})
    records = {target.partition: run for target, run in read.items()}
    marks.append(time.perf_counter())
    prepared = await core.poller.prepare({core.states[number]: some for number, some in records.items()})
    marks.append(time.perf_counter())
    covered = await acknowledged(await send(producer, prepared.outputs, core.settings.compression))
    marks.append(time.perf_counter())
    await asyncio.gather(*(_commit(core, state, prepared, covered) for state in prepared.steps))
    marks.append(time.perf_counter())
    fetch, prepare, produce, commit = (after - before for before, after in pairwise(marks))
    state_s = prepared.seconds.get("state", 0.0)
    return {
        "fetch": fetch, "state": state_s, "compute": prepare - state_s, "produce": produce, "commit": commit,
        "cpu": time.process_time() - cpu_began,
    }  # fmt: skip


async def _commit(core: BareCore, state: Any, prepared: Any, covered: Any) -> None:
    steps: Sequence[Any] = prepared.steps[state]
    own = covered_for(state, max(steps[-1].next.values()), covered)
    state.lease = await core.store.commit(state.lease, with_outputs(steps, own))
    state.cache.unpin(prepared.pinned[state])


if __name__ == "__main__":
    times = asyncio.run(time_polls(msgspec.json.decode(sys.argv[1], type=PollOrder)))
    print(msgspec.json.encode(times).decode())
