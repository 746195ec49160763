"""The figures protocols judge by, each a function of the weights of the rows, so that units can be resampled."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from scoring.metrics import Ranking, Weights, decisions, squared_errors
from training.protocols.paired import Figure

CARDS_A_DAY = 100
_DAY_MS = 86_400_000
_NEWTONS_STEPS = 25


@dataclass(frozen=True, eq=False)
class Fold:
    """Rows that a protocol judges on, and what each model says of them.

    Attributes:
        truth: what happened; 1 or 0 for classes, float64[n].
        unit: number of the resampling unit, the same in every fold, int64[n].
        entity: number of the entity, int64[n]; occurred_at_ms: event time, int64[n].
        said: per model and seed its score of each row, float64[n]; baselines without chance have every seed.
    """

    truth: NDArray[np.float64]
    unit: NDArray[np.int64]
    entity: NDArray[np.int64]
    occurred_at_ms: NDArray[np.int64]
    said: Mapping[tuple[str, int], NDArray[np.float64]] = field(default_factory=dict)


@dataclass(frozen=True)
class Metric:
    """A figure by its name.

    Attributes:
        prepare: from a fold and the scores of its rows to the figure under weights.
        ideal: the value that is right, where neither more nor less is better; models are compared by the distance to it.
    """

    prepare: Callable[[Fold, NDArray[np.float64]], Figure]
    more_is_better: bool = True
    ideal: float | None = None


def _auc(fold: Fold, scores: NDArray[np.float64]) -> Figure:
    return Ranking(scores, fold.truth.astype(np.int64)).auc


def _average_precision(fold: Fold, scores: NDArray[np.float64]) -> Figure:
    return Ranking(scores, fold.truth.astype(np.int64)).average_precision


def _kolmogorov_smirnov(fold: Fold, scores: NDArray[np.float64]) -> Figure:
    return Ranking(scores, fold.truth.astype(np.int64)).kolmogorov_smirnov


def _brier(fold: Fold, scores: NDArray[np.float64]) -> Figure:
    return squared_errors((scores - fold.truth) ** 2)[0]


def _decision(name: str) -> Callable[[Fold, NDArray[np.float64]], Figure]:
    def prepare(fold: Fold, scores: NDArray[np.float64]) -> Figure:
        flagged, labels = scores >= 0.5, fold.truth.astype(np.int64)
        return lambda weights: decisions(flagged, labels, weights)[name]

    return prepare


def _root_mean_squared(fold: Fold, scores: NDArray[np.float64]) -> Figure:
    return squared_errors((scores - fold.truth) ** 2)[1]


def _slope(fold: Fold, scores: NDArray[np.float64]) -> Figure:
    """Slope of the logistic regression of what happened on the log odds of the score; 1 is calibrated.

    Source: Cox 1958, "Two further applications of a model for binary regression".
    """
    bounded = np.clip(scores, 1e-6, 1 - 1e-6)
    odds = np.log(bounded / (1 - bounded))
    inputs, side = np.column_stack([np.ones_like(odds), odds]), 1 - 2 * fold.truth

    def loss(weights: Weights, beta: NDArray[np.float64]) -> float:
        return float((weights * np.logaddexp(0.0, side * (inputs @ beta))).sum())

    def slope(weights: Weights) -> float:
        beta = np.array([0.0, 1.0])
        least = loss(weights, beta)
        for _ in range(_NEWTONS_STEPS):
            expected = 1 / (1 + np.exp(-np.clip(inputs @ beta, -30, 30)))
            curvature = (inputs * (weights * expected * (1 - expected))[:, None]).T @ inputs
            if np.linalg.cond(curvature) > 1e12:
                return float("nan")
            step = np.linalg.solve(curvature, inputs.T @ (weights * (fold.truth - expected)))
            if np.abs(step).max() < 1e-8:
                return float((beta + step)[1])
            # far from the best a whole step may lead farther away: half of it, until it is no worse
            while (found := loss(weights, beta + step)) > least and np.abs(step).max() >= 1e-8:
                step = step / 2
            beta, least = beta + step, min(least, found)
        return float("nan")  # what is no probability has no slope

    return slope


def _card_precision(fold: Fold, scores: NDArray[np.float64]) -> Figure:
    """Of the 100 entities with the largest score of a day, the share that was struck on it; mean over the days.

    An entity that has been found is not looked at again on later days. Weights count an entity's day as often as it
    was drawn. Source: Fraud Detection Handbook, "Card Precision top-k".
    """
    return _found_by_day(fold, scores, of_best=False)


def _card_precision_of_best(fold: Fold, scores: NDArray[np.float64]) -> Figure:
    """Card precision as a share of what a perfect ranking reaches."""
    return _found_by_day(fold, scores, of_best=True)


def _found_by_day(fold: Fold, scores: NDArray[np.float64], *, of_best: bool) -> Figure:
    days = (fold.occurred_at_ms - fold.occurred_at_ms.min()) // _DAY_MS
    everyone, number = np.unique(fold.entity, return_inverse=True)
    parts = []
    for day in np.unique(days):
        rows = np.flatnonzero(days == day)
        entities, first, places = np.unique(number[rows], return_index=True, return_inverse=True)
        best, struck = np.full(len(entities), -np.inf), np.zeros(len(entities), bool)
        np.maximum.at(best, places, scores[rows])
        np.logical_or.at(struck, places, fold.truth[rows] == 1)
        order = np.argsort(-best, kind="stable")
        parts.append((entities[order], rows[first][order], np.flatnonzero(struck[order]), struck[order]))

    def precision(weights: Weights) -> float:
        wanted = np.ones(len(everyone))  # 0 for an entity that has been found
        shares = []
        for entities, first, hits, struck in parts:
            reach = np.zeros(0)
            while len(reach) < len(entities) and (not len(reach) or reach[-1] < CARDS_A_DAY):
                looked = slice(0, 4 * len(reach) or 2 * CARDS_A_DAY)  # most days need no more than the first few
                reach = np.cumsum(weights[first[looked]] * wanted[entities[looked]])
            taken = np.diff(np.minimum(reach, CARDS_A_DAY), prepend=0.0)
            hit = (taken > 0) & struck[: len(reach)]
            possible: float = CARDS_A_DAY
            if of_best:
                possible = min(CARDS_A_DAY, float((weights[first[hits]] * wanted[entities[hits]]).sum()))
            if possible:
                shares.append(float(taken[hit].sum()) / possible)
            wanted[entities[: len(reach)][hit]] = 0.0
        return float(np.mean(shares)) if shares else float("nan")

    return precision


METRICS: dict[str, Metric] = {
    "average_precision": Metric(_average_precision),
    "auc": Metric(_auc),
    "ks": Metric(_kolmogorov_smirnov),
    "brier": Metric(_brier, more_is_better=False),
    "slope": Metric(_slope, ideal=1.0),
    "accuracy": Metric(_decision("accuracy")),
    "precision": Metric(_decision("precision")),
    "recall": Metric(_decision("recall")),
    "f1": Metric(_decision("f1")),
    "rmse": Metric(_root_mean_squared, more_is_better=False),
    "card_precision_100": Metric(_card_precision),
    "card_precision_100_of_best": Metric(_card_precision_of_best),
}
"""By name; decisions are taken at one half."""
