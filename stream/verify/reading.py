"""The topics by a client that workers do not use (librdkafka), read committed, one partition at a time."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from stream.errors import JobFailed
from stream.settings import Settings

ANSWER_WITHIN_S = 30.0
AT_ONCE = 5_000
LEADER_CHANGES = (KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE)


@dataclass(slots=True)
class LogRecord:
    """One visible record; the fields that scoring reads have the names that aiokafka gives them.

    Attributes:
        identity, origin: the CloudEvents id and source of an output, empty for inputs.
    """

    offset: int
    timestamp: int
    timestamp_type: int
    key: bytes | None
    value: bytes | None
    identity: str
    origin: str

    @property
    def headers(self) -> tuple[tuple[str, bytes], ...]:
        """The header by which records of an internal topic are told from others'."""
        return (("ce_source", self.origin.encode()),)


@dataclass(frozen=True)
class Range:
    """Where a partition begins and ends, as offsets; the end is that of the last stable record."""

    begin: int
    end: int


class LogReader:
    """Reads partitions from their begin; a context manager.

    Args:
        settings: where Kafka is.
    """

    def __init__(self, settings: Settings) -> None:
        self._consumer = Consumer(_configuration(settings))

    def __enter__(self) -> "LogReader":
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.close()

    def partition_count(self, topic: str) -> int:
        """Partitions of a topic.

        Raises:
            JobFailed: no such topic, or no broker.
        """
        try:
            found = self._consumer.list_topics(topic, timeout=ANSWER_WITHIN_S).topics[topic]
        except KafkaException as error:
            raise JobFailed(f"Kafka: {error.args[0].str()}; is the broker up? riskstream doctor") from None
        if found.error is not None:
            raise JobFailed(f"topic {topic}: {found.error.str()}; riskstream topics create makes it")
        return len(found.partitions)

    def range_of(self, topic: str, partition: int) -> Range:
        """Begin and end of a partition as of now.

        Raises:
            JobFailed: the broker does not answer.
        """
        deadline = time.monotonic() + ANSWER_WITHIN_S
        while True:
            try:
                place = TopicPartition(topic, partition)
                return Range(*self._consumer.get_watermark_offsets(place, timeout=ANSWER_WITHIN_S))
            except KafkaException as error:
                if error.args[0].code() not in LEADER_CHANGES or time.monotonic() > deadline:
                    raise JobFailed(
                        f"Kafka: {error.args[0].str()}; is the broker up? riskstream doctor"
                    ) from None
                self._consumer.list_topics(topic, timeout=ANSWER_WITHIN_S)  # who leads now
                time.sleep(0.2)

    def read(self, topic: str, partition: int, within: Range) -> Iterator[list[LogRecord]]:
        """The visible records of a range, in order, some thousands at a time.

        Raises:
            JobFailed: the broker gives no more although the end is not reached.
        """
        if within.end <= within.begin:
            return
        self._consumer.assign([TopicPartition(topic, partition, within.begin)])
        heard = time.monotonic()
        open_ = True
        while open_:
            found = []
            for message in self._consumer.consume(AT_ONCE, timeout=0.05):
                heard = time.monotonic()
                error, offset = message.error(), int(message.offset() or 0)
                if error is not None and error.code() != KafkaError._PARTITION_EOF:
                    raise JobFailed(f"{topic}-{partition}: {error.str()}")
                # the end is also passed by what cannot be seen: markers and aborted records
                if error is not None or offset >= within.end - 1:
                    open_ = False
                if error is None and offset < within.end:
                    found.append(_record(message))
            if found:
                yield found
            if open_ and time.monotonic() - heard > ANSWER_WITHIN_S:
                raise JobFailed(
                    f"{topic}-{partition}: no more records for {ANSWER_WITHIN_S:.0f} s, expected up to {within.end}; "
                    "riskstream doctor"
                )
        self._consumer.unassign()


def _record(message: Any) -> LogRecord:
    kind, timestamp = message.timestamp()
    headers = dict(message.headers() or ())
    return LogRecord(
        offset=message.offset(),
        timestamp=timestamp,
        timestamp_type=1 if kind == 2 else 0,  # librdkafka counts from "not available"
        key=message.key(),
        value=message.value(),
        identity=(headers.get("ce_id") or b"").decode(errors="replace"),
        origin=(headers.get("ce_source") or b"").decode(errors="replace"),
    )


def _configuration(settings: Settings) -> dict[str, Any]:
    configuration: dict[str, Any] = {
        "bootstrap.servers": settings.kafka_bootstrap,
        "security.protocol": settings.kafka_security,
        "group.id": "riskstream-verify",
        "isolation.level": "read_committed",
        "enable.auto.commit": False,
        "auto.offset.reset": "error",
        "enable.partition.eof": True,
        "fetch.wait.max.ms": 50,
        "log_level": 0,
    }
    files = {
        "ssl.ca.location": settings.kafka_ca_file,
        "ssl.certificate.location": settings.kafka_cert_file,
        "ssl.key.location": settings.kafka_key_file,
    }
    configuration |= {name: str(path) for name, path in files.items() if path is not None}
    if settings.kafka_security.startswith("SASL") and settings.kafka_password is not None:
        configuration |= {
            "sasl.mechanism": settings.kafka_sasl_mechanism,
            "sasl.username": settings.kafka_user,
            "sasl.password": settings.kafka_password.get_secret_value(),
        }
    return configuration
