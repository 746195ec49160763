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


def usual_values(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """The median of each feature in training data, float32[F]; NaN where it was never known."""
    rows = baseline_quantiles(vectors)
    return np.array([np.nan if row[MIDDLE] is None else row[MIDDLE] for row in rows], np.float32)


def _kinds(view: FeatureView) -> list[tuple[str, int]]:
    declared = {name: f"together {place}" for place, names in enumerate(view.together) for name in names}
    own = view.feature_names[len(view.feature_names) - len(view.features) :]
    return [
        (declared.get(name, _what(feature)), place)
        for place, (name, feature) in enumerate(zip(own, view.features, strict=True))
    ]


def _what(feature: Any) -> str:
    return " ".join([feature.kind, *(str(getattr(feature, name, "")) for name in ("number", "code", "statistic"))])
