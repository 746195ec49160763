"""The two passes over a file, in its order: for training, and for a what-if.

A worker's second pass follows the order of its internal topic, which a file does not have; so these are not the bits of a
live run, only its numbers.
"""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from schemas.event import EventType
from scoring.features.batch import EventBatch
from scoring.features.frame import batch_of_frame
from scoring.features.table import FeatureTable
from scoring.records import Origins
from scoring.sequence import NOBODY


def second_batch(event_type: EventType, frame: pl.DataFrame, rows: NDArray[np.int64]) -> EventBatch:
    """The rows, int64[m], of a frame of the first event type as events of the second entity."""
    key = event_type.key
    entities = pl.col(key).fill_null(NOBODY) if key in frame.columns else pl.lit(NOBODY).alias(key)
    return batch_of_frame(event_type, frame[rows].with_columns(entities))


def origins_in(table: FeatureTable, rows: NDArray[np.int64]) -> Origins:
    """What the second pass carries of the first one's table; places it has none."""
    return Origins(
        partitions=[],
        partition_of=np.zeros(len(rows), np.int64),
        offsets=[],
        vectors=table.vectors[rows],
        depth=table.depth[rows],
        late=table.late[rows],
        approx=table.approx[rows],
        fits=np.ones(len(rows), np.bool_),
    )
