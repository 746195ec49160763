"""Finds the published score of an id without reading the whole topic, or says what became of its record."""

from collections.abc import Sequence
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from schemas.dead_letter import DeadLetter
from schemas.score import Score
from schemas.source import Source
from schemas.topics import DEAD_LETTERS, SCORES
from scoring.catalog import scorers
from stream.broker import partition_counts, unreachable
from stream.errors import JobFailed
from stream.kafka import client_arguments
from stream.settings import Settings
from stream.worker.scan import parse_identity

ALERT_PREFIX = "alert:"
LOG_APPEND_TIME = 1
ANSWER_WITHIN_MS = 15_000
MOST_RECORDS = 10_000
SHORT_WAIT_MS = 20
# brokers' clocks differ a little, and the score may be stamped by another one than its record
CLOCK_MARGIN_MS = 60_000


class FoundScore(msgspec.Struct, frozen=True, kw_only=True):
    """A published score and where it lies: offset on `risk-scores`, and the broker's time of it."""

    score: Score
    partition: int
    offset: int
    published_at_ms: int


def source_of_id(score_id: str) -> Source | None:
    """The input record a score id was made from; None when it is no score id.

    >>> source_of_id("payment_anomaly:transactions:3:17:0011aabb")
    Source(topic='transactions', partition=3, offset=17)
    """
    _, _, place = parse_identity(SCORES, score_id)
    return Source(place[0].topic, place[0].index, place[1]) if place else None


async def find_score(settings: Settings, score_id: str) -> FoundScore:
    """The published score of an id. Reading begins at the time its input record arrived.

    Raises:
        JobFailed: it is not there; the text says whether its record was refused. Or Kafka does not answer.
        ValueError: it is no score id.
    """
    source = source_of_id(score_id)
    if source is None:
        raise ValueError(
            f"{score_id!r}; expected scorer:topic:partition:offset:hash, with or without {ALERT_PREFIX} before it"
        )
    counts = partition_counts(settings, [SCORES, DEAD_LETTERS, source.topic])
    for topic in (source.topic, SCORES):
        if source.partition >= counts.get(topic, 0):
            raise JobFailed(f"score {score_id}: topic {topic} has no partition {source.partition}")
    consumer = AIOKafkaConsumer(
        **client_arguments(settings),
        enable_auto_commit=False,
        isolation_level="read_committed",
        max_poll_records=MOST_RECORDS,
        # an assignment begins with a fetch at the end of the log, which would be waited for
        fetch_max_wait_ms=SHORT_WAIT_MS,
        request_timeout_ms=ANSWER_WITHIN_MS,
    )
    try:
        await consumer.start()
        return await _find(consumer, score_id, source, counts)
    except KafkaError as error:
        raise JobFailed(unreachable(settings, error)) from None
    finally:
        await consumer.stop()


async def _find(
    consumer: AIOKafkaConsumer, score_id: str, source: Source, counts: dict[str, int]
) -> FoundScore:
    arrived_ms = await _arrival_ms(consumer, source)
    record = await _search(consumer, SCORES, _places(score_id, source, counts[SCORES]), [score_id], arrived_ms)
    if record is not None:
        return FoundScore(
            score=msgspec.json.decode(record.value, type=Score),
            partition=record.partition,
            offset=record.offset,
            published_at_ms=record.timestamp,
        )
    place = f"{source.topic} {source.partition} at offset {source.offset}"
    if source.partition < counts.get(DEAD_LETTERS, 0):
        scorer = score_id.partition(":")[0]
        letter_id = f"dead:{source.topic}:{source.partition}:{source.offset}"
        wanted = [letter_id, f"{letter_id}:{scorer}"]
        places = _places(score_id, source, counts[DEAD_LETTERS])
        refused = await _search(consumer, DEAD_LETTERS, places, wanted, arrived_ms)
        if refused is not None:
            letter = msgspec.json.decode(refused.value, type=DeadLetter)
            raise JobFailed(
                f"score {score_id}: the record of {place} was refused and has no score: "
                f"{letter.reason.value} at {letter.path}, {letter.detail}"
            )
    raise JobFailed(
        f"score {score_id}: not on {SCORES}, partition {source.partition}. Either the record of {place} is not "
        "scored yet (riskstream doctor shows how far the workers are), or retention deleted the score, or the id "
        "is mistyped (riskstream subscribe risk-scores shows ids)"
    )


async def _arrival_ms(consumer: AIOKafkaConsumer, source: Source) -> int | None:
    """When the broker took the input record; None when it is gone or bears its producer's time."""
    at = TopicPartition(source.topic, source.partition)
    consumer.assign([at])
    begin, end = (await consumer.beginning_offsets([at]))[at], (await consumer.end_offsets([at]))[at]
    if not begin <= source.offset < end:
        return None
    consumer.seek(at, source.offset)
    while await consumer.position(at) <= source.offset:
        for records in (await consumer.getmany(at, timeout_ms=500, max_records=1)).values():
            first = records[0]
            return first.timestamp if first.timestamp_type == LOG_APPEND_TIME else None
    return None


def _places(score_id: str, source: Source, count: int) -> list[int]:
    """The partitions an output may lie in: that of its record, and after a second pass any other."""
    scorer = scorers().get(score_id.partition(":")[0])
    if scorer is None or scorer.view.carries is None:
        return [source.partition]
    return sorted(range(count), key=lambda index: index != source.partition)


async def _search(
    consumer: AIOKafkaConsumer,
    topic: str,
    places: Sequence[int],
    identities: Sequence[str],
    arrived_ms: int | None,
) -> Any:
    """The first record with one of the identities; None when no partition has it."""
    for partition in places:
        found = await _search_one(consumer, TopicPartition(topic, partition), identities, arrived_ms)
        if found is not None:
            return found
    return None


async def _search_one(
    consumer: AIOKafkaConsumer, at: TopicPartition, identities: Sequence[str], arrived_ms: int | None
) -> Any:
    """From the hint on, then what lies before it."""
    consumer.assign([at])
    begin, end = (await consumer.beginning_offsets([at]))[at], (await consumer.end_offsets([at]))[at]
    hint = begin
    if arrived_ms is not None:
        near = (await consumer.offsets_for_times({at: arrived_ms - CLOCK_MARGIN_MS}))[at]
        hint = near.offset if near else end
    wanted = frozenset(identity.encode() for identity in identities)
    found = await _scan(consumer, at, hint, end, wanted)
    return found if found is not None else await _scan(consumer, at, begin, hint, wanted)


async def _scan(
    consumer: AIOKafkaConsumer, at: TopicPartition, start: int, end: int, wanted: frozenset[bytes]
) -> Any:
    if start >= end:
        return None
    consumer.seek(at, start)
    while await consumer.position(at) < end:
        for records in (await consumer.getmany(at, timeout_ms=500)).values():
            for record in records:
                if any(name == "ce_id" and value in wanted for name, value in record.headers):
                    return record
    return None
