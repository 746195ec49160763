"""The engine over batches, with states in memory: what a worker does between its two topics."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from scoring.engine import (
    OTHER_VIEW,
    InForce,
    Verdicts,
    alert_rows,
    history_readers,
    judge,
    raise_alerts,
    withdraw,
)
from scoring.features.batch import EventBatch
from scoring.features.frame import batch_of_frame
from scoring.features.spec import FeatureView
from scoring.features.table import FeatureTable, fold_table
from scoring.policy import AlertState
from scoring.records import Origins
from scoring.second_pass import origins_in, second_batch
from scoring.sequence import NOBODY, joined
from stream.replay.rows import raised_alerts, score_frame


@dataclass(frozen=True, eq=False)
class ScoredRows:
    """The scores of one scorer, and which events of the batch they are of, int64[m] ascending."""

    rows: NDArray[np.intp]
    frame: pl.DataFrame


@dataclass(eq=False)
class Replay:
    """States of one log (a file, or one partition of a topic) and what scores it.

    Attributes:
        states: packed state per view and entity; alert_states: per scorer and entity.
        events, dead_letters, scores, alerts: counted so far; events that were only folded are not.
    """

    views: Sequence[FeatureView]
    states: dict[str, dict[str, bytes]] = field(default_factory=dict)
    alert_states: dict[str, dict[str, AlertState]] = field(default_factory=dict)
    events: int = 0
    dead_letters: int = 0
    scores: int = 0
    alerts: int = 0

    def take(
        self, batch: EventBatch, in_force: Sequence[InForce], origins: Origins | None = None
    ) -> list[ScoredRows]:
        """Folds and scores a batch; gives the scores of each scorer.

        Args:
            in_force: what scores these events; empty folds only.
            origins: of events of an internal topic, what they carry.
        """
        readers = history_readers(in_force)
        tables = {view.name: self._fold(view, batch, readers) for view in self.views}
        if origins is not None:
            tables = {name: joined(origins, table) for name, table in tables.items()}
        return self._score(tables, in_force, len(batch), origins)

    def take_frame(self, frame: pl.DataFrame, in_force: Sequence[InForce]) -> list[ScoredRows]:
        """The same for events of a file, in as many passes as the views need: the second in the order of the file."""
        first = {view.name: view for view in (view.carries or view for view in self.views)}
        batches = {view.event.topic: batch_of_frame(view.event, frame) for view in first.values()}
        readers = history_readers(in_force)
        tables = {name: self._fold(view, batches[view.event.topic], readers) for name, view in first.items()}
        for view in self.views:
            if view.carries is not None:
                before = tables[view.carries.name]
                rows = np.flatnonzero(before.scored)
                second = self._fold(view, second_batch(view.event, frame, rows), readers)
                tables[view.name] = joined(origins_in(before, rows), second)
        return self._score(tables, in_force, frame.height, None)

    def _score(
        self, tables: Mapping[str, FeatureTable], in_force: Sequence[InForce], events: int, origins: Origins | None
    ) -> list[ScoredRows]:
        self.events += events if in_force else 0
        frames = []
        answered = 0
        for entry in in_force:
            table = tables[entry.scorer.view.name]
            answered = max(answered, int(table.scored.sum()))
            verdicts = judge(entry, [table])[0]
            if origins is not None:
                withdraw(verdicts, ~origins.fits, OTHER_VIEW)
            self._decide(verdicts, table)
            rows = np.flatnonzero(~np.isnan(verdicts.values))
            self.scores += len(rows)
            self.alerts += raised_alerts(verdicts)
            self.dead_letters += len(verdicts.failed)
            frames.append(ScoredRows(rows, score_frame(table, verdicts, rows)))
        if in_force:
            self.dead_letters += events - answered
        return frames

    def _fold(self, view: FeatureView, batch: EventBatch, readers: Collection[str]) -> FeatureTable:
        known = self.states.setdefault(view.name, {})
        given = [known.get(entity) for entity in batch.entities]
        table = fold_table(view, batch, given, with_history=view.name in readers)
        known.update(zip(batch.entities, table.states, strict=True))
        known.pop(NOBODY, None)
        return table

    def _decide(self, verdicts: Verdicts, table: FeatureTable) -> None:
        rows = alert_rows(verdicts)
        if rows:
            known: dict[str, AlertState] = self.alert_states.setdefault(verdicts.in_force.name, {})
            known.update(raise_alerts(verdicts, table, known, {row: table.event_ids[row] for row in rows}))
