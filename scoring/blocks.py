"""Records to write, many at a time and as columns: what compiled code puts into Kafka's batches."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schemas.cloudevents import Kind
from scoring.publish import Output
from scoring.wire.packed import Packed


@dataclass(frozen=True, eq=False, repr=False)
class RecordBlock:
    """Records of one kind for one partition of one topic, made from one input partition, in order.

    Attributes:
        topic, partition: where to.
        origin: the CloudEvents source of all of them.
        identities, values: of each record.
        keys, key_of: the distinct keys, and which one is each record's, int64[n].
    """

    topic: str
    partition: int
    kind: Kind
    origin: str
    identities: Packed
    values: Packed
    keys: Packed
    key_of: NDArray[np.int64]

    def __len__(self) -> int:
        """Number of records."""
        return len(self.key_of)

    def outputs(self) -> Iterator[Output]:
        """Each record by itself, for readers of few."""
        for row, key in enumerate(self.key_of.tolist()):
            identity = self.identities.one(row).decode()
            yield Output(
                self.topic, self.kind, identity, self.origin, self.keys.one(key), self.values.one(row)
            )
