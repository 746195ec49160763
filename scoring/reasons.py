"""Why a score is high: the features that explain it, in codes for programs and words for people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MOST_REASONS = 4
LEAST_SHARE = 0.05
DECIMALS = 6


@dataclass(frozen=True)
class Explanation:
    """What explains one score: every named feature as seen, its contribution, and the leading reason codes."""

    named_features: dict[str, float | None]
    contributions: dict[str, float]
    reasons: tuple[str, ...]


def explain(
    names: Sequence[str],
    vectors: NDArray[np.float32],
    contributions: NDArray[np.float32],
    baseline: Mapping[str, Sequence[float | None]],
) -> list[Explanation]:
    """The explanation of every row.

    Args:
        names: feature names, F of them.
        vectors: features as seen, float32[n, F]; NaN is missing.
        contributions: what each feature adds to the surprise, float32[n, F].
        baseline: quantiles of each feature in training; its middle one decides between `_HIGH` and `_LOW`.
    """
    codes = _Codes(baseline)
    rounded = np.round(contributions.astype(np.float64), DECIMALS)
    seen = vectors.astype(object)
    seen[np.isnan(vectors)] = None
    explanations = []
    for values, row in zip(seen.tolist(), rounded.tolist(), strict=True):
        named = dict(zip(names, values, strict=True))
        parts = {name: part for name, part in zip(names, row, strict=True) if part}
        least = LEAST_SHARE * (sum(row) if min(row) >= 0 else sum(part for part in row if part > 0))
        leading = sorted([(-part, name) for name, part in parts.items() if part >= least and part > 0])
        reasons = tuple([codes.of(name, named[name]) for _, name in leading[:MOST_REASONS]])
        explanations.append(Explanation(named, parts, reasons or ("UNUSUAL_COMBINATION",)))
    return explanations


def in_words(explanation: Explanation, baseline: Mapping[str, Sequence[float | None]]) -> str:
    """One sentence for people: each leading feature, its value, and what is usual."""
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


class _Codes:
    """Reason codes by feature and side, from the middle of what was seen in training."""

    def __init__(self, baseline: Mapping[str, Sequence[float | None]]) -> None:
        self._middles = {name: seen[len(seen) // 2] for name, seen in baseline.items() if seen}

    def of(self, name: str, value: float | None) -> str:
        if value is None:
            return f"{name.upper()}_MISSING"
        middle = self._middles.get(name)
        return f"{name.upper()}_{'LOW' if middle is not None and value < middle else 'HIGH'}"


def _usual(quantiles: Sequence[float | None] | None) -> str:
    if not quantiles or len(quantiles) < 3 or quantiles[1] is None or quantiles[-2] is None:
        return ""
    return f"{_number(quantiles[1])} to {_number(quantiles[-2])}"


def _number(value: float) -> str:
    """As people write numbers: 168,524 and 0.0123, never 1.685e+05.

    >>> [_number(value) for value in (168_524.4, 1_234.56, 12.3456, 0.01234567, 0.0)]
    ['168,524', '1,235', '12.35', '0.01235', '0']
    """
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.4g}"
