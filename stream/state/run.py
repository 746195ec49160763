"""The store, the broker and the catalogue together: looks an entity up, finds its keys, forgets it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from schemas.catalog import BrokenDeclaration
from scoring import catalog
from scoring.store.contract import Partition
from stream.broker import partition_counts
from stream.errors import JobFailed
from stream.settings import Settings
from stream.state.forget import Forgotten, forget, keys_to_forget
from stream.state.look import EntityState, Looker
from stream.state_store import opened_store


async def look_up(settings: Settings, entity: str, topics: Sequence[str]) -> list[EntityState]:
    """What is kept of an entity on the topics that exist.

    Raises:
        JobFailed: Kafka or Redis cannot be used, or a declaration is broken.
    """
    async with _looker(settings, topics) as looker:
        return await looker.look(entity, list(looker.partition_counts))


async def find_keys(settings: Settings, entity: str, topic: str) -> dict[Partition, list[str]]:
    """The entity's keys on a topic, by partition.

    Raises:
        JobFailed: as `look_up`.
    """
    async with _looker(settings, [topic]) as looker:
        if topic not in looker.partition_counts:
            return {}
        return await keys_to_forget(looker.store, entity, looker.partitions(topic, entity))


async def forget_all(settings: Settings, entity: str, partitions: Sequence[Partition]) -> list[Forgotten]:
    """Forgets the entity in each of the partitions.

    Raises:
        JobFailed: as `look_up`; or a worker kept taking the partition back, or the topic's partitions are not
            those of the state.
    """
    async with _looker(settings, sorted({partition.topic for partition in partitions})) as looker:
        counts = looker.partition_counts
        return [
            await forget(looker.store, entity, partition, partition_count=counts[partition.topic])
            for partition in partitions
        ]


@asynccontextmanager
async def _looker(settings: Settings, topics: Sequence[str]) -> AsyncIterator[Looker]:
    try:
        scorers = catalog.scorers()
    except BrokenDeclaration as error:
        raise JobFailed(str(error)) from error
    counts = partition_counts(settings, topics)
    async with opened_store(settings) as store:
        yield Looker(store, settings.namespace, scorers, counts, settings.key_check)
