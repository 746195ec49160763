"""What a model has to beat: named, simple, and fitted on the same training rows."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import IsolationForest

from scoring.features.spec import FeatureView, ZScore, duration_ms

FOREST = "isolation_forest"
MOST_FOREST_ROWS = 100_000


def baseline_scores(
    view: FeatureView, vectors: NDArray[np.float32], train: NDArray[np.int64], *, seed: int
) -> Mapping[str, NDArray[np.float64]]:
    """Scores of every baseline for every row, larger is riskier, float64[n] each.

    `value:FEATURE` is the view's first feature (an amount, a return), `zscore:FEATURE` its z-score over the
    longest window, and `isolation_forest` scikit-learn's forest with its own defaults on the median-imputed
    vector.

    Args:
        vectors: float32[n, F]; train: the rows to fit on.

    Source: Liu, Ting, Zhou 2008, "Isolation forest".
    """
    found = {f"value:{view.feature_names[0]}": _known(vectors[:, 0])}
    scores = [feature for feature in (view.carries or view).features if isinstance(feature, ZScore)]
    if scores:
        first = [feature for feature in scores if feature.number == scores[0].number]
        longest = max(first, key=lambda feature: duration_ms(feature.window))
        column = _known(vectors[:, view.feature_names.index(longest.name)])
        found[f"zscore:{longest.name}"] = column
    found[FOREST] = _forest(vectors, train, seed)
    return found


def _known(column: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.where(np.isnan(column), 0.0, column).astype(np.float64)


def _forest(vectors: NDArray[np.float32], train: NDArray[np.int64], seed: int) -> NDArray[np.float64]:
    thinned = train[:: max(1, -(-len(train) // MOST_FOREST_ROWS))]
    known = ~np.isnan(vectors[thinned])
    middle = np.zeros(vectors.shape[1], np.float32)
    for column in np.flatnonzero(known.any(axis=0)):
        middle[column] = np.median(vectors[thinned, column][known[:, column]])
    filled = np.where(np.isnan(vectors), middle, vectors)
    forest = IsolationForest(random_state=seed).fit(filled[thinned])
    result: NDArray[np.float64] = -forest.score_samples(filled)
    return result
