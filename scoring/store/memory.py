"""A state store in this process: for replay, training and tests."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from scoring.store.contract import Blob, Lease, LeaseLost, Partition, Record, Step
from scoring.store.keys import entity_of, hash_tag
from scoring.store.sightings import Sightings
from scoring.store.steps import check_steps, count_changed, lease_after


@dataclass
class Held:
    """One partition's part of the memory."""

    record: Record
    token: str = ""
    last_step: str = ""
    values: dict[str, bytes] = field(default_factory=dict)


class MemoryStore:
    """The store in a dictionary: the same rules as Redis, without expiry, which is garbage collection only.

    Args:
        namespace: what the keys carry.
        partitions: the memory; give the same to several stores to let them contend like processes.
    """

    def __init__(self, namespace: str, partitions: dict[Partition, Held] | None = None) -> None:
        self._namespace = namespace
        self._partitions = {} if partitions is None else partitions
        self._sightings = Sightings()

    async def open(self) -> None:
        """Nothing to connect to."""

    async def acquire(self, partition: Partition, *, partition_count: int) -> Lease:
        """See `StateStore.acquire`."""
        held = self._partitions.setdefault(partition, Held(Record(0, {}, {}, {}, partition_count)))
        recorded = held.record.partition_count
        if recorded != partition_count and recorded is not None:
            raise count_changed(self._namespace, partition, recorded=recorded, found=partition_count)
        held.record = record = replace(held.record, epoch=held.record.epoch + 1)
        held.token, held.last_step = secrets.token_hex(16), ""
        return Lease(
            partition=partition,
            token=held.token,
            epoch=record.epoch,
            rolled_back=self._sightings.acquired(partition, record.epoch, record.offsets),
            offsets=record.offsets,
            outputs=record.outputs,
            notes=record.notes,
            partition_count=record.partition_count,
            origins=record.origins,
        )

    async def read(self, lease: Lease, keys: Sequence[str]) -> list[bytes | None]:
        """See `StateStore.read`."""
        held = self._held(lease)
        if held.last_step != lease.last_step:
            raise LeaseLost(f"{lease.partition}: a step was committed that this lease has not seen")
        return [held.values.get(key) for key in keys]

    async def commit(self, lease: Lease, steps: Sequence[Step]) -> Lease:
        """See `StateStore.commit`."""
        check_steps(self._namespace, lease.partition, steps)
        for step in steps:
            lease = self._apply(lease, step)
        self._sightings.committed(lease.partition, lease.epoch, lease.offsets)
        return lease

    async def record(self, partition: Partition) -> Record | None:
        """See `StateStore.record`."""
        held = self._partitions.get(partition)
        return None if held is None else held.record

    async def values(self, partition: Partition, keys: Sequence[str]) -> list[bytes | None]:
        """See `StateStore.values`."""
        held = self._partitions.get(partition)
        return [None if held is None else held.values.get(key) for key in keys]

    async def keys_of(self, partition: Partition, entity: str) -> list[str]:
        """See `StateStore.keys_of`."""
        held = self._partitions.get(partition)
        tag = hash_tag(self._namespace, partition)
        return sorted(key for key in (held.values if held else ()) if tag in key and entity_of(key) == entity)

    async def forget(self, lease: Lease, keys: Sequence[str]) -> int:
        """See `StateStore.forget`."""
        values = self._held(lease).values
        return sum(values.pop(key, None) is not None for key in keys)

    async def close(self) -> None:
        """Nothing to let go of."""

    def _held(self, lease: Lease) -> Held:
        held = self._partitions.get(lease.partition)
        if held is None or held.token != lease.token:
            raise LeaseLost(f"{lease.partition}: the token is no longer this lease's; acquire again")
        return held

    def _apply(self, lease: Lease, step: Step) -> Lease:
        held = self._held(lease)
        if held.last_step != lease.last_step:
            raise LeaseLost(f"{lease.partition}: a step was committed that this lease has not seen")
        for digest, offset in step.expected.items():
            if held.record.offsets.get(digest) != offset:
                raise LeaseLost(
                    f"{lease.partition}: offset of view {digest} is {held.record.offsets.get(digest)}, "
                    f"expected {offset}; acquire again"
                )
        lease = lease_after(lease, (step,), last_step=secrets.token_hex(8))
        held.record = replace(
            held.record,
            offsets=lease.offsets,
            outputs=lease.outputs,
            notes=lease.notes,
            origins=lease.origins,
        )
        held.last_step = lease.last_step
        held.values.update(_pair(blob) for blob in step.blobs)
        return lease


def _pair(blob: Blob) -> tuple[str, bytes]:
    return blob.key, blob.value
