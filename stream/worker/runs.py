"""Answers of the broker as runs of records, and the events in them; those of several partitions by the same calls."""

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from scoring.event_columns import EventColumns
from scoring.record_run import InputRecord, RecordRun, read_together
from scoring.wire.packed import Packed
from stream.worker.record_batches import RecordBatch, joined, visible_batches

ReadEvents = Callable[[Packed], EventColumns | None]
READ_TOGETHER = 512
"""Records of a poll up to which all its partitions are read by one call; of more the calls are no longer what costs."""


@dataclass(frozen=True)
class Visible:
    """The batches of an answer that may be seen, from which offset on records are wanted, and that behind all of them."""

    batches: Sequence[RecordBatch]
    position: int
    following: int


def visible_from(raw: bytes, aborted: Sequence[tuple[int, int]], position: int) -> Visible:
    """What may be seen of an answer's batches, from that offset on.

    Args:
        aborted: producer and first offset of the aborted transactions in them.

    Raises:
        CorruptRecordException, UnsupportedCodecError, or what a codec raises: they cannot be read.
    """
    batches, following = [], position
    for next_offset, batch in visible_batches(raw, aborted):
        following = max(following, next_offset)
        if batch is not None:
            batches.append(batch)
    return Visible(batches, position, following)


def runs_of(answers: Sequence[Visible]) -> list[RecordRun]:
    """The records of each answer, all found by one call.

    Raises:
        ValueError: one of them holds no records, or fewer than it says.
    """
    if not answers:
        return []
    together = RecordRun.read(joined([batch for visible in answers for batch in visible.batches]))
    runs, end = [], 0
    for visible in answers:
        start, end = end, end + sum(batch.count for batch in visible.batches)
        run = together[start:end]
        first = int(np.searchsorted(run.located.offsets, visible.position))  # an answer begins with a whole batch
        runs.append(run[first:] if first else run)
    return runs


def read_events(taken: MutableMapping[Any, Sequence[InputRecord]], readers: Mapping[str, ReadEvents]) -> None:
    """Reads the events of the runs of a poll: few records of several partitions together, more by partition.

    Args:
        taken: records by topic and partition; runs are replaced by the same with their events.
    """
    by_topic: dict[str, dict[Any, RecordRun]] = {}
    for tp, records in taken.items():
        if isinstance(records, RecordRun):
            by_topic.setdefault(tp.topic, {})[tp] = records
    for topic, runs in by_topic.items():
        read = readers[topic]
        if sum(map(len, runs.values())) <= READ_TOGETHER:
            taken.update(zip(runs, read_together(list(runs.values()), read), strict=True))
        else:
            taken.update((tp, run.with_columns(read)) for tp, run in runs.items())
