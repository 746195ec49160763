"""What the benchmark does with the broker and Redis between and during runs: empty, count, look at records."""

import re
import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from redis import Redis

from benchmarks.contestants import COMPETITORS_OUTPUT
from benchmarks.plan import BenchmarkFailed
from stream.settings import Settings
from stream.topics import ensure_topics

WITHIN_S = 30.0
SPANS = 5
"""Records of one scorer lie together: a single run of them might have none of another's."""

LOW = re.compile(rb'"level": ?"none"')


@dataclass(frozen=True)
class RecordShape:
    """Mean bytes of a topic's records before compression, and the share of them at level `watch` or above."""

    value_bytes: float
    key_and_header_bytes: float
    watch_share: float


class Broker:
    """The broker and the Redis of a benchmark, used from outside the pipelines; a context manager.

    Args:
        settings: where they are.
        partitions: of every topic.
    """

    def __init__(self, settings: Settings, partitions: int) -> None:
        self._settings, self._partitions = settings, partitions
        # level 2: only what is critical; everything else comes as an error where it is asked for
        address: dict[str, Any] = {"bootstrap.servers": settings.kafka_bootstrap, "log_level": 2}
        self._admin = AdminClient(address)
        self._address = address
        self._consumer = self._new_consumer()

    def __enter__(self) -> "Broker":
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.close()

    def reset(self, *, keep: Collection[str] = ()) -> None:
        """Empties Redis and every topic but those to keep.

        Raises:
            BenchmarkFailed: the broker still lists deleted topics after `WITHIN_S`.
        """
        with Redis.from_url(self._settings.redis_url) as redis:
            redis.flushall()
        doomed = self._topics() - set(keep)
        for name, done in (self._admin.delete_topics(list(doomed)) if doomed else {}).items():
            _wait(done, f"deleting topic {name}")
        deadline = time.monotonic() + WITHIN_S
        while self._topics() & doomed:
            if time.monotonic() > deadline:
                raise BenchmarkFailed(
                    f"the broker still has {', '.join(sorted(doomed))} after {WITHIN_S:.0f} s"
                )
            time.sleep(0.1)
        ensure_topics(self._settings, partitions=self._partitions)
        if COMPETITORS_OUTPUT not in self._topics():
            topic = NewTopic(
                COMPETITORS_OUTPUT, self._partitions, config={"message.timestamp.type": "LogAppendTime"}
            )
            made = self._admin.create_topics([topic])[COMPETITORS_OUTPUT]
            _wait(made, f"creating topic {COMPETITORS_OUTPUT}")
        # a client that knew the old topics would take a while to find the new ones of the same names
        self._consumer.close()
        self._consumer = self._new_consumer()

    def count(self, topic: str) -> int:
        """Records that were ever written to the topic since it was made."""
        return sum(high for _, high in self.watermarks(topic))

    def watermarks(self, topic: str) -> list[tuple[int, int]]:
        """First and next offset of each partition."""
        return [self._watermarks(TopicPartition(topic, partition)) for partition in range(self._partitions)]

    def _watermarks(self, target: TopicPartition) -> tuple[int, int]:
        deadline = time.monotonic() + WITHIN_S
        while True:
            try:
                low, high = self._consumer.get_watermark_offsets(target, timeout=WITHIN_S)
                return low, high
            except KafkaException as failure:
                # a topic that was made a moment ago may still be looked for where its forerunner was
                if time.monotonic() > deadline:
                    raise BenchmarkFailed(f"{target.topic} {target.partition}: {failure}") from None
                time.sleep(0.1)

    def shape(self, topic: str, most: int = 2_000) -> RecordShape:
        """Sizes of the last records of the topic's first partition that has any."""
        marks = list(enumerate(self.watermarks(topic)))
        partition, (low, high) = next(((p, mark) for p, mark in marks if mark[1] > mark[0]), (0, (0, 0)))
        if high == low:
            return RecordShape(0.0, 0.0, 0.0)
        records = self._read(TopicPartition(topic, partition, max(low, high - most)), min(most, high - low))
        around = sum(len(record.key() or b"") + _header_bytes(record) for record in records)
        values = [record.value() or b"" for record in records]
        watched = sum(LOW.search(value) is None for value in values)
        count = max(1, len(values))
        return RecordShape(sum(map(len, values)) / count, around / count, watched / count)

    def watch_share(self, topic: str, most: int = 500) -> float:
        """Share of the topic's records at level `watch` or above, by a sample of so many of each partition."""
        return watch_share_of(
            (high - low, self._values(topic, partition, spans(low, high, most)))
            for partition, (low, high) in enumerate(self.watermarks(topic))
        )

    def sample(self, topic: str, *, until: int, most: int) -> list[bytes]:
        """The values of about so many records of each partition, from all over what lies before offset `until`."""
        found: list[bytes] = []
        for partition, (low, high) in enumerate(self.watermarks(topic)):
            found += self._values(topic, partition, spans(low, min(high, until), most))
        return found

    def _values(self, topic: str, partition: int, wanted: Sequence[tuple[int, int]]) -> list[bytes]:
        return [
            record.value() or b""
            for start, end in wanted
            for record in self._read(TopicPartition(topic, partition, start), end - start)
        ]

    def _read(self, start: TopicPartition, count: int) -> list[Any]:
        self._consumer.assign([start])
        records = self._consumer.consume(count, timeout=WITHIN_S)
        self._consumer.unassign()
        return [record for record in records if record.error() is None]

    def _new_consumer(self) -> Consumer:
        chosen = {"group.id": "benchmark", "enable.auto.commit": False, "auto.offset.reset": "error"}
        return Consumer(self._address | chosen)

    def _topics(self) -> set[str]:
        told = self._admin.list_topics(timeout=WITHIN_S).topics
        return {name for name in told if not name.startswith("__")}


def watch_share_of(partitions: Iterable[tuple[int, Sequence[bytes]]]) -> float:
    """Share of records at level `watch` or above; 0.0 without any.

    Args:
        partitions: of each, how many records it has, and the values of some of them.

    >>> watch_share_of([(300, [b'"level":"none"', b'"level":"watch"']), (100, [b'"level": "none"'])])
    0.375
    """
    found = watched = 0.0
    for records, values in partitions:
        if values:
            found += records
            watched += records * sum(LOW.search(value) is None for value in values) / len(values)
    return watched / found if found else 0.0


def spans(low: int, high: int, most: int, count: int = SPANS) -> list[tuple[int, int]]:
    """`count` runs of offsets, evenly spread from `low` to `high`, of `most` offsets together; all when there are fewer.

    >>> spans(0, 1_000, 100, 2), spans(5, 15, 100)
    ([(0, 50), (950, 1000)], [(5, 15)])
    """
    if high - low <= most:
        return [(low, high)] if low < high else []
    length = most // count
    step = (high - low - length) / (count - 1)
    starts = [low + round(number * step) for number in range(count)]
    return [(start, start + length) for start in starts]


def _header_bytes(record: Any) -> int:
    return sum(len(name) + len(value or b"") for name, value in record.headers() or ())


def _wait(done: Any, what: str) -> None:
    try:
        done.result(WITHIN_S)
    except KafkaException as error:
        raise BenchmarkFailed(f"{what}: {error}") from None
