"""How probabilities hold: their slope and squared error, and the same per group that nobody may be judged by."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring.metrics import Ranking, bootstrap
from scoring.model.manifest import Manifest
from training.dataset import Dataset
from training.protocols.figures import METRICS, Fold

LEAST_OF_A_CLASS = 20
MOST_VALUES = 10
"""A protected column of more values (an age) is cut at its thirds."""


def probability_metrics(
    manifest: Manifest, dataset: Dataset, test: NDArray[np.int64], scores: NDArray[np.float32]
) -> dict[str, Any]:
    """`reliability` and, where the data has protected columns, `groups`, for the manifest; empty for other scores.

    Args:
        test: row numbers of the test part; scores: theirs, float32[n].
    """
    if manifest.score_kind != "probability" or dataset.labels is None:
        return {}
    known = dataset.labels[test] >= 0
    rows, said = test[known], scores[known].astype(np.float64)
    truth, unit = dataset.labels[rows].astype(np.float64), dataset.entity[rows]
    if len(np.unique(truth)) < 2:
        return {}
    fold = Fold(truth, unit, unit, dataset.occurred_at_ms[rows])
    seed = manifest.training.seed
    reliability = {
        name: bootstrap(METRICS[name].prepare(fold, said), unit, seed=seed).rounded() for name in ("slope", "brier")
    }
    columns = {name: column[rows] for name, column in dataset.protected.items()}
    groups = group_figures(said, truth, columns, refuse_from=manifest.thresholds["watch"], seed=seed)
    return {"reliability": reliability} | ({"groups": groups} if groups else {})


def group_figures(
    scores: NDArray[np.float64],
    truth: NDArray[np.float64],
    columns: Mapping[str, NDArray[np.float64]],
    *,
    refuse_from: float,
    seed: int,
) -> list[dict[str, Any]]:
    """Per group of each column: rows, area under the curve, mean score beside what happened, share below a threshold.

    Groups with fewer than 20 rows of either class are left out: their figures would say nothing.

    Args:
        scores, truth: float64[n]; columns: what groups are made of, float64[n] each.
        refuse_from: a score at or above is a refusal; `approved` is the share below, `approved_to_best` that share over
            the largest of the column's groups (below 0.8 lawyers ask why: "four fifths rule", 29 CFR 1607.4 D).
        seed: of the resampling of rows.
    """
    found: list[dict[str, Any]] = []
    for name, column in columns.items():
        groups: list[dict[str, Any]] = []
        for group, rows in _groups(column):
            if min((truth[rows] == 1).sum(), (truth[rows] == 0).sum()) < LEAST_OF_A_CLASS:
                continue
            area = bootstrap(Ranking(scores[rows], truth[rows].astype(np.int64)).auc, np.arange(len(rows)), seed=seed)
            groups.append(
                {
                    "attribute": name,
                    "group": group,
                    "rows": len(rows),
                    "auc": area.rounded(),
                    "mean_score": round(float(scores[rows].mean()), 4),
                    "observed": round(float(truth[rows].mean()), 4),
                    "approved": round(float((scores[rows] < refuse_from).mean()), 4),
                }
            )
        best = max((group["approved"] for group in groups), default=1.0)
        found += [group | {"approved_to_best": round(group["approved"] / best, 4) if best else None} for group in groups]
    return found


def _groups(column: NDArray[np.float64]) -> Iterator[tuple[str, NDArray[np.int64]]]:
    known = column[~np.isnan(column)]
    values = np.unique(known)
    if len(values) <= MOST_VALUES:
        for value in values:
            yield f"{value:g}", np.flatnonzero(column == value)
        return
    low, high = np.quantile(known, [1 / 3, 2 / 3])
    yield f"up to {low:g}", np.flatnonzero(column <= low)
    yield f"above {low:g}, up to {high:g}", np.flatnonzero((column > low) & (column <= high))
    yield f"above {high:g}", np.flatnonzero(column > high)
