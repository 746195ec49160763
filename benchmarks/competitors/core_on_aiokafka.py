"""riskstream's scoring core on bare aiokafka: batches written by compiled code as the worker's, and no Faust.

The ceiling for this client: what is lost against it is what Faust costs. Run by the benchmark, with the worker's own
variables and the number of partitions.
"""

import asyncio
import os
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from benchmarks.competitors.bare_core import BareCore, Covered, open_core
from schemas.events.transaction import EVENT
from scoring.partition import PartitionState
from scoring.prepared import Written
from stream.kafka import client_arguments
from stream.settings import Settings, load
from stream.worker.outputs import acknowledged, make_producer, send

FETCH_FOR_MS = 250


def make_consumer(settings: Settings) -> AIOKafkaConsumer:
    """A consumer that reads as the worker's does, without a group."""
    return AIOKafkaConsumer(**reading_arguments(settings))


def reading_arguments(settings: Settings) -> dict[str, Any]:
    """Keyword arguments of a consumer that reads as the worker's does, without a group."""
    return client_arguments(settings) | {
        "enable_auto_commit": False,
        "isolation_level": "read_committed",
        "max_poll_records": settings.poll_records,
        "max_partition_fetch_bytes": 1024 * 1024,
        "fetch_max_wait_ms": 500,
        "request_timeout_ms": 40_000,
    }


def place(consumer: AIOKafkaConsumer, core: BareCore) -> None:
    """The consumer stands where the states do."""
    targets = {TopicPartition(EVENT.topic, number): state for number, state in core.states.items()}
    consumer.assign(list(targets))
    for target, state in targets.items():
        consumer.seek(target, state.next_offset)


async def main(settings: Settings, partition_count: int) -> None:
    """Scores until something fails."""
    core = await open_core(settings, partition_count)
    consumer, producer = make_consumer(settings), make_producer(settings)
    await consumer.start()
    await producer.start()
    place(consumer, core)

    async def fetch() -> Mapping[int, Sequence[Any]]:
        found = await consumer.getmany(timeout_ms=FETCH_FOR_MS, max_records=settings.poll_records)
        return {target.partition: records for target, records in found.items() if records}

    async def hand_over(outputs: Mapping[PartitionState, Written]) -> Awaitable[Covered]:
        return acknowledged(await send(producer, outputs, settings.compression))

    await core.run(fetch, hand_over)


if __name__ == "__main__":
    asyncio.run(main(load(), int(os.environ["BENCH_PARTITIONS"])))
