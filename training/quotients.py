"""Which quotients of two features tell more about the labels than either: ratios of ratios, found in training rows.

Source of the idea: Zieba, Tomczak, Tomczak 2016, "Ensemble boosted trees with synthetic features generation in
application to bankruptcy prediction"; of the measure: the gain in log likelihood of a table of bins.
"""

import numpy as np
from numpy.typing import NDArray

BINS = 16
MOST_ROWS = 20_000
HUGE = np.float32(1e30)
_PRIOR_ROWS = 1.0


def quotients(vectors: NDArray[np.float32], pairs: NDArray[np.int64]) -> NDArray[np.float32]:
    """The first over the second feature of each pair, float32[n, pair]; NaN where one is missing or the second is 0.

    Args:
        vectors: float32[n, F]; pairs: numbers of features, int64[pair, 2].
    """
    with np.errstate(all="ignore"):
        found = vectors[:, pairs[:, 0]] / vectors[:, pairs[:, 1]]
    return np.where(np.abs(found) < HUGE, found, np.float32(np.nan))


def telling_pairs(vectors: NDArray[np.float32], labels: NDArray[np.int8], count: int) -> NDArray[np.int64]:
    """The pairs whose quotient says most beyond what both features say alone, int64[count, 2], best first.

    Args:
        vectors: of training rows, float32[n, F]; labels: 1 or 0; count: at most as many as there are pairs.
    """
    if not count:
        return np.zeros((0, 2), np.int64)
    few = slice(0, None, -(-len(vectors) // MOST_ROWS))
    vectors, truth = vectors[few], labels[few].astype(np.float64)
    alone = np.array([likelihood(column, truth) for column in vectors.T])
    pairs = np.stack(np.triu_indices(vectors.shape[1], 1), axis=1)
    both = np.array([likelihood(quotients(vectors, pair[None])[:, 0], truth) for pair in pairs])
    gain = both - np.maximum(alone[pairs[:, 0]], alone[pairs[:, 1]])
    found: NDArray[np.int64] = pairs[np.argsort(-gain, kind="stable")[:count]]
    return found


def likelihood(column: NDArray[np.float32], truth: NDArray[np.float64]) -> float:
    """The log likelihood of labels given the bin of a value, in nats; missing values are a bin of their own.

    Args:
        column: float32[n], NaN where missing; truth: 1.0 or 0.0, float64[n].
    """
    known = len(column) - int(np.isnan(column).sum())
    if not known:
        return -np.inf
    rising = np.sort(column)  # missing ones last
    edges = rising[np.arange(1, BINS) * (known - 1) // BINS]
    place = np.searchsorted(edges, column, side="right")  # equal edges leave bins empty
    place[np.isnan(column)] = BINS
    rows = np.bincount(place, minlength=BINS + 1).astype(np.float64)
    ones = np.bincount(place, weights=truth, minlength=BINS + 1)
    share = (ones + _PRIOR_ROWS * truth.mean()) / (rows + _PRIOR_ROWS)
    return float((ones * np.log(share) + (rows - ones) * np.log1p(-share)).sum())
