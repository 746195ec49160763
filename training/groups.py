"""Groups of features whose reasons people tell apart: what explanations delete together."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring.features.spec import FeatureView
from scoring.model.manifest import QUANTILES, Contributions
from training.scaling import baseline_quantiles

MOST_GROUPS = 16
MIDDLE = QUANTILES.index(0.50)
CONTRIBUTIONS = Contributions(
    method=(
        "what is lost without a group of features and gained with it alone, averaged; a group speaks through its most "
        "surprising feature"
    ),
    explains="-ln(1 - score), less that of the event with usual values",
)
Group = NDArray[np.int64]


def groups_of(view: FeatureView) -> list[Group]:
    """At most 16 groups of feature numbers that together are all: those the view puts together, else the same kind of
    what, over all windows.

    >>> from scoring.views.account_activity import VIEW
    >>> len(groups_of(VIEW)), sum(map(len, groups_of(VIEW))) == len(VIEW.feature_names)
    (16, True)
    """
    named: list[tuple[str, int]] = []
    start = 0
    if view.carries is not None:
        named += [(f"carried {kind}", place) for kind, place in _kinds(view.carries)]
        start = len(view.carries.feature_names)
    named += [(kind, start + place) for kind, place in _kinds(view)]
    declared = _declared(view)  # names carried features too
    named = [(declared.get(view.feature_names[place], kind), place) for kind, place in named]
    found = [
        np.array([place for _, place in members], np.int64)
        for _, members in groupby(sorted(named, key=lambda each: each[0]), key=lambda each: each[0])
    ]
    while len(found) > MOST_GROUPS:  # the two smallest become one
        found.sort(key=len, reverse=True)
        found[-2:] = [np.sort(np.concatenate(found[-2:]))]
    return sorted(found, key=lambda group: int(group[0]))


def filled_up(groups: Sequence[Group]) -> list[Group]:
    """The groups and empty ones behind them, 16 in all: with fewer, a row's explanation depended on its batch.

    An empty group moves nothing, and has no share.
    """
    return [*groups, *[np.zeros(0, np.int64)] * (MOST_GROUPS - len(groups))]


def groups_among(groups: Sequence[Group], columns: Sequence[int]) -> list[Group]:
    """The same groups over a choice of features: numbers are places in `columns`; groups that have none are left out."""
    places = {feature: place for place, feature in enumerate(columns)}
    found = [np.array([places[each] for each in group.tolist() if each in places], np.int64) for group in groups]
    return [group for group in found if len(group)]


def usual_values(view: FeatureView, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """What deleting sets each feature to, float32[F]: its median in training data, or the quantile that the view names.

    NaN where it was never known.
    """
    return usual_of(view, baseline_quantiles(vectors))


def usual_of(view: FeatureView, rows: Sequence[Sequence[float | None]]) -> NDArray[np.float32]:
    """The same, of the quantiles of each feature in training data."""
    named = dict(view.usual_at)
    places = [QUANTILES.index(named.get(name, QUANTILES[MIDDLE])) for name in view.feature_names]
    found = [row[place] for row, place in zip(rows, places, strict=True)]
    return np.array([np.nan if value is None else value for value in found], np.float32)


def _kinds(view: FeatureView) -> list[tuple[str, int]]:
    declared = _declared(view)
    own = view.feature_names[len(view.feature_names) - len(view.features) :]
    return [
        (declared.get(name, _what(feature)), place)
        for place, (name, feature) in enumerate(zip(own, view.features, strict=True))
    ]


def _declared(view: FeatureView) -> dict[str, str]:
    return {name: f"together {place}" for place, names in enumerate(view.together) for name in names}


def _what(feature: Any) -> str:
    return " ".join([feature.kind, *(str(getattr(feature, name, "")) for name in ("number", "code", "statistic"))])
