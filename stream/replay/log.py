"""A topic range as a source of replay, and published scores as the other side of a comparison."""

from collections.abc import AsyncIterator, Container
from dataclasses import dataclass
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from schemas.score import Score
from schemas.topics import SCORES
from stream.errors import JobFailed
from stream.kafka import client_arguments
from stream.settings import Settings

MOST_RECORDS = 10_000


@dataclass(frozen=True)
class LogPart:
    """Consecutive records of one partition, and how many partitions its topic has."""

    partition: int
    partition_count: int
    records: list[Any]


async def read_log(
    settings: Settings, topic: str, *, from_ms: int | None = None, to_ms: int | None = None
) -> AsyncIterator[LogPart]:
    """The records of a topic, partition by partition in order, from its start to its end as of now.

    Args:
        from_ms, to_ms: broker time of the first record and of the first one left out.

    Raises:
        JobFailed: there is no such topic.
    """
    consumer = AIOKafkaConsumer(
        **client_arguments(settings), enable_auto_commit=False, isolation_level="read_committed",
        max_poll_records=MOST_RECORDS,
    )  # fmt: skip
    await consumer.start()
    try:
        targets = await _partitions_of(settings, topic)
        consumer.assign(targets)
        starts = await consumer.beginning_offsets(targets)
        ends = await consumer.end_offsets(targets)
        if from_ms is not None:
            found = await consumer.offsets_for_times(dict.fromkeys(targets, from_ms))
            starts = {target: found[target].offset if found[target] else ends[target] for target in targets}
        if to_ms is not None:
            found = await consumer.offsets_for_times(dict.fromkeys(targets, to_ms))
            ends = {target: found[target].offset if found[target] else ends[target] for target in targets}
        for target in targets:
            consumer.seek(target, starts[target])
            while await consumer.position(target) < ends[target]:
                for records in (await consumer.getmany(target, timeout_ms=1_000)).values():
                    kept = [record for record in records if record.offset < ends[target]]
                    if kept:
                        yield LogPart(target.partition, len(targets), kept)
    finally:
        await consumer.stop()


async def _partitions_of(settings: Settings, topic: str) -> list[TopicPartition]:
    admin = AIOKafkaAdminClient(**client_arguments(settings))
    await admin.start()
    try:
        (described,) = await admin.describe_topics([topic])
    finally:
        await admin.close()
    if described["error_code"] or not described["partitions"]:
        raise JobFailed(f"topic {topic}: not on the broker; riskstream topics create makes riskstream's own")
    return [
        TopicPartition(topic, index)
        for index in sorted(part["partition"] for part in described["partitions"])
    ]


async def read_scores(settings: Settings, *, of_topic: str, by: Container[str]) -> list[Score]:
    """The published scores of events of a topic, by some scorers."""
    decode = msgspec.json.Decoder(Score).decode
    found = []
    async for part in read_log(settings, SCORES):
        found += [
            score
            for score in (decode(record.value) for record in part.records)
            if score.source.topic == of_topic and score.scorer in by
        ]
    return found
