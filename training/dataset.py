"""Folds files into feature vectors through the same view and kernel as the live stream."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from scoring.features.batch import EventBatch
from scoring.features.frame import batch_of_frame
from scoring.features.spec import FeatureView
from scoring.features.table import FeatureTable, fold_table
from scoring.files import Chunk
from scoring.model.rows import Rows
from scoring.second_pass import origins_in, second_batch
from scoring.sequence import NOBODY, joined


@dataclass(frozen=True, eq=False)
class Dataset:
    """Scored events with their vectors, in the order of the files; n rows.

    Attributes:
        rows: the model's inputs.
        occurred_at_ms: event time, int64[n].
        entity: a number per entity, int64[n].
        labels: 1, 0, or -1 where the truth is unknown, int8[n]; None when the mapping declares none.
        entities: how many entities there are.
        skipped: duplicates, conflicts and refused rows, which are not in the data set.
        protected: what nobody may be judged by, by column, float64[n] with NaN where unknown; never an input of a model.
        place: which of the events that were read each row is, counted over all chunks, int64[n]; None if nobody counted.
    """

    rows: Rows
    occurred_at_ms: NDArray[np.int64]
    entity: NDArray[np.int64]
    labels: NDArray[np.int8] | None
    entities: int
    skipped: int
    protected: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    place: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.rows)


def collect(
    view: FeatureView, chunks: Iterable[Chunk], *, with_history: bool, since_ms: int | None = None
) -> Dataset:
    """The data set of these events, folded in order onto empty state.

    Args:
        with_history: whether to keep the vector history; it is 5 to 10 times as large as the vectors.
        since_ms: earlier events are folded and left out of the data set.
    """
    folding = _Folding(view, with_history=with_history, since_ms=since_ms)
    for chunk in chunks:
        folding.add(chunk)
    return folding.dataset()


class _Folding:
    """State of the entities seen so far, and the parts of the data set."""

    def __init__(self, view: FeatureView, *, with_history: bool, since_ms: int | None) -> None:
        self._view, self._with_history = view, with_history and view.history is not None
        self._since_ms, self._read = since_ms, 0
        self._states: dict[str, dict[str, bytes]] = {}
        self._numbers: dict[str, int] = {}
        self._parts: list[tuple[NDArray[np.float32], ...]] = []
        self._columns: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int8], NDArray[np.int64]]] = []
        self._labelled, self._skipped = False, 0
        self._protected: list[pl.DataFrame] = []

    def add(self, chunk: Chunk) -> None:
        """Folds one chunk."""
        self._skipped += len(chunk.refused)
        if not chunk.frame.height:
            return
        table, rows = self._fold(chunk)
        kept = np.flatnonzero(table.scored)
        self._skipped += chunk.frame.height - len(kept)
        if self._since_ms is not None:
            kept = kept[table.occurred_at_ms[kept] >= self._since_ms]
        self._parts.append(self._inputs(table, kept))
        numbers = np.array([self._numbers.setdefault(name, len(self._numbers)) for name in table.entities])
        labels = np.full(len(kept), -1, np.int8)
        if chunk.labels is not None:
            self._labelled = True
            labels = chunk.labels.fill_null(-1).to_numpy().astype(np.int8)[rows[kept]]
        if chunk.protected is not None:
            self._protected.append(chunk.protected[rows[kept]].cast(pl.Float64, strict=False))
        self._columns.append(
            (table.occurred_at_ms[kept], numbers[table.entity[kept]].astype(np.int64), labels, self._read + rows[kept])
        )
        self._read += chunk.frame.height

    def _fold(self, chunk: Chunk) -> tuple[FeatureTable, NDArray[np.int64]]:
        """The view's table, and which row of the frame each of its rows is: all, or those that the first pass scored."""
        first = self._folded(
            self._view.carries or self._view,
            batch_of_frame((self._view.carries or self._view).event, chunk.frame),
        )
        if self._view.carries is None:
            return first, np.arange(chunk.frame.height)
        rows = np.flatnonzero(first.scored)
        second = self._folded(self._view, second_batch(self._view.event, chunk.frame, rows))
        return joined(origins_in(first, rows), second), rows

    def _folded(self, view: FeatureView, batch: EventBatch) -> FeatureTable:
        known = self._states.setdefault(view.name, {})
        given = [known.get(entity) for entity in batch.entities]
        table = fold_table(view, batch, given, with_history=self._with_history)
        known.update(zip(batch.entities, table.states, strict=True))
        known.pop(NOBODY, None)
        return table

    def _inputs(self, table: FeatureTable, kept: NDArray[np.int64]) -> tuple[NDArray[np.float32], ...]:
        if not self._with_history or table.history is None or table.lengths is None:
            return (table.vectors[kept],)
        return table.vectors[kept], table.history[kept], table.lengths[kept].astype(np.float32)

    def dataset(self) -> Dataset:
        """Everything that was added."""
        width = len(self._view.feature_names)
        empty = (np.zeros((0, width), np.float32), *self._empty_history())
        inputs = [np.concatenate(parts) for parts in zip(*(self._parts or [empty]), strict=True)]
        nothing = np.zeros(0, np.int64)
        none = (nothing, nothing, np.zeros(0, np.int8), nothing)
        times, entity, labels, place = (
            np.concatenate(parts) for parts in zip(*(self._columns or [none]), strict=True)
        )
        return Dataset(
            rows=Rows(inputs[0], *([inputs[1], inputs[2].astype(np.int32)] if self._with_history else [])),
            occurred_at_ms=times,
            entity=entity,
            labels=labels if self._labelled else None,
            entities=len(self._numbers),
            skipped=self._skipped,
            protected=self._protected_columns(len(times)),
            place=place,
        )

    def _protected_columns(self, rows: int) -> dict[str, NDArray[np.float64]]:
        """The protected columns of all rows; none where a file lacked them."""
        if not self._protected or sum(map(len, self._protected)) != rows:
            return {}
        whole = pl.concat(self._protected)
        return {name: whole[name].fill_null(float("nan")).to_numpy() for name in whole.columns}

    def _empty_history(self) -> tuple[NDArray[np.float32], ...]:
        if not self._with_history or self._view.history is None:
            return ()
        steps, columns = self._view.history.length, len(self._view.history.features)
        return np.zeros((0, steps, columns), np.float32), np.zeros(0, np.float32)
