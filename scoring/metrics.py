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
        self._order = np.argsort(-scores, kind="stable")
        ordered, positive = scores[self._order], labels[self._order] == 1
        last = np.append(np.flatnonzero(np.diff(ordered)), len(ordered) - 1) if len(ordered) else np.zeros(0, np.int64)
        before = np.append(0, last[:-1] + 1) if len(last) else last
        self._positive = np.flatnonzero(positive)
        level = np.searchsorted(last, self._positive)
        held, self._first = np.unique(level, return_index=True)  # the levels of score that hold a positive
        self._before, self._last = before[held], last[held] + 1

    def _counts(self, weights: Weights) -> tuple[Weights, Weights, Weights, float]:
        """At each distinct score of a positive: its positives' weight, all weight before it and up to it; all weight."""
        heavy = weights[self._order]
        if not len(self._positive):
            return np.zeros(0), np.zeros(0), np.zeros(0), float(heavy.sum())
        above = np.cumsum(heavy)
        gain = np.add.reduceat(heavy[self._positive], self._first)
        before = np.where(self._before > 0, above[self._before - 1], 0.0)
        return gain, before, above[self._last - 1], float(above[-1])

    def auc(self, weights: Weights) -> float:
        """Area under the receiver operating characteristic; ties count half. NaN without both classes."""
        gain, before, upto, whole = self._counts(weights)
        true = np.cumsum(gain)
        if not len(true) or true[-1] == 0 or whole == true[-1]:
            return float("nan")
        false = whole - true[-1]
        below = false - 0.5 * ((before - (true - gain)) + (upto - true))
        return float((gain * below).sum() / (true[-1] * false))

    def average_precision(self, weights: Weights) -> float:
        """Sum of precision times gain of recall, as scikit-learn defines it. NaN without positives."""
        gain, _, upto, _ = self._counts(weights)
        true = np.cumsum(gain)
        if not len(true) or true[-1] == 0:
            return float("nan")
        precision = np.divide(true, upto, out=np.zeros_like(true), where=upto > 0)
        return float((gain * precision).sum() / true[-1])

    def kolmogorov_smirnov(self, weights: Weights) -> float:
        """Greatest distance between the shares of positives and of the others above a score. NaN without both.

        It lies right before or right behind a level of score with positives: between them only one share grows.
        """
        gain, before, upto, whole = self._counts(weights)
        true = np.cumsum(gain)
        if not len(true) or true[-1] == 0 or whole == true[-1]:
            return float("nan")
        share, false = np.append(true, true - gain) / true[-1], np.append(upto - true, before - (true - gain))
        return float(np.abs(share - false / (whole - true[-1])).max())


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
