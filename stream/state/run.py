"""Looks an entity up with store, broker and catalogue together."""

from collections.abc import Sequence

from schemas.catalog import BrokenDeclaration
from scoring import catalog
from stream.broker import partition_counts
from stream.errors import JobFailed
from stream.settings import Settings
from stream.state.look import EntityState, Looker
from stream.state_store import opened_store


async def look_up(settings: Settings, entity: str, topics: Sequence[str]) -> list[EntityState]:
    """What is kept of an entity on those of the topics that exist.

    Raises:
        JobFailed: Kafka or Redis cannot be used, or a declaration is broken.
    """
    try:
        scorers = catalog.scorers()
    except BrokenDeclaration as error:
        raise JobFailed(str(error)) from error
    counts = partition_counts(settings, topics)
    async with opened_store(settings) as store:
        looker = Looker(store, settings.namespace, scorers, counts, settings.key_check)
        return await looker.look(entity, list(counts))
