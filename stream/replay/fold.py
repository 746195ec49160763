"""The engine over batches, with states in memory: what a worker does between its two topics."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from scoring.engine import InForce, Verdicts, alert_rows, judge, raise_alerts
from scoring.features.batch import EventBatch
from scoring.features.spec import FeatureView
from scoring.features.table import FeatureTable, fold_table
from scoring.policy import AlertState
from stream.replay.rows import raised_alerts, score_frame


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
        self, batch: EventBatch, in_force: Sequence[InForce], alert_ids: Sequence[str] | None = None
    ) -> list[pl.DataFrame]:
        """Folds and scores a batch; gives a frame of scores per scorer.

        Args:
            in_force: what scores these events; empty folds only.
            alert_ids: one id per event, for the cool-down's memory; the event's id when left out.
        """
        self.events += len(batch) if in_force else 0
        tables = {view.name: self._fold(view, batch) for view in self.views}
        ids = alert_ids or batch.event_ids
        frames = []
        refused = np.ones(len(batch), bool)
        for entry in in_force:
            table = tables[entry.scorer.view.name]
            refused &= ~table.scored
            verdicts = judge(entry, [table])[0]
            self._decide(verdicts, table, ids)
            self.scores += int((~np.isnan(verdicts.values)).sum())
            self.alerts += raised_alerts(verdicts)
            self.dead_letters += len(verdicts.failed)
            frames.append(score_frame(table, verdicts))
        if in_force:
            self.dead_letters += int(refused.sum())
        return frames

    def _fold(self, view: FeatureView, batch: EventBatch) -> FeatureTable:
        known = self.states.setdefault(view.name, {})
        table = fold_table(view, batch, [known.get(entity) for entity in batch.entities])
        known.update(zip(batch.entities, table.states, strict=True))
        return table

    def _decide(self, verdicts: Verdicts, table: FeatureTable, ids: Sequence[str]) -> None:
        rows = alert_rows(verdicts)
        if rows:
            known: dict[str, AlertState] = self.alert_states.setdefault(verdicts.in_force.name, {})
            known.update(raise_alerts(verdicts, table, known, {row: ids[row] for row in rows}))
