"""A second pair of eyes: what is in Kafka, read by another client and parsed by the standard library alone."""

import json
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from confluent_kafka import Consumer, TopicPartition

ANSWER_WITHIN_S = 15.0


@dataclass(frozen=True)
class Record:
    """One record as it lies in Kafka."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    broker_time_ms: int

    @cached_property
    def body(self) -> dict[str, Any]:
        """The value as JSON."""
        return json.loads(self.value or b"null")

    @property
    def place(self) -> tuple[str, int, int]:
        """Topic, partition and offset."""
        return self.topic, self.partition, self.offset

    @property
    def source(self) -> tuple[str, int, int]:
        """Place of the input record that this output is about."""
        source = self.body["source"]
        return source["topic"], source["partition"], source["offset"]


def read_topic(bootstrap: str, topic: str) -> list[Record]:
    """Every committed record of a topic up to its present end, by partition and offset.

    Raises:
        AssertionError: the broker gives no more records although the end is not reached.
    """
    with Reader(bootstrap) as reader:
        return reader.read(topic)


class Reader:
    """Reads whole topics; a context manager."""

    def __init__(self, bootstrap: str) -> None:
        settings = {
            "bootstrap.servers": bootstrap,
            "group.id": "independent-reader",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "auto.offset.reset": "error",
            "enable.partition.eof": True,
            "fetch.wait.max.ms": 50,
            "log_level": 0,
        }
        self._consumer = Consumer(settings)
        self._partitions: dict[str, list[int]] = {}

    def __enter__(self) -> "Reader":
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.close()

    def partitions(self, topic: str) -> list[int]:
        """Numbers of a topic's partitions."""
        if topic not in self._partitions:
            told = self._consumer.list_topics(topic, timeout=ANSWER_WITHIN_S)
            self._partitions[topic] = sorted(told.topics[topic].partitions)
        return self._partitions[topic]

    def marks(self, topic: str) -> dict[int, int]:
        """Per partition, where it ends, markers included."""
        return {partition: high for partition, (_, high) in self._marks(topic).items()}

    def ends(self, topic: str) -> dict[int, int]:
        """Per partition, the offset behind the last visible record; 0 where there is none."""
        return {
            partition: self._visible_end(topic, partition, *mark)
            for partition, mark in self._marks(topic).items()
        }

    def _marks(self, topic: str) -> dict[int, tuple[int, int]]:
        return {
            partition: self._consumer.get_watermark_offsets(
                TopicPartition(topic, partition), timeout=ANSWER_WITHIN_S
            )
            for partition in self.partitions(topic)
        }

    def _visible_end(self, topic: str, partition: int, low: int, high: int) -> int:
        """Transactions end in markers, which nobody sees and nobody commits."""
        step = 200
        start = high
        while start > low:
            start = max(low, start - step)
            self._consumer.assign([TopicPartition(topic, partition, start)])
            last = -1
            open_ = True
            deadline = time.monotonic() + ANSWER_WITHIN_S
            while open_:
                assert time.monotonic() < deadline, f"{topic} {partition}: gives no more"
                for message in self._consumer.consume(step, timeout=0.1):
                    if message.error() is not None:
                        open_ = False
                    else:
                        last = max(last, message.offset())
                        open_ = open_ and message.offset() < high - 1
            self._consumer.unassign()
            if last >= 0:
                return last + 1
        return 0

    def count(self, topic: str) -> int:
        """Records of a topic up to its present end, markers included."""
        places = [TopicPartition(topic, partition) for partition in self.partitions(topic)]
        marks = [self._consumer.get_watermark_offsets(place, timeout=ANSWER_WITHIN_S) for place in places]
        return sum(high - low for low, high in marks)

    def terminals(self) -> int:
        """How many scores and dead letters there are."""
        return self.count("risk-scores") + self.count("dead-letters")

    def read(self, topic: str) -> list[Record]:
        """See `read_topic`."""
        ends = {}
        for partition in self.partitions(topic):
            low, high = self._consumer.get_watermark_offsets(
                TopicPartition(topic, partition), timeout=ANSWER_WITHIN_S
            )
            if high > low:
                ends[partition] = (low, high)
        if not ends:
            return []
        self._consumer.assign([TopicPartition(topic, partition, low) for partition, (low, _) in ends.items()])
        found: list[Record] = []
        open_partitions = set(ends)
        deadline = time.monotonic() + ANSWER_WITHIN_S
        while open_partitions:
            messages = self._consumer.consume(1_000, timeout=0.1)
            if messages:
                deadline = time.monotonic() + ANSWER_WITHIN_S
            assert time.monotonic() < deadline, f"{topic}: partitions {sorted(open_partitions)} give no more"
            for message in messages:
                partition = message.partition()
                if message.error() is None and message.offset() < ends[partition][1]:
                    found.append(_record(message))
                # the end of a partition is also passed by what is invisible: markers, aborted records
                if message.error() is not None or message.offset() >= ends[partition][1] - 1:
                    open_partitions.discard(partition)
        self._consumer.unassign()
        return sorted(found, key=lambda record: record.place)


def _record(message: Any) -> Record:
    return Record(
        topic=message.topic(),
        partition=message.partition(),
        offset=message.offset(),
        key=message.key(),
        value=message.value(),
        headers=tuple(message.headers() or ()),
        broker_time_ms=message.timestamp()[1],
    )


@dataclass(frozen=True)
class Outcome:
    """All inputs and everything that was written about them; `passed_on` is the internal topic of the merchants."""

    inputs: list[Record]
    passed_on: list[Record]
    scores: list[Record]
    alerts: list[Record]
    letters: list[Record]

    def scores_of(self, scorer: str) -> dict[tuple[str, int, int], dict[str, Any]]:
        """Body of every score of a scorer, by the place of its input."""
        return {score.source: score.body for score in self.scores if score.body["scorer"] == scorer}

    def wrong_counts(self, scorers: Mapping[str, Iterable[str]]) -> dict[Any, int]:
        """Number of terminal records of every (input, scorer) that does not have exactly one.

        Args:
            scorers: names of the scorers of each input topic.
        """
        terminals: Counter[tuple[tuple[str, int, int], str]] = Counter()
        for score in self.scores:
            terminals[score.source, score.body["scorer"]] += 1
        for letter in self.letters:
            named = letter.body.get("scorer")
            for scorer in [named] if named else scorers[letter.source[0]]:
                terminals[letter.source, scorer] += 1
        wanted = {(record.place, scorer): 0 for record in self.inputs for scorer in scorers[record.topic]}
        return {key: terminals[key] for key in wanted | terminals if terminals[key] != 1 or key not in wanted}


def read_outcome(bootstrap: str, inputs: Iterable[str]) -> Outcome:
    """The outputs, and the records of the input topics named."""
    with Reader(bootstrap) as reader:
        return Outcome(
            inputs=[record for topic in inputs for record in reader.read(topic)],
            passed_on=reader.read("transactions-by-merchant"),
            scores=reader.read("risk-scores"),
            alerts=reader.read("alerts"),
            letters=reader.read("dead-letters"),
        )
