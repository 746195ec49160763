"""Kafka alone: reading the backlog over and over, and writing the score records of one poll over and over."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from benchmarks.competitors import core_on_aiokafka, core_on_confluent
from benchmarks.competitors.bare_core import BareCore, open_core
from benchmarks.limits.given import Given
from schemas.events.transaction import EVENT
from scoring.prepared import Prepared
from scoring.record_run import RecordRun
from stream.settings import Settings
from stream.worker.clients import ended
from stream.worker.outputs import acknowledged, make_producer, send

WAIT_MS = 250


async def consume_aiokafka(given: Given) -> AsyncIterator[int]:
    """Payments of each poll, read from the beginning again when there are no more."""
    consumer = await reading(given)
    try:
        while True:
            found = await consumer.getmany(timeout_ms=WAIT_MS, max_records=given.settings.poll_records)
            if not found:
                await consumer.seek_to_beginning()
            yield sum(map(len, found.values()))
    finally:
        await ended(consumer.stop())


async def consume_confluent(given: Given) -> AsyncIterator[int]:
    """The same by the other client, with what the core reads of each record."""
    settings, from_start = given.settings, dict.fromkeys(range(given.partitions), 0)
    consumer = core_on_confluent.make_consumer(settings, from_start)
    try:
        idle = 0
        while True:
            count = sum(map(len, core_on_confluent.take(consumer, settings.poll_records).values()))
            idle = 0 if count else idle + 1
            if idle > WAIT_MS / (1_000 * core_on_confluent.FETCH_FOR_S):
                consumer.close()
                consumer, idle = core_on_confluent.make_consumer(settings, from_start), 0
            yield count
    finally:
        consumer.close()


async def produce(given: Given) -> AsyncIterator[int]:
    """Events of a poll whose outputs are acknowledged; as in the worker one poll is on its way beside the next."""
    settings = given.settings
    core = await open_core(settings, given.partitions)
    prepared, events = await one_poll(given, core)
    producer = make_producer(settings)
    await producer.start()
    before: asyncio.Task[Mapping[str, int]] | None = None
    try:
        while True:
            under_way = asyncio.create_task(
                acknowledged(await send(producer, prepared.outputs, settings.compression))
            )
            if before is not None:
                await before
                yield events
            before = under_way
    finally:
        if before is not None:
            before.cancel()
            with suppress(asyncio.CancelledError):
                await before
        await ended(producer.stop())
        await core.store.close()


async def one_poll(given: Given, core: BareCore) -> tuple[Prepared, int]:
    """A full poll of the backlog, scored and not written, and its number of events."""
    consumer = await reading(given)
    try:
        records = await full_poll(consumer, given.settings.poll_records, given.partitions)
    finally:
        await ended(consumer.stop())
    prepared = await core.poller.prepare({core.states[number]: some for number, some in records.items()})
    return prepared, sum(map(len, records.values()))


async def full_poll(consumer: AIOKafkaConsumer, most: int, partitions: int) -> dict[int, Sequence[Any]]:
    """As many of the next records of every partition."""
    found: dict[int, Sequence[Any]] = {}
    for number in range(partitions):
        target = TopicPartition(EVENT.topic, number)
        parts: list[Sequence[Any]] = []
        while (missing := most // partitions - sum(map(len, parts))) > 0:
            got = await consumer.getmany(target, timeout_ms=WAIT_MS, max_records=missing)
            parts += got.values()
        runs = [part for part in parts if isinstance(part, RecordRun)]
        found[number] = RecordRun.joined(runs) if runs else [record for part in parts for record in part]
    return found


async def reading(
    given: Given, make: Callable[[Settings], AIOKafkaConsumer] = core_on_aiokafka.make_consumer
) -> AIOKafkaConsumer:
    """A consumer at the beginning of the backlog."""
    consumer = make(given.settings)
    await consumer.start()
    consumer.assign([TopicPartition(EVENT.topic, number) for number in range(given.partitions)])
    await consumer.seek_to_beginning()
    return consumer
