"""The labels of fed events as records for the topic `labels`, each no earlier than it became known."""

from dataclasses import dataclass, field

import numpy as np
import polars as pl

from schemas.event import EventType
from scoring.files import Chunk
from scoring.murmur2 import partitions_of
from stream.feed.records import Records, encode


def label_frame(chunk: Chunk, event_type: EventType) -> pl.DataFrame:
    """A label's fields, for every event of the chunk whose label is known; in the order of the events.

    Entity and event are named as the chunk names them: by their pseudonyms, if it has some.
    """
    assert chunk.labels is not None and chunk.known_at_ms is not None
    return chunk.frame.select(
        pl.col("event_id"),
        pl.col(event_type.key).alias("entity"),
        chunk.labels.cast(pl.String).alias("label"),
        chunk.known_at_ms,
    ).filter(pl.col("known_at_ms").is_not_null())


def as_labels(frame: pl.DataFrame, partition_count: int) -> Records:
    """Labels as records, keyed by their entity; `occurred_at_ms` of the records is when each is due."""
    keys = [key.encode() for key in frame["entity"].to_list()]
    due = frame["due_ms" if "due_ms" in frame.columns else "known_at_ms"].to_numpy()
    values = encode(frame.select("event_id", "entity", "label", "known_at_ms"))
    return Records(values, keys, partitions_of(keys, partition_count), due)


@dataclass(eq=False)
class Labels:
    """Labels that wait until event time has come to when they were known; equal times in order of their events.

    No label is due before its event is: one of an event that comes late in the file waits for it.

    Attributes:
        partition_count: of the topic `labels`.
        unknown: events taken so far that have no label, or one that is not known yet and has no time.
    """

    event_type: EventType
    partition_count: int
    unknown: int = 0
    _waiting: list[pl.DataFrame] = field(default_factory=list)
    _reached_ms: int | None = None

    def take(self, chunk: Chunk) -> None:
        """Adds the labels of a chunk, before its events are sent."""
        frame = label_frame(chunk, self.event_type)
        self.unknown += chunk.frame.height - frame.height - len(chunk.labels_refused)
        if not chunk.frame.height:
            return
        reached = np.maximum.accumulate(chunk.frame["occurred_at_ms"].to_numpy())
        if self._reached_ms is not None:
            reached = np.maximum(reached, self._reached_ms)
        self._reached_ms = int(reached[-1])
        assert chunk.known_at_ms is not None
        due = np.maximum(reached[chunk.known_at_ms.is_not_null().to_numpy()], frame["known_at_ms"].to_numpy())
        if frame.height:
            self._waiting.append(frame.with_columns(pl.Series("due_ms", due)).sort("due_ms", maintain_order=True))

    def next_ms(self) -> int | None:
        """When the next label is due; None when none waits."""
        return min((int(each["due_ms"][0]) for each in self._waiting), default=None)

    def due(self, until_ms: float | None = None) -> Records | None:
        """The labels due up to a time (all of them without one), in order, which wait no longer; None for none."""
        ready, waiting = [], []
        for each in self._waiting:
            count = each.height if until_ms is None else int(each["due_ms"].search_sorted(until_ms, side="right"))
            if count:
                ready.append(each[:count])
            if count < each.height:
                waiting.append(each[count:])
        self._waiting = waiting
        if not ready:
            return None
        return as_labels(pl.concat(ready).sort("due_ms", maintain_order=True), self.partition_count)
