"""Why a score is high: the features that explain it, in codes for programs and words for people."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_REASONS = 4
LEAST_SHARE = 0.05
DECIMALS = 6
SIDES = ("HIGH", "LOW", "MISSING")


@dataclass(frozen=True, eq=False)
class Explanation:
    """What explains one score.

    Args:
        names: of the features, F of them.
        values: features as seen, float[F]; NaN is missing.
        parts: contributions, float64[F].

    Attributes:
        reasons: the leading reason codes.
    """

    names: Sequence[str]
    values: NDArray[np.floating[Any]]
    parts: NDArray[np.float64]
    reasons: tuple[str, ...]

    # made when asked for: whoever only counts reasons is spared two dictionaries of every feature
    @cached_property
    def named_features(self) -> dict[str, float | None]:
        """Every feature as seen; None where it is missing."""
        values = [None if math.isnan(value) else value for value in self.values.tolist()]
        return dict(zip(self.names, values, strict=True))

    @cached_property
    def contributions(self) -> dict[str, float]:
        """What each feature adds to the surprise; those that add nothing are left out."""
        return {name: part for name, part in zip(self.names, self.parts.tolist(), strict=True) if part}


def explain(
    names: Sequence[str],
    vectors: NDArray[np.float32],
    contributions: NDArray[np.float32],
    baseline: Mapping[str, Sequence[float | None]],
) -> list[Explanation]:
    """The explanation of every row: leading are at most four features that add 5 % of what all positive ones add.

    Args:
        names: feature names, F of them.
        vectors: features as seen, float32[n, F]; NaN is missing.
        contributions: what each feature adds to the surprise, float32[n, F].
        baseline: quantiles of each feature in training; its middle one decides between `_HIGH` and `_LOW`.
    """
    rounded = np.round(contributions.astype(np.float64), DECIMALS)
    added = np.maximum(rounded, 0.0)
    # one after another, so that the sum of a row does not depend on how many rows there are
    least = LEAST_SHARE * np.add.accumulate(added, axis=1)[:, -1:]
    by_name, codes = _ways_to_say(tuple(names))
    ranked = np.where((added >= least) & (added > 0), added, 0.0)[:, by_name]
    order = np.argsort(-ranked, axis=1, kind="stable")[:, :MOST_REASONS]  # of equal ones the first by name
    leading = by_name[order]
    counts = (np.take_along_axis(ranked, order, axis=1) > 0).sum(axis=1)
    sides = _sides(names, vectors, baseline)
    found = zip(leading.tolist(), np.take_along_axis(sides, leading, axis=1).tolist(), counts.tolist(), strict=True)
    return [
        Explanation(
            names, vectors[row], rounded[row],
            tuple([codes[place][side] for place, side in zip(places[:count], on[:count], strict=True)])
            or ("UNUSUAL_COMBINATION",),
        )
        for row, (places, on, count) in enumerate(found)
    ]  # fmt: skip


@lru_cache(maxsize=64)
def _ways_to_say(names: tuple[str, ...]) -> tuple[NDArray[np.int64], list[list[str]]]:
    """The features in the order of their names, and the reason codes of each."""
    by_name = np.array(sorted(range(len(names)), key=names.__getitem__))
    return by_name, [[f"{name.upper()}_{side}" for side in SIDES] for name in names]


def _sides(
    names: Sequence[str], vectors: NDArray[np.float32], baseline: Mapping[str, Sequence[float | None]]
) -> NDArray[np.int64]:
    """Index into `SIDES` of each feature, int64[n, F], by the middle of what was seen in training."""
    middles = {name: seen[len(seen) // 2] for name, seen in baseline.items() if seen}
    middle = np.array([middles.get(name) for name in names], np.float64)
    low = vectors.astype(np.float64) < middle
    return np.where(np.isnan(vectors), SIDES.index("MISSING"), np.where(low, SIDES.index("LOW"), SIDES.index("HIGH")))


def in_words(
    explanation: Explanation, baseline: Mapping[str, Sequence[float | None]], *, adverse_action: bool = False
) -> str:
    """One sentence for people: each leading feature, its value, and what is usual.

    Args:
        adverse_action: whether it is for somebody who is refused, who is told the principal reasons and on which side
            each lies, most important first, at most four. Source: Regulation B, 12 CFR 1002.9 (b)(2) and its comment.
    """
    if adverse_action:
        return _principal_reasons(explanation, baseline)
    said: dict[str, None] = {}  # each thing once, in order
    for reason in explanation.reasons:
        name = reason.rsplit("_", 1)[0].lower()
        value, usual = explanation.named_features.get(name), _usual(baseline.get(name))
        clock = name.removesuffix("_sine").removesuffix("_cosine")
        if clock != name:  # the two halves of a time of day or week say nothing by themselves
            said[f"{clock.replace('_', ' ')} is unusual"] = None
        elif value is None:
            said[reason.lower().replace("_", " ")] = None
        else:
            said[
                f"{name.replace('_', ' ')} is {_number(value)}" + (f" (usually {usual})" if usual else "")
            ] = None
    return "; ".join(said)


_ADVERSE = {"HIGH": "is too high", "LOW": "is too low", "MISSING": "is not stated"}


def _principal_reasons(explanation: Explanation, baseline: Mapping[str, Sequence[float | None]]) -> str:
    said = []
    for reason in explanation.reasons:
        name, _, side = reason.rpartition("_")
        if side not in _ADVERSE:  # no single feature leads
            return "no single reason: the combination of all values"
        value, usual = explanation.named_features.get(name.lower()), _middle(baseline.get(name.lower()))
        seen = "" if value is None else f" ({_number(value)}" + (f", usually about {usual})" if usual else ")")
        said.append(f"{name.lower().replace('_', ' ')} {_ADVERSE[side]}{seen}")
    return "principal reasons: " + "; ".join(said)


def _usual(quantiles: Sequence[float | None] | None) -> str:
    if not quantiles or len(quantiles) < 3 or quantiles[1] is None or quantiles[-2] is None:
        return ""
    return f"{_number(quantiles[1])} to {_number(quantiles[-2])}"


def _middle(quantiles: Sequence[float | None] | None) -> str:
    """The value that decides between too high and too low: a range would often hold both."""
    middle = quantiles[len(quantiles) // 2] if quantiles else None
    return "" if middle is None else _number(middle)


def _number(value: float) -> str:
    """As people write numbers: 168,524 and 0.0123, never 1.685e+05.

    >>> [_number(value) for value in (168_524.4, 1_234.56, 12.3456, 0.01234567, 0.0)]
    ['168,524', '1,235', '12.35', '0.01235', '0']
    """
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.4g}"
