"""How good scores are, with 95 % intervals from resampled entities."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 200
Weights = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A figure and its 95 % interval over resampled entities; NaN where it is not defined."""

    value: float
    low: float
    high: float

    def rounded(self) -> list[float | None]:
        """Value, low and high to 6 decimals, None for NaN; as manifests and `--json` hold it."""
        return [None if np.isnan(each) else round(each, 6) for each in (self.value, self.low, self.high)]


def bootstrap(
    figure: Callable[[Weights], float], entity: NDArray[np.int64], *, seed: int, resamples: int = RESAMPLES
) -> Estimate:
    """A figure with its interval when entities, not single events, are drawn with replacement.

    Events of one entity are alike; drawing them one by one would make the interval too narrow.

    Args:
        figure: the figure of rows with these weights, float64[n].
        entity: number of the entity of each row, int64[n].
        seed: of the resampling.
    """
    generator = np.random.default_rng(seed)
    _, numbers = np.unique(entity, return_inverse=True)
    count = int(numbers.max()) + 1 if len(numbers) else 0
    value = figure(np.ones(len(entity)))
    drawn = []
    for _ in range(resamples if count > 1 else 0):
        times = np.bincount(generator.integers(0, count, count), minlength=count).astype(np.float64)
        drawn.append(figure(times[numbers]))
    known = [each for each in drawn if not np.isnan(each)]
    if not known:
        return Estimate(value, float("nan"), float("nan"))
    low, high = np.quantile(known, [0.025, 0.975])
    return Estimate(value, float(low), float(high))


class Ranking:
    """Figures of a ranking by score, for any weights of the rows; sorts once."""

    def __init__(self, scores: NDArray[np.floating], labels: NDArray[np.integer]) -> None:
        """Args: scores: float[n], larger is riskier; labels: 1 or 0, int[n]."""
        order = np.argsort(-scores, kind="stable")
        self._order = order
        self._positive = (labels[order] == 1).astype(np.float64)
        ordered = scores[order]
        self._last = np.append(np.flatnonzero(np.diff(ordered)), len(ordered) - 1) if len(ordered) else order

    def _counts(self, weights: Weights) -> tuple[Weights, Weights]:
        """Weight of true and of false positives above each distinct score."""
        heavy = weights[self._order]
        return (
            np.cumsum(heavy * self._positive)[self._last],
            np.cumsum(heavy * (1 - self._positive))[self._last],
        )

    def auc(self, weights: Weights) -> float:
        """Area under the receiver operating characteristic; ties count half. NaN without both classes."""
        true, false = self._counts(weights)
        if not len(true) or true[-1] == 0 or false[-1] == 0:
            return float("nan")
        area = np.trapezoid(np.append(0.0, true), np.append(0.0, false))
        return float(area / (true[-1] * false[-1]))

    def average_precision(self, weights: Weights) -> float:
        """Sum of precision times gain of recall, as scikit-learn defines it. NaN without positives."""
        true, false = self._counts(weights)
        if not len(true) or true[-1] == 0:
            return float("nan")
        gain = np.diff(np.append(0.0, true)) / true[-1]
        above = true + false
        precision = np.divide(true, above, out=np.zeros_like(true), where=above > 0)
        return float((gain * precision).sum())

    def kolmogorov_smirnov(self, weights: Weights) -> float:
        """Greatest distance between the shares of positives and of the others above a score. NaN without both."""
        true, false = self._counts(weights)
        if not len(true) or true[-1] == 0 or false[-1] == 0:
            return float("nan")
        return float(np.abs(true / true[-1] - false / false[-1]).max())


def decisions(flagged: NDArray[np.bool_], labels: NDArray[np.integer], weights: Weights) -> dict[str, float]:
    """Accuracy, precision, recall and F1 of decisions; NaN where nothing is flagged or positive.

    >>> found = decisions(np.array([True, True, False]), np.array([1, 0, 0]), np.ones(3))
    >>> found["precision"], found["recall"]
    (0.5, 1.0)
    """
    positive = labels == 1
    hits = float(weights[flagged & positive].sum())
    flags, truths, total = float(weights[flagged].sum()), float(weights[positive].sum()), float(weights.sum())
    right = hits + float(weights[~flagged & ~positive].sum())
    return {
        "accuracy": right / total if total else float("nan"),
        "precision": hits / flags if flags else float("nan"),
        "recall": hits / truths if truths else float("nan"),
        "f1": 2 * hits / (flags + truths) if flags + truths else float("nan"),
    }


def squared_errors(
    per_row: NDArray[np.floating],
) -> tuple[Callable[[Weights], float], Callable[[Weights], float]]:
    """Mean squared error and its root, as figures for `bootstrap`; per_row: the squared error of each row."""

    def mean(weights: Weights) -> float:
        return float((weights * per_row).sum() / weights.sum()) if weights.sum() else float("nan")

    return mean, lambda weights: float(np.sqrt(mean(weights)))


def labelled_figures(
    scores: NDArray[np.floating],
    labels: NDArray[np.integer],
    entity: NDArray[np.int64],
    *,
    threshold: float,
    seed: int,
) -> dict[str, Estimate]:
    """Area, average precision and the figures of decisions at a threshold, each with its interval."""
    ranking, flagged = Ranking(scores, labels), scores >= threshold
    found = {
        "auc": bootstrap(ranking.auc, entity, seed=seed),
        "average_precision": bootstrap(ranking.average_precision, entity, seed=seed),
    }
    for name in ("accuracy", "precision", "recall", "f1"):
        found[name] = bootstrap(_decision(flagged, labels, name), entity, seed=seed)
    return found


def _decision(
    flagged: NDArray[np.bool_], labels: NDArray[np.integer], name: str
) -> Callable[[Weights], float]:
    return lambda weights: decisions(flagged, labels, weights)[name]
