"""Vectors to verdicts: one model call per scorer, levels, reasons, alert decisions. The same for live and replay."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.dead_letter import Reason
from scoring.features.table import FeatureTable
from scoring.model.bundle import Bundle
from scoring.policy import ALERT, NONE, WATCH, AlertState, Policy, decide
from scoring.reasons import Explanation, explain
from scoring.scorer import Scorer

DECIMALS = 6


@dataclass(frozen=True, eq=False)
class InForce:
    """What scores one partition for one scorer, by the recorded activation: bundle, policy, and whether it is live."""

    scorer: Scorer
    bundle: Bundle
    policy: Policy
    live: bool

    @property
    def name(self) -> str:
        """The scorer's name."""
        return self.scorer.name


def history_readers(in_force: Iterable[InForce]) -> set[str]:
    """Names of the views whose vector history some of these bundles read; of others it need not be written."""
    return {entry.scorer.view.name for entry in in_force if "history" in entry.bundle.manifest.inputs}


@dataclass(frozen=True)
class Failed:
    """Why a scorer gave a row no score."""

    reason: Reason
    detail: str


OTHER_VIEW = Failed(
    Reason.MODEL_FAILED,
    "expected features of the first entity by the view in force, were of another one; send the event again",
)


@dataclass(eq=False, repr=False)
class Verdicts:
    """What one scorer says of n rows.

    Attributes:
        values: published scores float64[n], 6 decimals; NaN where there is none.
        levels: uint8[n], index into `policy.LEVELS`.
        explanations: per row from `watch` on.
        failed: rows the model could not score.
        suppressed_by: rows at level `alert` that are held back, and by which alert.
        outputs: what the model says besides, float64[n, W], NaN for nothing; None of a model without named outputs.
    """

    in_force: InForce
    values: NDArray[np.float64]
    levels: NDArray[np.uint8]
    explanations: dict[int, Explanation] = field(default_factory=dict)
    failed: dict[int, Failed] = field(default_factory=dict)
    suppressed_by: dict[int, str] = field(default_factory=dict)
    outputs: NDArray[np.float64] | None = None

    def named_outputs(self, row: int) -> dict[str, tuple[float | None, ...]] | None:
        """What the model says besides of one row, by name; None for a number it did not say, or without outputs."""
        if self.outputs is None:
            return None
        said = [None if value != value else value for value in self.outputs[row].tolist()]
        found, at = {}, 0
        for each in self.in_force.bundle.manifest.outputs:
            found[each.name] = tuple(said[at : at + len(each.labels)])
            at += len(each.labels)
        return found


def judge(in_force: InForce, tables: Sequence[FeatureTable]) -> list[Verdicts]:
    """The verdicts of one scorer over several tables, by one model call; rows that are not scored stay NaN."""
    masks = [table.scored for table in tables]
    features = _joined([table.vectors for table in tables], masks)
    history = lengths = None
    if "history" in in_force.bundle.manifest.inputs:
        history = _joined([table.history for table in tables], masks)
        lengths = _joined([table.lengths for table in tables], masks)
    raw, failed = _run(in_force.bundle, features, history, lengths)
    values = np.round(raw.astype(np.float64), DECIMALS)
    levels = np.where(
        values >= in_force.policy.alert, ALERT, np.where(values >= in_force.policy.watch, WATCH, NONE)
    )
    noted = np.flatnonzero(levels >= WATCH)
    explanations = _explain(in_force.bundle, features, history, lengths, noted)
    outputs = _outputs(in_force.bundle, features, history, lengths, values)
    verdicts, at = [], 0
    for mask in masks:
        rows = np.flatnonzero(mask)
        here = slice(at, at + len(rows))
        verdict = Verdicts(in_force, np.full(len(mask), np.nan), np.zeros(len(mask), np.uint8))
        verdict.values[rows], verdict.levels[rows] = values[here], levels[here]
        if outputs is not None:
            verdict.outputs = np.full((len(mask), outputs.shape[1]), np.nan)
            verdict.outputs[rows] = outputs[here]
        for source in (place for place in explanations if at <= place < at + len(rows)):
            verdict.explanations[int(rows[source - at])] = explanations[source]
        for source in (place for place in failed if at <= place < at + len(rows)):
            verdict.failed[int(rows[source - at])] = failed[source]
        verdicts.append(verdict)
        at += len(rows)
    return verdicts


def withdraw(verdicts: Verdicts, rows: NDArray[np.bool_], why: Failed) -> None:
    """Takes back the scores of some rows, bool[n]: they failed."""
    for row in np.flatnonzero(rows & ~np.isnan(verdicts.values)).tolist():
        verdicts.values[row], verdicts.levels[row] = np.nan, NONE
        verdicts.explanations.pop(row, None)
        verdicts.failed[row] = why


