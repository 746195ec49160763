"""Whether a partition is paused, as its worker recorded it."""

from scoring.store.contract import Partition, Record
from stream.settings import Settings
from stream.state_store import opened_store
from stream.worker.leasing import PAUSED


def pause_of(record: Record | None) -> int:
    """When the partition paused, in milliseconds since 1970 by its worker's clock; 0 when it is not paused.

    >>> pause_of(None)
    0
    """
    return int(record.notes.get(PAUSED) or 0) if record else 0


async def paused_at_ms(settings: Settings, partition: Partition) -> int:
    """When the partition paused; 0 when it is not paused.

    Raises:
        JobFailed: Redis cannot be reached or used.
    """
    async with opened_store(settings) as store:
        return pause_of(await store.record(partition))
