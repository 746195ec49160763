"""The worker's consumer on a real broker: every record that another client reads, once and in order."""

import asyncio
import gc
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import PartitionRecords

from stream.kafka import client_arguments
from stream.worker.batch_consumer import BatchConsumer
from stream.worker.clients import let_go
from tests.live.test_record_batches import write
from tests.support.independent_reader import Reader
from tests.support.services import make_topic

PARTITIONS, RECORDS, MOST = 3, 1_500, 400


@asynccontextmanager
async def consumer_of(settings, topic: str, *, in_runs: bool = True) -> AsyncIterator[BatchConsumer]:
    """A consumer of all partitions from their beginning, without a group."""
    consumer = BatchConsumer(
        readers={topic: lambda values: None} if in_runs else {}, **client_arguments(settings), group_id=None,
        auto_offset_reset="earliest", isolation_level="read_committed", max_poll_records=MOST,
        max_partition_fetch_bytes=64 * 1024,
    )  # fmt: skip
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, index) for index in range(PARTITIONS)])
        yield consumer
    finally:
        await let_go(consumer)


async def read_on(consumer: BatchConsumer, count: int) -> dict[int, list[tuple[int, bytes]]]:
    """Offset and value of so many records, or somewhat more, by partition."""
    found: dict[int, list[tuple[int, bytes]]] = {}
    async with asyncio.timeout(30):
        while count > 0:
            polls = await consumer.getmany(timeout_ms=200)
            assert sum(map(len, polls.values())) <= MOST
            for target, records in polls.items():
                found.setdefault(target.partition, []).extend((each.offset, each.value) for each in records)
                count -= len(records)
    return found


async def test_every_visible_record_is_given_once_and_in_order(services, settings):
    """All codecs, transactions committed and aborted: what is missing is never scored."""
    topic = f"runs-{uuid.uuid4().hex}"
    await make_topic(services, topic, partitions=PARTITIONS)
    for codec in ("none", "gzip", "snappy", "lz4", "zstd"):
        write(services.kafka_bootstrap, topic, RECORDS, codec=codec)
    write(services.kafka_bootstrap, topic, 40, codec="none", end="abort")
    write(services.kafka_bootstrap, topic, 40, codec="lz4", end="commit")
    with Reader(services.kafka_bootstrap) as reader:
        expected: dict[int, list[tuple[int, bytes]]] = {}
        for record in reader.read(topic):
            expected.setdefault(record.partition, []).append((record.offset, record.value))
    total = sum(map(len, expected.values()))
    for in_runs in (True, False):
        async with consumer_of(settings, topic, in_runs=in_runs) as consumer:
            assert await read_on(consumer, total) == expected
            assert not await consumer.getmany(timeout_ms=300)


async def test_after_a_seek_nothing_comes_that_was_fetched_before(services, settings):
    """A worker that takes over seeks to where its state is: an event from elsewhere would be folded twice, or lost."""
    topic = f"seeks-{uuid.uuid4().hex}"
    await make_topic(services, topic, partitions=PARTITIONS)
    write(services.kafka_bootstrap, topic, 3 * RECORDS, codec="none")
    async with consumer_of(settings, topic) as consumer:
        targets = [TopicPartition(topic, index) for index in range(PARTITIONS)]
        await read_on(consumer, 2 * MOST)
        for offset in (0, 700, 3, RECORDS - 1):
            for target in targets:
                consumer.seek(target, offset)
            found = await read_on(consumer, min(MOST, PARTITIONS * (RECORDS - offset)))
            for records in found.values():
                assert [at for at, _ in records] == list(range(offset, offset + len(records)))


async def test_a_paused_partition_gives_nothing_and_goes_on_where_it_was(services, settings):
    """What was fetched of it waits; a partition that many records were refused of is paused so."""
    topic = f"pauses-{uuid.uuid4().hex}"
    await make_topic(services, topic, partitions=PARTITIONS)
    write(services.kafka_bootstrap, topic, 3 * RECORDS, codec="none")
    async with consumer_of(settings, topic) as consumer:
        first = await read_on(consumer, 1)
        still = TopicPartition(topic, 1)
        consumer.pause(still)
        others = await read_on(consumer, 2 * RECORDS - sum(map(len, first.values())) + len(first.get(1, ())))
        assert 1 not in others
        consumer.resume(still)
        last = await read_on(consumer, RECORDS - len(first.get(1, ())))
        assert [at for at, _ in [*first.get(1, []), *last[1]]] == list(range(RECORDS))


async def test_what_was_read_is_freed_without_the_collector(services, settings):
    """The worker's collector comes rarely, and every answer that waits for it is half a megabyte."""
    topic = f"frees-{uuid.uuid4().hex}"
    await make_topic(services, topic, partitions=PARTITIONS)
    write(services.kafka_bootstrap, topic, 3 * RECORDS, codec="none")
    async with consumer_of(settings, topic) as consumer:
        gc.collect()
        gc.disable()
        try:
            for _ in range(10):
                consumer.seek(TopicPartition(topic, 0), 0)
                await read_on(consumer, MOST)
            assert sum(type(each) is PartitionRecords for each in gc.get_objects()) <= PARTITIONS
        finally:
            gc.enable()