def raise_alerts(
    verdicts: Verdicts, table: FeatureTable, states: Mapping[str, AlertState], alert_ids: Mapping[int, str]
) -> dict[str, AlertState]:
    """Decides every row at level `alert` in order; gives the changed alert states by entity.

    Args:
        states: alert state of every entity with such a row.
        alert_ids: the id each such row's alert would have.
    """
    changed: dict[str, AlertState] = {}
    for row in alert_rows(verdicts):
        entity = table.entities[table.entity[row]]
        # who is nobody is not always the same, and is not held back
        before = changed.get(entity, states.get(entity, ())) if entity else ()
        held_by, after = decide(
            verdicts.in_force.policy,
            before,
            alert_id=alert_ids[row],
            reason=verdicts.explanations[row].reasons[0],
            occurred_at_ms=int(table.occurred_at_ms[row]),
            late=bool(table.late[row]),
        )
        if held_by is not None:
            verdicts.suppressed_by[row] = held_by
        if after is not before and entity:
            changed[entity] = after
    return changed


def alert_rows(verdicts: Verdicts) -> list[int]:
    """Rows at level `alert` of a live scorer, in order; a challenger has none."""
    if not verdicts.in_force.live or not verdicts.explanations:  # from `watch` on each row is explained
        return []
    found: list[int] = (verdicts.levels == ALERT).nonzero()[0].tolist()
    return found


def _joined(parts: Sequence[Any], masks: Sequence[NDArray[np.bool_]]) -> Any:
    """The masked rows of all parts, one after another; a part of which all rows count is not copied by itself."""
    kept = [part if mask.all() else part[mask] for part, mask in zip(parts, masks, strict=True)]
    return kept[0] if len(kept) == 1 else np.concatenate(kept)


def _run(
    bundle: Bundle,
    features: NDArray[np.float32],
    history: NDArray[np.float32] | None,
    lengths: NDArray[np.int32] | None,
) -> tuple[NDArray[np.float32], dict[int, Failed]]:
    n = len(features)
    if n == 0:
        return np.zeros(0, np.float32), {}
    failed: dict[int, Failed] = {}
    try:
        values = bundle.session.run(features, history, lengths)
    except Exception as whole:  # onnxruntime has no narrower type in common; every row is then tried alone
        values = np.full(n, np.nan, np.float32)
        for row in range(n):
            here = slice(row, row + 1)
            try:
                values[row] = bundle.session.run(
                    features[here],
                    None if history is None else history[here],
                    None if lengths is None else lengths[here],
                )[0]
            except Exception as alone:
                failed[row] = Failed(Reason.MODEL_FAILED, f"the model failed with {type(alone).__name__}")
        if not failed:
            raise RuntimeError(
                f"{bundle.manifest.scorer}: the model fails on a batch but on none of its rows"
            ) from whole
    wrong = ~((values >= 0) & (values <= 1))  # also true for NaN
    for place in np.flatnonzero(wrong).tolist():
        failed.setdefault(place, Failed(Reason.BAD_SCORE, f"expected a score in [0, 1], was {values[place]}"))
    values[wrong] = np.nan
    return values, failed


def _explain(
    bundle: Bundle,
    features: NDArray[np.float32],
    history: NDArray[np.float32] | None,
    lengths: NDArray[np.int32] | None,
    rows: NDArray[np.intp],
) -> dict[int, Explanation]:
    if len(rows) == 0:
        return {}
    parts = bundle.session.explain(
        features[rows], None if history is None else history[rows], None if lengths is None else lengths[rows]
    )
    names, baseline = bundle.manifest.features, bundle.manifest.baseline
    return dict(zip(rows.tolist(), explain(names, features[rows], parts, baseline), strict=True))


def _outputs(
    bundle: Bundle,
    features: NDArray[np.float32],
    history: NDArray[np.float32] | None,
    lengths: NDArray[np.int32] | None,
    values: NDArray[np.floating[Any]],
) -> NDArray[np.float64] | None:
    """The named outputs of the rows that have a score, rounded like it; what is not finite is left out as NaN."""
    if not bundle.session.has_outputs:
        return None
    width = sum(len(each.labels) for each in bundle.manifest.outputs)
    found, rows = np.full((len(values), width), np.nan), np.flatnonzero(~np.isnan(values))
    if len(rows):
        found[rows] = bundle.session.outputs(
            features[rows], None if history is None else history[rows], None if lengths is None else lengths[rows]
        )
    found[~np.isfinite(found)] = np.nan
    return np.round(found, DECIMALS)
