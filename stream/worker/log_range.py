"""Whether a partition's log is the one that its state was made from, and reaches from where the state is to its end."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaConnectionError

from scoring.clock import stopwatch_s
from scoring.store.contract import Partition
from stream.broker import administration
from stream.errors import JobFailed
from stream.kafka import client_arguments
from stream.settings import Settings
from stream.worker.clients import RETRY_MS, let_go

GONE_AFTER_S = 30.0
"""After a change of leaders a log may seem shorter for a moment: the end that all copies have is found out anew."""


class LogBehind(Exception):
    """A log ends before the offset that its state is at; perhaps for a moment only."""


@dataclass(frozen=True)
class LogRange:
    """Where a partition begins and ends, and the id of its topic; empty where the broker has none."""

    begin: int
    end: int
    topic_id: str = ""


class LogGuard:
    """Refuses logs that state cannot go on with; remembers since when one has been too short."""

    def __init__(self) -> None:
        self._behind_since: dict[Partition, float] = {}

    def check(
        self, partition: Partition, found: LogRange, *, offsets: Collection[int], recorded_id: str
    ) -> None:
        """Nothing, when states at those offsets can go on.

        Args:
            offsets: what the states of the partition's views are at; empty for none yet.
            recorded_id: of the topic when the state was begun; empty when it was not noted.

        Raises:
            JobFailed: records are gone, or the log is another one; no waiting helps.
            LogBehind: the log ends too early for now.
        """
        if recorded_id and found.topic_id and recorded_id != found.topic_id:
            raise JobFailed(
                f"topic {partition.topic} was deleted and made anew: its state in this namespace is of the old one. "
                "Start under another RISKSTREAM_NAMESPACE, which scores the new topic from its begin"
            )
        first, last = min(offsets, default=found.begin), max(offsets, default=found.begin)
        if first < found.begin:
            raise JobFailed(
                f"partition {partition}: its state is at offset {first}, but the log begins at {found.begin}; "
                "records are gone unscored. Restore the log, or start under another namespace; then make the "
                "topic's retention longer than your longest outage (riskstream doctor)"
            )
        if last <= found.end:
            self._behind_since.pop(partition, None)
            return
        since = self._behind_since.setdefault(partition, stopwatch_s())
        said = f"partition {partition}: its state is at offset {last}, but the log ends at {found.end}"
        if stopwatch_s() - since > GONE_AFTER_S:
            raise JobFailed(
                f"{said}; the broker has lost records that were scored. Restore the log, or start under another "
                "RISKSTREAM_NAMESPACE"
            )
        raise LogBehind(said)


async def log_ranges(settings: Settings, partitions: Sequence[Partition]) -> dict[Partition, LogRange]:
    """What the broker has of each partition now.

    Raises:
        aiokafka.errors.KafkaError: it cannot be reached.
    """
    described = await describe(settings, {partition.topic for partition in partitions})
    targets = {TopicPartition(partition.topic, partition.index): partition for partition in partitions}
    consumer = AIOKafkaConsumer(
        **client_arguments(settings), enable_auto_commit=False, retry_backoff_ms=RETRY_MS
    )
    try:
        await consumer.start()
        begins = await consumer.beginning_offsets(list(targets))
        ends = await consumer.end_offsets(list(targets))
    finally:
        await let_go(consumer)
    return {
        partition: LogRange(begins[target], ends[target], described[partition.topic].topic_id)
        for target, partition in targets.items()
    }


@dataclass(frozen=True)
class Described:
    """A topic as the broker has it; no partitions where it has none of that name."""

    topic_id: str
    partitions: int


async def describe(settings: Settings, topics: Collection[str]) -> Mapping[str, Described]:
    """Ids and numbers of partitions.

    Raises:
        aiokafka.errors.KafkaError: the broker cannot be reached.
    """
    return await asyncio.to_thread(_describe, settings, topics)


def _describe(settings: Settings, topics: Collection[str]) -> Mapping[str, Described]:
    try:
        with administration(settings) as admin:
            described = admin.describe_topics(sorted(topics))
    except JobFailed as error:  # for a command that is the end, a worker waits
        raise KafkaConnectionError(str(error)) from None
    return {
        topic["name"]: Described(_known(str(topic.get("topic_id") or "")), len(topic["partitions"]))
        for topic in described
    }


def _known(topic_id: str) -> str:
    """Brokers before 2.8 have no ids, or only zeros."""
    return topic_id if topic_id.replace("-", "").strip("0") else ""
