"""Forgetting an entity: everything of it goes, nothing else does, and a running worker is no obstacle."""

import pytest

from scoring.store.contract import Blob, Lease, Partition, Step
from scoring.store.keys import alert_key, state_key
from scoring.store.memory import Held, MemoryStore
from stream.errors import JobFailed
from stream.state.forget import MOST_ATTEMPTS, forget, keys_to_forget
from stream.state.pauses import pause_of

AT = Partition("transactions", 1)
OLD, NEW = "0" * 16, "1" * 16


def keys_of(entity: str) -> list[str]:
    return [
        alert_key("tests", AT, "payment_anomaly", entity),
        state_key("tests", AT, "account_activity", OLD, entity),
        state_key("tests", AT, "account_activity", NEW, entity),
    ]


async def filled(store: MemoryStore) -> Lease:
    """A partition with two entities, one of them named so that it ends like the other."""
    lease = await store.acquire(AT, partition_count=4)
    blobs = [Blob(key, b"x", 60) for entity in ("7", "a:7") for key in keys_of(entity)]
    return await store.commit(lease, [Step({NEW: None}, {NEW: 10}, blobs, {}, {})])


class TakenBack(MemoryStore):
    """A store whose partition is taken over by another process right before some of the deletions."""

    def __init__(self, partitions: dict[Partition, Held], times: int) -> None:
        super().__init__("tests", partitions)
        self._other = MemoryStore("tests", partitions)
        self._times = times

    async def forget(self, lease, keys):
        """Deletes, unless it is too late."""
        if self._times:
            self._times -= 1
            await self._other.acquire(lease.partition, partition_count=4)
        return await super().forget(lease, keys)


async def test_every_key_of_the_entity_goes_and_no_other() -> None:
    """States of earlier views and cool-downs are the entity's data too; its neighbour's are not."""
    memory: dict[Partition, Held] = {}
    store = MemoryStore("tests", memory)
    await filled(store)
    assert await keys_to_forget(store, "7", [AT]) == {AT: sorted(keys_of("7"))}
    done = await forget(store, "7", AT, partition_count=4)
    assert (done.deleted, list(done.keys)) == (3, sorted(keys_of("7")))
    assert await keys_to_forget(store, "7", [AT]) == {}
    assert await keys_to_forget(store, "a:7", [AT]) == {AT: sorted(keys_of("a:7"))}


async def test_the_offset_stays_so_that_the_worker_goes_on_where_it_was() -> None:
    """Forgetting one entity must not score everybody's events again."""
    memory: dict[Partition, Held] = {}
    store = MemoryStore("tests", memory)
    await filled(store)
    await forget(store, "7", AT, partition_count=4)
    record = await store.record(AT)
    assert record is not None
    assert dict(record.offsets) == {NEW: 10}


async def test_a_worker_that_takes_the_partition_back_meanwhile_is_outwaited() -> None:
    """Workers acquire again at once; between two of their acquires there is always room."""
    memory: dict[Partition, Held] = {}
    await filled(MemoryStore("tests", memory))
    done = await forget(TakenBack(memory, times=3), "7", AT, partition_count=4)
    assert done.deleted == 3


async def test_a_partition_that_is_always_taken_back_is_said_and_not_tried_for_ever() -> None:
    """The command ends with what to do."""
    memory: dict[Partition, Held] = {}
    await filled(MemoryStore("tests", memory))
    with pytest.raises(JobFailed, match="try again"):
        await forget(TakenBack(memory, times=MOST_ATTEMPTS), "7", AT, partition_count=4)


async def test_a_pause_is_read_from_the_notes_of_the_partition() -> None:
    """Resume must know the pause it ends, by the clock of the worker that noted it."""
    store = MemoryStore("tests", {})
    lease = await store.acquire(AT, partition_count=4)
    assert pause_of(await store.record(AT)) == 0
    lease = await store.commit(lease, [Step({NEW: None}, {NEW: 1}, [], {}, {"paused": "17"})])
    assert pause_of(await store.record(AT)) == 17
    await store.commit(lease, [Step({NEW: 1}, {NEW: 2}, [], {}, {"paused": "0"})])
    assert pause_of(await store.record(AT)) == 0
