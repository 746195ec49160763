"""Events of a file as Kafka records: JSON bytes, the key's bytes and its partition."""

import io
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from schemas.event import EventType
from scoring.murmur2 import partitions_of


@dataclass(frozen=True)
class Records:
    """n records in the order of their events.

    Attributes:
        values: JSON of each event; keys: UTF-8 of the key field; partitions: int64[n].
        occurred_at_ms: int64[n], event times, for pacing.
    """

    values: list[bytes]
    keys: list[bytes]
    partitions: NDArray[np.int64]
    occurred_at_ms: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.values)

    def part(self, start: int, stop: int) -> "Records":
        """Records `start` to `stop`, the latter excluded."""
        cut = slice(start, stop)
        return Records(self.values[cut], self.keys[cut], self.partitions[cut], self.occurred_at_ms[cut])


def encode(frame: pl.DataFrame) -> list[bytes]:
    """JSON of every row, fields in the order of the columns; a column without any value is left out."""
    present = [column.name for column in frame if column.null_count() < frame.height]
    buffer = io.BytesIO()
    frame.select(present).write_ndjson(buffer)
    # text is escaped, so a line feed is never part of a record
    return buffer.getvalue().split(b"\n")[:-1]


def as_records(frame: pl.DataFrame, event_type: EventType, partition_count: int) -> Records:
    """The checked events of this frame as records for a topic with that many partitions."""
    keys = [key.encode() for key in frame[event_type.key].to_list()]
    times = frame["occurred_at_ms"].to_numpy()
    return Records(encode(frame), keys, partitions_of(keys, partition_count), times)
