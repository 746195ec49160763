"""Which partitions may hold an entity."""

from scoring.murmur2 import partition_of
from scoring.store.contract import Partition


def home_partitions(topic: str, entity: str, *, partition_count: int, key_check: str) -> list[Partition]:
    """The one partition that murmur2 of the key gives, if the workers insist on it; otherwise all of the topic.

    Args:
        key_check: as in the settings.

    >>> home_partitions("transactions", "4711", partition_count=4, key_check="murmur2")
    [Partition(topic='transactions', index=2)]
    """
    if key_check == "murmur2":
        return [Partition(topic, partition_of(entity.encode(), partition_count))]
    return [Partition(topic, index) for index in range(partition_count)]
