"""Topics are created as the promises need them, and existing ones are judged, never altered."""

import asyncio
import json

from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from schemas.catalog import event_types
from schemas.topics import ACTIVATIONS, ALERTS, DEAD_LETTERS, LABELS, SCORES
from stream.kafka import client_arguments
from stream.services.embedded import EmbeddedServices
from stream.settings import Settings
from stream.topics import ensure_topics
from tests.support.command_line import riskstream
from tests.support.services import drop_all_topics, settings_for


async def make_raw(settings: Settings, name: str, *, partitions: int, **configs: str) -> None:
    admin = AIOKafkaAdminClient(**client_arguments(settings))
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, partitions, 1, topic_configs=configs)])
    finally:
        await admin.close()


async def test_every_topic_is_created_once(services: EmbeddedServices) -> None:
    """Every command may call it at its start: the second call finds all good and changes nothing."""
    await drop_all_topics(services)
    settings = settings_for(services)
    first = await asyncio.to_thread(ensure_topics, settings, partitions=6)
    second = await asyncio.to_thread(ensure_topics, settings, partitions=6)
    counts = {report.topic: report.partitions for report in first}
    assert counts == {
        **dict.fromkeys(event_types(), 6),
        **dict.fromkeys((SCORES, ALERTS, DEAD_LETTERS, LABELS), 6),
        ACTIVATIONS: 1,
    }
    assert all(report.created and not report.problems for report in first)
    assert not any(report.created or report.problems for report in second)


async def test_outputs_get_as_many_partitions_as_the_largest_existing_input(
    services: EmbeddedServices,
) -> None:
    """A score goes to the partition number of its input, so the output must have that number."""
    await drop_all_topics(services)
    settings = settings_for(services)
    await make_raw(settings, "transactions", partitions=9, **{"message.timestamp.type": "LogAppendTime"})
    reports = {report.topic: report for report in await asyncio.to_thread(ensure_topics, settings)}
    assert reports["transactions"].partitions == 9
    assert not reports["transactions"].problems
    assert {reports[name].partitions for name in (SCORES, ALERTS, DEAD_LETTERS)} == {9}
    assert reports["market-ticks"].partitions == 4


async def test_wrong_existing_topics_are_reported_with_what_to_do(services: EmbeddedServices) -> None:
    """Old events fed into a topic that keeps creation times would be deleted by retention, silently."""
    await drop_all_topics(services)
    settings = settings_for(services)
    await make_raw(settings, "transactions", partitions=4, **{"message.timestamp.type": "CreateTime"})
    await make_raw(settings, "market-ticks", partitions=2, **{"message.timestamp.type": "LogAppendTime"})
    await make_raw(settings, SCORES, partitions=1, **{"message.timestamp.type": "LogAppendTime"})
    await make_raw(settings, ACTIVATIONS, partitions=3, **{"message.timestamp.type": "LogAppendTime"})

    told = await asyncio.to_thread(
        riskstream,
        "topics",
        "create",
        "--partitions",
        "4",
        "--json",
        kafka_bootstrap=services.kafka_bootstrap,
        redis_url=services.redis_url,
    )

    assert told.returncode == 1
    problems = {report["topic"]: " ".join(report["problems"]) for report in json.loads(told.stdout)["topics"]}
    assert "message.timestamp.type=LogAppendTime" in problems["transactions"]
    assert "RISKSTREAM_NAMESPACE" in problems["market-ticks"]
    assert "--partitions 4" in problems[SCORES]
    assert "cleanup.policy is delete, expected compact" in problems[ACTIVATIONS]
    assert "expected 1" in problems[ACTIVATIONS]
    assert not problems[ALERTS]


def test_unreachable_broker_is_named_with_the_remedy() -> None:
    """The first thing a newcomer meets is a broker that is not there."""
    told = riskstream("topics", "create", kafka_bootstrap="127.0.0.1:1", redis_url="redis://127.0.0.1:1/0")
    assert told.returncode == 1
    assert "127.0.0.1:1" in told.stderr
    assert "riskstream up" in told.stderr
