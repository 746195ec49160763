"""Names and topics of a test's own on the shared services, so that tests do not disturb each other."""

import asyncio
import uuid

from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from stream.services.embedded import EmbeddedServices
from stream.settings import Settings, load
from tests.support.command_line import EVERYWHERE

GONE_WITHIN_SECONDS = 30.0


def unique_namespace() -> str:
    """A namespace that no other test has: Redis keys and consumer groups begin with it."""
    return f"test-{uuid.uuid4().hex[:12]}"


def settings_for(services: EmbeddedServices, **given: object) -> Settings:
    """Settings that reach these services, under a namespace of their own unless one is given."""
    values = {"namespace": unique_namespace(), "data_dir": services.data_dir} | EVERYWHERE | given
    return load({}, kafka_bootstrap=services.kafka_bootstrap, redis_url=services.redis_url, **values)


async def make_topic(services: EmbeddedServices, name: str | None = None, *, partitions: int = 4) -> str:
    """Creates a topic that stamps records on arrival, with a name of its own unless given; returns it."""
    name = name or f"test-{uuid.uuid4().hex[:12]}"
    admin = AIOKafkaAdminClient(bootstrap_servers=services.kafka_bootstrap)
    await admin.start()
    try:
        topic = NewTopic(name, partitions, 1, topic_configs={"message.timestamp.type": "LogAppendTime"})
        await admin.create_topics([topic])
    finally:
        await admin.close()
    return name


async def drop_all_topics(services: EmbeddedServices) -> None:
    """Deletes every topic and returns when they are gone: the names of riskstream's own topics are fixed.

    Raises:
        TimeoutError: the broker still lists some after 30 seconds.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=services.kafka_bootstrap)
    await admin.start()
    try:
        async with asyncio.timeout(GONE_WITHIN_SECONDS):
            while names := [name for name in await admin.list_topics() if not name.startswith("__")]:
                await admin.delete_topics(names)
                await asyncio.sleep(0.1)
    finally:
        await admin.close()
