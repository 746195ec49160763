"""How a bundle does on events after those it learned from: calibration, and detection where labels exist."""

from collections.abc import Mapping

import msgspec
import numpy as np
from numpy.typing import NDArray

from scoring.features.spec import FeatureView
from scoring.metrics import Estimate, bootstrap, labelled_figures
from scoring.model.bundle import Bundle
from scoring.model.rows import Rows
from scoring.model.session import Session
from training.baselines import baseline_scores
from training.dataset import Dataset
from training.split import Split

TAIL_LEVELS = (0.5, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999)
MODEL = "model"
Figures = dict[str, list[float | None]]
_PART = 20_000


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """The result of an evaluation; every figure is [value, low, high] with a 95 % interval over entities.

    Attributes:
        rows, entities: of the test part; first_event_ms, last_event_ms: its span.
        seen: whether the bundle's own training and calibration span reaches into the test part.
        watch, alert: the thresholds used; watch_rate, alert_rate: shares of scores at or above them.
        tail: for each level, the share of test scores above it; usual events should give one minus the level.
        positives: labelled 1 in the test part; None without labels.
        detection: per model and baseline `auc`, `average_precision`, `accuracy`, `precision`, `recall`, `f1`;
            the last four at `alert`, baselines at the threshold that flags as many validation rows.
    """

    scorer: str
    bundle: str
    rows: int
    entities: int
    first_event_ms: int
    last_event_ms: int
    seen: bool
    watch: float
    alert: float
    watch_rate: list[float | None]
    alert_rate: list[float | None]
    tail: dict[str, list[float | None]]
    positives: int | None = None
    detection: dict[str, Figures] = {}


def score_rows(session: Session, rows: Rows) -> NDArray[np.float32]:
    """The score of every row, float32[n]."""
    parts = [rows.take(slice(start, start + _PART)) for start in range(0, max(1, len(rows)), _PART)]
    return np.concatenate([session.run(part.features, part.history, part.lengths) for part in parts])


def evaluate_bundle(
    bundle: Bundle,
    view: FeatureView,
    dataset: Dataset,
    split: Split,
    thresholds: Mapping[str, float],
    *,
    seed: int,
) -> Evaluation:
    """The evaluation on the test part of a split.

    Args:
        thresholds: `watch` and `alert`.
        seed: of the resampling and of the forest.
    """
    scores = score_rows(bundle.session, dataset.rows)
    tested, entity, times = scores[split.test], dataset.entity[split.test], dataset.occurred_at_ms[split.test]

    def rate(level: float) -> Estimate:
        above = (tested >= level).astype(np.float64)
        return bootstrap(
            lambda weights: float((weights * above).sum() / max(weights.sum(), 1.0)), entity, seed=seed
        )

    watch, alert = thresholds["watch"], thresholds["alert"]
    evaluation = Evaluation(
        scorer=bundle.manifest.scorer,
        bundle=bundle.digest,
        rows=len(tested),
        entities=len(np.unique(entity)),
        first_event_ms=int(times.min()),
        last_event_ms=int(times.max()),
        seen=bundle.manifest.training.last_event_ms >= int(times.min()),
        watch=watch,
        alert=alert,
        watch_rate=rate(watch).rounded(),
        alert_rate=rate(alert).rounded(),
        tail={str(level): rate(level).rounded() for level in TAIL_LEVELS},
    )
    if dataset.labels is None or not (dataset.labels[split.test] == 1).any():
        return evaluation
    labels = dataset.labels[split.test]
    known = labels >= 0
    rivals: dict[str, tuple[NDArray[np.floating], float]] = {MODEL: (scores, alert)}
    of_usual = alert if bundle.manifest.score_kind == "tail" else float((scores[split.validation] < alert).mean())
    for name, found in baseline_scores(view, dataset.rows.features, split.train, seed=seed).items():
        rivals[name] = (found, float(np.quantile(found[split.validation], of_usual)))
    detection = {}
    for name, (ranked, threshold) in rivals.items():
        figures = labelled_figures(
            ranked[split.test][known], labels[known], entity[known], threshold=threshold, seed=seed
        )
        detection[name] = {figure: estimate.rounded() for figure, estimate in figures.items()}
    return msgspec.structs.replace(evaluation, positives=int((labels == 1).sum()), detection=detection)
