"""The records of a topic from a chosen start on, as kafka-python reads them."""

import datetime as dt
import time
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from scoring.clock import stopwatch_s
from stream.errors import JobFailed
from stream.kafka import client_arguments
from stream.settings import Settings

ANSWER_WITHIN_MS = 10_000
TOPIC_WITHIN_S = 3.0
POLL_MS = 200
POLL_RECORDS = 5_000


@dataclass(frozen=True)
class Record:
    """One record as it lies in the topic; `timestamp_ms` is the broker's or the producer's."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None


@dataclass(frozen=True)
class Start:
    """Where reading begins: `earliest`, `latest`, or the first record not older than `time_ms`."""

    kind: str
    time_ms: int = 0


def parse_start(text: str) -> Start:
    """The start written as `earliest`, `latest`, milliseconds since 1970, or ISO 8601 (UTC without a zone).

    Raises:
        ValueError: it is none of them.

    >>> parse_start("2024-01-01T00:00Z").time_ms
    1704067200000
    """
    if text in ("earliest", "latest"):
        return Start(text)
    if text.isdecimal():
        return Start("time", int(text))
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r}; write earliest, latest, or a time such as 2024-01-31T12:00Z") from None
    moment = moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment
    return Start("time", round(moment.timestamp() * 1_000))


class TopicReader:
    """Committed records of all partitions of a topic; a context manager that leaves no trace on the broker.

    Args:
        start: where reading begins; resolved on entering, so that no later record is missed.

    Raises:
        JobFailed: on entering: Kafka does not answer, or has no such topic.
    """

    def __init__(self, settings: Settings, topic: str, start: Start) -> None:
        self._settings, self._topic, self._start = settings, topic, start

    def __enter__(self) -> Self:
        try:
            self._consumer = KafkaConsumer(
                **client_arguments(self._settings),
                group_id=None,
                enable_auto_commit=False,
                isolation_level="read_committed",
                allow_auto_create_topics=False,
                max_poll_records=POLL_RECORDS,
                bootstrap_timeout_ms=ANSWER_WITHIN_MS,
            )
        except (KafkaError, OSError) as error:
            raise self._unreachable(error) from None
        try:
            self._assign(self._partitions())
        except (KafkaError, OSError) as error:
            self._consumer.close()
            raise self._unreachable(error) from None
        except JobFailed:
            self._consumer.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._consumer.close()

    def polls(self) -> Iterator[list[Record]]:
        """What arrived, for ever, in order of time stamps; empty when nothing came for a moment."""
        while True:
            batches = self._consumer.poll(timeout_ms=POLL_MS)
            records = [_record(each) for batch in batches.values() for each in batch]
            # stable: the order within a partition stays where time stamps are equal
            yield sorted(records, key=lambda record: record.timestamp_ms)

    def _partitions(self) -> list[TopicPartition]:
        give_up_at_s = stopwatch_s() + TOPIC_WITHIN_S
        while not (found := self._consumer.partitions_for_topic(self._topic)):
            if stopwatch_s() > give_up_at_s:
                there = sorted(name for name in self._consumer.topics() if not name.startswith("__"))
                raise JobFailed(
                    f"topic {self._topic!r} is not there; there are {', '.join(there) or 'none'}; "
                    "create the standard ones with `riskstream topics create`"
                )
            time.sleep(0.1)
        return [TopicPartition(self._topic, number) for number in sorted(found)]

    def _assign(self, partitions: list[TopicPartition]) -> None:
        self._consumer.assign(partitions)
        if self._start.kind == "earliest":
            self._consumer.seek_to_beginning(*partitions)
        else:
            self._consumer.seek_to_end(*partitions)
        if self._start.kind == "time":
            found = self._consumer.offsets_for_times(dict.fromkeys(partitions, self._start.time_ms))
            for partition, place in found.items():
                if place is not None:
                    self._consumer.seek(partition, place.offset)
        for partition in partitions:
            self._consumer.position(partition)  # seeks are lazy; this makes the start a fact

    def _unreachable(self, error: Exception) -> JobFailed:
        return JobFailed(
            f"Kafka at {self._settings.kafka_bootstrap} does not answer ({type(error).__name__}: {error}); "
            "start it with `riskstream up`, or set RISKSTREAM_KAFKA_BOOTSTRAP"
        )


def _record(found: Any) -> Record:
    return Record(found.topic, found.partition, found.offset, found.timestamp, found.key, found.value)
