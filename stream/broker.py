"""Questions of commands to the broker: an administration client, and how many partitions a topic has."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError

from stream.errors import JobFailed
from stream.kafka import client_arguments
from stream.settings import Settings

CONNECT_WITHIN_MS = 8_000
ANSWER_WITHIN_MS = 15_000


@contextmanager
def administration(settings: Settings) -> Iterator[KafkaAdminClient]:
    """An administration client inside the `with`.

    Raises:
        JobFailed: the broker cannot be reached, or fails at something inside.
    """
    # what goes wrong is told in the words of JobFailed; the client's own lines would repeat it by the dozen
    logging.getLogger("kafka").setLevel(logging.CRITICAL + 1)
    try:
        admin = KafkaAdminClient(
            **client_arguments(settings),
            bootstrap_timeout_ms=CONNECT_WITHIN_MS,
            request_timeout_ms=ANSWER_WITHIN_MS,
        )
    except (KafkaError, ValueError) as error:  # a ValueError is an address that cannot be one
        raise JobFailed(unreachable(settings, error)) from None
    try:
        yield admin
    except KafkaError as error:
        raise JobFailed(f"Kafka at {settings.kafka_bootstrap}: {error}; see the broker's log") from None
    finally:
        admin.close()


def unreachable(settings: Settings, error: BaseException) -> str:
    """What to say when the broker does not answer."""
    return (
        f"Kafka at {settings.kafka_bootstrap} cannot be reached: {error}; "
        "start it (`riskstream up`) or correct RISKSTREAM_KAFKA_BOOTSTRAP"
    )


def partition_counts(settings: Settings, topics: Sequence[str]) -> dict[str, int]:
    """Partitions of those of the topics that exist.

    Raises:
        JobFailed: the broker cannot be reached.
    """
    with administration(settings) as admin:
        described = admin.describe_topics(list(topics))
    return {topic["name"]: len(topic["partitions"]) for topic in described if topic["error_code"] == 0}


def required_partitions(settings: Settings, topic: str) -> int:
    """Partitions of a topic that has to be there.

    Raises:
        JobFailed: it is not, or the broker cannot be reached.
    """
    count = partition_counts(settings, [topic]).get(topic)
    if count is None:
        raise JobFailed(
            f"topic {topic!r} is not on the broker; make riskstream's topics: riskstream topics create"
        )
    return count
