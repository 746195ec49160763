"""Figures of probabilities against what came true, for a demo's closing words."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray


def area_under_curve(values: NDArray[np.float64], truth: NDArray[np.bool_]) -> float:
    """How often a true row has a larger value than another, ties half; float64[n], bool[n]. NaN without both kinds.

    Source: Mann and Whitney 1947, by ranks.

    >>> area_under_curve(np.array([0.1, 0.4, 0.4, 0.9]), np.array([False, False, True, True]))
    0.875
    """
    positive, negative = int(truth.sum()), int((~truth).sum())
    if not positive or not negative:
        return float("nan")
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = counts.cumsum()
    ranks = (ends - (counts - 1) / 2)[place]  # ties share the mean of their ranks
    return float((ranks[truth].sum() - positive * (positive + 1) / 2) / (positive * negative))


def average_precision(values: NDArray[np.float64], truth: NDArray[np.bool_]) -> float:
    """Mean precision at the places of the true rows, largest value first, ties together; NaN without true rows.

    >>> average_precision(np.array([0.9, 0.8, 0.1]), np.array([True, False, True]))
    0.8333333333333333
    """
    if not truth.any():
        return float("nan")
    distinct, place = np.unique(-values, return_inverse=True)
    found = np.bincount(place, weights=truth, minlength=len(distinct))
    precision = found.cumsum() / np.bincount(place, minlength=len(distinct)).cumsum()
    return float((precision * found).sum() / truth.sum())


@dataclass(frozen=True)
class Band:
    """Rows whose probability lies in [low, high): how many, their mean probability, and the share that came true."""

    low: float
    high: float
    rows: int
    said: float
    observed: float


def reliability(probabilities: NDArray[np.float64], truth: NDArray[np.bool_], edges: tuple[float, ...]) -> Iterator[Band]:
    """The bands between consecutive edges that hold rows; the last one holds its upper edge, too.

    >>> list(reliability(np.array([0.1, 0.3, 1.0]), np.array([False, True, True]), (0.0, 0.5, 1.0)))
    [Band(low=0.0, high=0.5, rows=2, said=0.2, observed=0.5), Band(low=0.5, high=1.0, rows=1, said=1.0, observed=1.0)]
    """
    band_of = np.clip(np.searchsorted(edges, probabilities, side="right") - 1, 0, len(edges) - 2)
    for band, (low, high) in enumerate(pairwise(edges)):
        inside = band_of == band
        if inside.any():
            yield Band(low, high, int(inside.sum()), float(probabilities[inside].mean()), float(truth[inside].mean()))
