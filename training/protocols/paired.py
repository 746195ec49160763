"""Resamples units, not rows, and models together: the interval of a difference that is due to chance."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scoring.metrics import Weights

Figure = Callable[[Weights], float]


@dataclass(frozen=True)
class Paired:
    """Figures of a model and a baseline on the same rows; intervals hold 95 % of the resamples.

    Attributes:
        value, baseline: mean over the folds.
        ci95, difference_ci95: NaN where no resample had the figure.
    """

    value: float
    ci95: tuple[float, float]
    baseline: float
    difference: float
    difference_ci95: tuple[float, float]


def compare(
    model: Sequence[Figure],
    baseline: Sequence[Figure],
    units: Sequence[NDArray[np.int64]],
    *,
    resamples: int,
    seed: int,
    ideal: float | None = None,
) -> Paired:
    """Both figures, averaged over folds, and the interval of their difference.

    A unit (a card, a customer, a block of days) is drawn with all its rows of all folds, for both models at once:
    rows of a unit are alike, and what makes a draw easy makes it easy for both.

    Args:
        model, baseline: the figure of each fold's rows under given weights.
        units: number of the unit of each row, per fold, int64[n]; the same number is the same unit in every fold.
        resamples: how often units are drawn with replacement.
        ideal: if given, the difference is that of the distances to it.
    """
    value, other = _mean(model, _ones(units)), _mean(baseline, _ones(units))
    drawn = resampled([model, baseline], units, resamples=resamples, seed=seed)
    return paired(value, drawn[:, 0], other, drawn[:, 1], ideal=ideal)


def resampled(
    models: Sequence[Sequence[Figure]], units: Sequence[NDArray[np.int64]], *, resamples: int, seed: int
) -> NDArray[np.float64]:
    """The mean over folds of the figures of several models, all on the same draws, float64[resamples, models].

    Args:
        models: the figure of each fold's rows, per model.
        units: as `compare`; no rows come back where there is only one unit.
    """
    drawn = [[_mean(figures, weights) for figures in models] for weights in _draws(units, resamples, seed)]
    return np.array(drawn, np.float64).reshape(-1, len(models))


def paired(
    value: float, drawn: NDArray[np.float64], baseline: float, drawn_baseline: NDArray[np.float64], *,
    ideal: float | None = None,
) -> Paired:
    """What figures on all rows and on the same draws say of a model and a baseline.

    Args:
        value, baseline: on all rows; drawn, drawn_baseline: on each draw, float64[resamples].
        ideal: if given, the difference is that of the distances to it.
    """
    ours, theirs = np.append(value, drawn), np.append(baseline, drawn_baseline)
    if ideal is not None:
        ours, theirs = np.abs(ours - ideal), np.abs(theirs - ideal)
    return Paired(
        value=value,
        ci95=_middle(drawn),
        baseline=baseline,
        difference=float(ours[0] - theirs[0]),
        difference_ci95=_middle(ours[1:] - theirs[1:]),
    )  # fmt: skip


def mean_figure(figures: Sequence[Figure], units: Sequence[NDArray[np.int64]]) -> float:
    """The figure over all rows as they are, averaged over folds."""
    return _mean(figures, _ones(units))


def _ones(units: Sequence[NDArray[np.int64]]) -> list[Weights]:
    return [np.ones(len(each)) for each in units]


def _draws(units: Sequence[NDArray[np.int64]], resamples: int, seed: int) -> Iterator[list[Weights]]:
    generator = np.random.default_rng(seed)
    _, numbers = np.unique(np.concatenate(units), return_inverse=True)
    count = int(numbers.max()) + 1
    cuts = np.cumsum([len(each) for each in units])[:-1]
    for _ in range(resamples if count > 1 else 0):
        times = np.bincount(generator.integers(0, count, count), minlength=count).astype(np.float64)
        yield np.split(times[numbers], cuts)


def _mean(figures: Sequence[Figure], weights: Sequence[Weights]) -> float:
    return float(np.mean([figure(each) for figure, each in zip(figures, weights, strict=True)]))


def _middle(drawn: NDArray[np.float64]) -> tuple[float, float]:
    known = drawn[~np.isnan(drawn)]
    if not len(known):
        return (float("nan"), float("nan"))
    low, high = np.quantile(known, [0.025, 0.975])
    return float(low), float(high)
