"""Chunks of several partitions that are folded, and written, by the same calls: a call costs as much as some ten events.

Only chunks of events that were read together are gathered, and only where no entity is in two of them: then the fold of
all of them is that of each by itself.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from scoring.engine import history_readers
from scoring.event_columns import EventColumns
from scoring.features.batch import EventBatch
from scoring.features.spec import FeatureView
from scoring.features.table import FeatureTable
from scoring.prepared import Folded


@dataclass(frozen=True, eq=False, repr=False)
class Gathered:
    """Chunks whose events lie one behind the other in one batch.

    Attributes:
        parts: the chunks; one, or several of different partitions that the same views fold for the same models.
        batch: the events of all of them.
        rows, entities: those of each chunk in the batch.
    """

    parts: Sequence[Folded]
    batch: EventBatch
    rows: Sequence[slice]
    entities: Sequence[slice]

    @classmethod
    def one(cls, part: Folded, batch: EventBatch) -> "Gathered":
        """A chunk by itself."""
        return cls([part], batch, [slice(0, len(batch))], [slice(0, len(batch.entities))])

    @property
    def views(self) -> Sequence[FeatureView]:
        """Those that fold the events."""
        first = self.parts[0]
        return first.state.views_at(first.first_offset) if len(self.batch) else []


def gather(parts: Sequence[Folded]) -> Iterator[Gathered]:
    """The chunks in their order, gathered where they can be; their events are let go."""
    waiting: list[Folded] = []
    for part in parts:
        if waiting and not _fits(waiting[-1], part):
            yield _gathered(waiting)
            waiting = []
        waiting.append(part)
    if waiting:
        yield _gathered(waiting)


def folded_together(parts: Sequence[Folded]) -> list[list[Folded]]:
    """The chunks in their order, those together whose tables were cut from one."""
    found: list[list[Folded]] = []
    for part in parts:
        if found and _whole_of(part) is not None and _whole_of(part) is _whole_of(found[-1][0]):
            found[-1].append(part)
        else:
            found.append([part])
    return found


def _fits(before: Folded, part: Folded) -> bool:
    first, second = _whole_piece(before), _whole_piece(part)
    return (
        first is not None
        and second is not None
        and first.whole is second.whole
        and first.at + len(first.entity) == second.at
        and _asks(before) == _asks(part)
    )


def _whole_piece(part: Folded) -> EventColumns | None:
    """The events of a chunk when they are all that came of its partition, and were read together with others."""
    columns = part.chunk.columns
    if columns is None or columns.whole is None or len(part.chunk.records) < len(columns.entity):
        return None
    return columns


def _asks(part: Folded) -> tuple[list[FeatureView], set[str]]:
    """Which views fold a chunk, and which of them write their history."""
    state, offset = part.state, part.first_offset
    return state.views_at(offset), history_readers(state.scorers_at(offset))


def _gathered(parts: Sequence[Folded]) -> Gathered:
    event_type = parts[0].state.reader.decoder.event_type
    for part in parts:
        for passing in part.state.passes_on:
            name = passing.to.key
            part.chunk.second_entities[name] = part.chunk.texts(name)
    if len(parts) == 1:
        gathered = Gathered.one(parts[0], parts[0].chunk.batch(event_type))
    else:
        pieces = [columns for part in parts if (columns := part.chunk.columns) is not None]
        whole, start = pieces[0].whole, pieces[0].at
        assert whole is not None  # `_fits` has looked
        batch = whole.batch(slice(start, pieces[-1].at + len(pieces[-1].entity)))
        gathered = Gathered(
            parts, batch,
            _slices([len(piece.entity) for piece in pieces]), _slices([len(piece.first) for piece in pieces]),
        )  # fmt: skip
    for part in parts:
        part.chunk.drop_events()
    return gathered


def _slices(sizes: Sequence[int]) -> list[slice]:
    return [slice(start, end) for start, end in pairwise(np.cumsum([0, *sizes]).tolist())]


def _whole_of(part: Folded) -> FeatureTable | None:
    table = next(iter(part.tables.values()), None)
    return None if table is None else table.whole
