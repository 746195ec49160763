"""The topics that riskstream needs: what they must be like, making the missing ones, judging the others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient
from kafka.errors import KafkaError

from schemas.catalog import event_types
from schemas.topics import ACTIVATIONS, ALERTS, DEAD_LETTERS, LABELS, SCORES
from stream.errors import JobFailed
from stream.kafka import client_arguments
from stream.settings import Settings

DEFAULT_PARTITIONS = 4
BROKER_DEFAULT = -1
CONNECT_WITHIN_MS = 8_000
READY_WITHIN_MS = 15_000
ALREADY_EXISTS = 36
OUTPUTS = (SCORES, ALERTS, DEAD_LETTERS)

# records are stamped on arrival: fed old events keep their age in `occurred_at_ms` alone, and are neither
# deleted for it nor taken for events of the future
KEPT = {"message.timestamp.type": "LogAppendTime", "retention.ms": "-1", "cleanup.policy": "delete"}
COMPACTED = {"message.timestamp.type": "LogAppendTime", "cleanup.policy": "compact"}
ALTER_CONFIG = "kafka-configs --alter --entity-type topics --entity-name {topic} --add-config {name}={value}"
ALTER_PARTITIONS = "kafka-topics --alter --topic {topic} --partitions {partitions}"


@dataclass(frozen=True, kw_only=True)
class ExistingTopic:
    """A topic as the broker has it; `configs` holds the values in force of the names in `KEPT`."""

    partitions: int
    configs: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class TopicReport:
    """A topic after `ensure_topics`: whether it was made now, what is wrong with it and what to do."""

    topic: str
    partitions: int
    created: bool
    problems: tuple[str, ...] = ()


def ensure_topics(
    settings: Settings, *, partitions: int | None = None, replication: int = BROKER_DEFAULT
) -> tuple[TopicReport, ...]:
    """Creates the topics that are missing and judges those that exist; running it again changes nothing.

    Inputs and labels get `partitions`; scores, alerts and dead letters at least as many as the largest input;
    activations one, compacted. Existing topics are never altered: state is kept by partition.

    Args:
        settings: how to reach the broker.
        partitions: partitions of new inputs; when not given, 4, and existing inputs may have any number.
        replication: copies of new topics; the broker's default when not given.

    Returns:
        A report for every topic, in order of the names.

    Raises:
        JobFailed: the broker cannot be reached, or refuses to create a topic.
    """
    try:
        admin = KafkaAdminClient(**client_arguments(settings), bootstrap_timeout_ms=CONNECT_WITHIN_MS)
    except KafkaError as error:
        raise JobFailed(
            f"Kafka at {settings.kafka_bootstrap} cannot be reached: {error}; "
            "start it (`riskstream up`) or correct RISKSTREAM_KAFKA_BOOTSTRAP"
        ) from None
    try:
        return _ensure(admin, partitions=partitions, replication=replication)
    except KafkaError as error:
        raise JobFailed(f"Kafka at {settings.kafka_bootstrap}: {error}; see the broker's log") from None
    finally:
        admin.close()


def problems_of(topic: str, existing: ExistingTopic, *, partitions: int, asked: bool) -> tuple[str, ...]:
    """What is wrong with an existing topic, each with what to do.

    Args:
        topic: its name, which decides what it must be like.
        existing: what the broker has.
        partitions: how many it needs: for an input what was asked for, for an output the most of any input.
        asked: whether somebody asked for that number of input partitions.
    """
    found: list[str] = []
    for name, value in _configs_of(topic).items():
        is_value = existing.configs.get(name)
        # a finite retention is a choice; whether it covers the horizons is judged by `riskstream doctor`
        if name != "retention.ms" and is_value != value:
            command = ALTER_CONFIG.format(topic=topic, name=name, value=value)
            found.append(f"{name} is {is_value}, expected {value}: {command}")
    if topic == ACTIVATIONS:
        if existing.partitions != 1:
            found.append(
                f"has {existing.partitions} partitions, expected 1: delete it while no worker runs, run again"
            )
    elif existing.partitions < partitions and topic in OUTPUTS:
        command = ALTER_PARTITIONS.format(topic=topic, partitions=partitions)
        found.append(f"has {existing.partitions} partitions, the largest input has {partitions}: {command}")
    elif existing.partitions < partitions and asked:
        found.append(
            f"has {existing.partitions} partitions, {partitions} were asked for: more of them move keys away "
            "from their state, so add them only together with a new RISKSTREAM_NAMESPACE, or ask for fewer"
        )
    return tuple(found)


def _ensure(admin: KafkaAdminClient, *, partitions: int | None, replication: int) -> tuple[TopicReport, ...]:
    inputs = tuple(event_types())
    needed = dict.fromkeys((*inputs, LABELS), partitions or DEFAULT_PARTITIONS) | {ACTIVATIONS: 1}
    created = _create_missing(admin, needed, replication=replication)
    # the outputs follow what the inputs really have, which another process may just have decided
    largest = max(topic.partitions for topic in _describe(admin, inputs).values())
    outputs = dict.fromkeys(OUTPUTS, largest)
    created |= _create_missing(admin, outputs, replication=replication)
    needed |= outputs
    return tuple(
        TopicReport(
            topic=name,
            partitions=topic.partitions,
            created=name in created,
            problems=problems_of(name, topic, partitions=needed[name], asked=partitions is not None),
        )
        for name, topic in sorted(_describe(admin, tuple(needed)).items())
    )


def _create_missing(admin: KafkaAdminClient, needed: Mapping[str, int], *, replication: int) -> set[str]:
    """Names of those that were created now; all of them are there and have leaders on return."""
    there = {topic["name"] for topic in admin.describe_topics(list(needed)) if topic["error_code"] == 0}
    missing = {
        name: {"num_partitions": count, "replication_factor": replication, "configs": _configs_of(name)}
        for name, count in needed.items()
        if name not in there
    }
    answers = admin.create_topics(missing, raise_errors=False)["topics"] if missing else []
    refused = [answer for answer in answers if answer["error_code"] not in (0, ALREADY_EXISTS)]
    if refused:
        told = "; ".join(f"{answer['name']}: {answer['error_message']}" for answer in refused)
        raise JobFailed(f"Kafka refused to create topics: {told}")
    admin.wait_for_topics(list(needed), timeout_ms=READY_WITHIN_MS)
    return {answer["name"] for answer in answers if answer["error_code"] == 0}


def _describe(admin: KafkaAdminClient, names: Sequence[str]) -> dict[str, ExistingTopic]:
    partitions = {topic["name"]: len(topic["partitions"]) for topic in admin.describe_topics(list(names))}
    resources = [ConfigResource(ConfigResourceType.TOPIC, name, dict.fromkeys(KEPT)) for name in names]
    configs: dict[str, Any] = admin.describe_configs(resources, config_filter="all")["topic"]
    return {
        name: ExistingTopic(
            partitions=partitions[name],
            configs={config: told["value"] for config, told in configs[name].items()},
        )
        for name in names
    }


def _configs_of(topic: str) -> dict[str, str]:
    return COMPACTED if topic == ACTIVATIONS else KEPT
