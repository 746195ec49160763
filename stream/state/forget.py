"""Forgets an entity: deletes its states and cool-downs under a lease, as the only one who may."""

from collections.abc import Sequence
from dataclasses import dataclass

from scoring.store.contract import LeaseLost, Partition, StateStore
from stream.broker import required_partitions
from stream.errors import JobFailed
from stream.settings import Settings
from stream.state.home import home_partitions
from stream.state_store import opened_store

MOST_ATTEMPTS = 10


@dataclass(frozen=True)
class Forgotten:
    """What was deleted of an entity in one partition: the keys that were there, and how many went."""

    partition: Partition
    keys: tuple[str, ...]
    deleted: int


async def keys_to_forget(
    store: StateStore, entity: str, partitions: Sequence[Partition]
) -> dict[Partition, list[str]]:
    """The entity's keys of every view, digest and scorer, by partition; partitions without any are left out.

    Walks the whole key space of the server: seconds for millions of keys, without holding it up.

    Raises:
        StoreError: the store fails.
    """
    found = {partition: await store.keys_of(partition, entity) for partition in partitions}
    return {partition: keys for partition, keys in found.items() if keys}


async def forget(store: StateStore, entity: str, partition: Partition, *, partition_count: int) -> Forgotten:
    """Takes the partition over, deletes the entity's keys, and leaves the partition to its worker again.

    The worker finds its lease lost at its next read or commit, drops its cache and acquires again: it goes on
    from the recorded offset, without the entity's past.

    Raises:
        JobFailed: workers kept taking the partition back.
        StoreError: the store fails, or the topic's partitions are not those of the state.
    """
    for _ in range(MOST_ATTEMPTS):
        lease = await store.acquire(partition, partition_count=partition_count)
        # listed under the lease: nothing is added between listing and deleting but by who takes it from us
        keys = await store.keys_of(partition, entity)
        try:
            return Forgotten(partition, tuple(keys), await store.forget(lease, keys))
        except LeaseLost:
            continue
    raise JobFailed(
        f"partition {partition}: its worker took it back {MOST_ATTEMPTS} times before {entity!r} was "
        "deleted; try again when the workers are level with the log, or stop them meanwhile"
    )


async def find_keys(settings: Settings, entity: str, topic: str) -> dict[Partition, list[str]]:
    """The entity's keys on a topic, by partition; nothing is changed.

    Raises:
        JobFailed: Kafka or Redis cannot be used, or the topic is not there.
    """
    count = required_partitions(settings, topic)
    homes = home_partitions(topic, entity, partition_count=count, key_check=settings.key_check)
    async with opened_store(settings) as store:
        return await keys_to_forget(store, entity, homes)


async def forget_all(settings: Settings, entity: str, partitions: Sequence[Partition]) -> list[Forgotten]:
    """Forgets the entity in each of these partitions of one topic.

    Raises:
        JobFailed: as `find_keys`; or as `forget`.
    """
    count = required_partitions(settings, partitions[0].topic)
    async with opened_store(settings) as store:
        return [await forget(store, entity, partition, partition_count=count) for partition in partitions]
