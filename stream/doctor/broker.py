"""What the broker says of itself, its topics, and how far the workers' group has come."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kafka import TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient, OffsetSpec

from scoring.store.contract import Partition
from stream.doctor.finding import Finding, fine, judged

CONFIGS = (
    "message.timestamp.type", "cleanup.policy", "retention.ms", "retention.bytes", "min.insync.replicas",
    "max.message.bytes",
)  # fmt: skip
OLDEST_VERSION = (2, 3)  # static membership of consumer groups


@dataclass(frozen=True)
class TopicFacts:
    """A topic: per partition the counts of replicas and of those in sync (0 without a leader), and its settings."""

    replicas: tuple[int, ...]
    in_sync: tuple[int, ...]
    configs: Mapping[str, str]

    @property
    def partitions(self) -> int:
        """How many partitions it has."""
        return len(self.replicas)


@dataclass(frozen=True)
class BrokerFacts:
    """The broker as examined.

    Attributes:
        version: as far as its protocol tells, such as (4, 1).
        topics: those that exist.
        begins, ends: first and next offset of the input partitions.
        committed: the group's own offsets, which only lag tools read.
        workers: members of the group.
    """

    version: tuple[int, ...]
    brokers: int
    topics: Mapping[str, TopicFacts]
    begins: Mapping[Partition, int] = field(default_factory=dict)
    ends: Mapping[Partition, int] = field(default_factory=dict)
    committed: Mapping[Partition, int] = field(default_factory=dict)
    workers: int = 0


def examine_broker(
    admin: KafkaAdminClient, *, topics: Sequence[str], inputs: Sequence[str], group: str
) -> BrokerFacts:
    """Asks the broker.

    Args:
        topics: all that are needed.
        inputs: those whose offsets are wanted.

    Raises:
        kafka.errors.KafkaError: it stops answering.
    """
    cluster = admin.describe_cluster()["brokers"]
    found = _topics(admin, topics)
    sources = [
        Partition(topic, index)
        for topic in inputs
        if topic in found
        for index in range(found[topic].partitions)
    ]
    committed = admin.list_group_offsets({group: None})[group]
    version = admin.get_broker_version_data(cluster[0]["broker_id"]).broker_version
    return BrokerFacts(
        version=tuple(version),
        brokers=len(cluster),
        topics=found,
        begins=_offsets(admin, sources, OffsetSpec.EARLIEST),
        ends=_offsets(admin, sources, OffsetSpec.LATEST),
        committed={Partition(at.topic, at.partition): told.offset for at, told in committed.items()},
        workers=len(admin.describe_groups([group])[group]["members"]),
    )


def judge_broker(facts: BrokerFacts, address: str) -> list[Finding]:
    """Whether the broker is one that riskstream can use."""
    said = ".".join(map(str, facts.version))
    needed = ".".join(map(str, OLDEST_VERSION))
    good = facts.version >= OLDEST_VERSION
    version = fine("broker", address, f"version {said}, brokers: {facts.brokers}", f"{needed} or later")
    return [judged("ok" if good else "error", version, do=f"upgrade the broker to {needed} or later")]


def _topics(admin: KafkaAdminClient, names: Sequence[str]) -> dict[str, TopicFacts]:
    described = {
        topic["name"]: topic for topic in admin.describe_topics(list(names)) if topic["error_code"] == 0
    }
    resources = [ConfigResource(ConfigResourceType.TOPIC, name, dict.fromkeys(CONFIGS)) for name in described]
    told: dict[str, Any] = (
        admin.describe_configs(resources, config_filter="all")["topic"] if resources else {}
    )
    return {
        name: TopicFacts(
            replicas=tuple(len(part["replica_nodes"]) for part in topic["partitions"]),
            in_sync=tuple(
                len(part["isr_nodes"]) if part["leader_id"] >= 0 else 0 for part in topic["partitions"]
            ),
            configs={config: entry["value"] for config, entry in told[name].items()},
        )
        for name, topic in described.items()
    }


def _offsets(admin: KafkaAdminClient, partitions: Sequence[Partition], which: Any) -> dict[Partition, int]:
    if not partitions:
        return {}
    asked = {TopicPartition(partition.topic, partition.index): which for partition in partitions}
    answered = admin.list_partition_offsets(asked)
    return {Partition(at.topic, at.partition): told.offset for at, told in answered.items()}
