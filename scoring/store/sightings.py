"""What this process has seen of each partition, to notice a store that went back in time."""

from collections.abc import Mapping

from scoring.store.contract import Partition


class Sightings:
    """Epoch and offsets last seen for each partition; a store that went back is reported once."""

    def __init__(self) -> None:
        self._seen: dict[Partition, tuple[int, Mapping[str, int]]] = {}

    def acquired(self, partition: Partition, epoch: int, offsets: Mapping[str, int]) -> bool:
        """Whether the store is behind what was seen before: an epoch not raised, an offset lower or gone."""
        seen_epoch, seen_offsets = self._seen.get(partition, (0, {}))
        self._seen[partition] = epoch, offsets
        return epoch <= seen_epoch or any(
            offsets.get(digest, -1) < offset for digest, offset in seen_offsets.items()
        )

    def committed(self, partition: Partition, epoch: int, offsets: Mapping[str, int]) -> None:
        """Take note of offsets this process has committed."""
        self._seen[partition] = epoch, offsets
