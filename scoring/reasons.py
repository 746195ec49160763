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
    vector: NDArray[np.float32],
    contributions: NDArray[np.float32],
    baseline: Mapping[str, Sequence[float | None]],
) -> Explanation:
    """The explanation of one row.

    Args:
        names: feature names, F of them.
        vector: features as seen, float32[F]; NaN is missing.
        contributions: what each feature adds to the surprise, float32[F].
        baseline: quantiles of each feature in training; its middle one decides between `_HIGH` and `_LOW`.
    """
    seen = zip(names, vector.tolist(), strict=True)
    named = {name: value if value == value else None for name, value in seen}  # NaN differs from itself
    rounded = zip(names, np.round(contributions.astype(np.float64), DECIMALS).tolist(), strict=True)
    parts = {name: part for name, part in rounded if part}
    least = LEAST_SHARE * sum(part for part in parts.values() if part > 0)
    leading = sorted((-part, name) for name, part in parts.items() if part > 0 and part >= least)[:MOST_REASONS]
    reasons = tuple(f"{name.upper()}_{_side(named[name], baseline.get(name))}" for _, name in leading)
    return Explanation(named, parts, reasons or ("UNUSUAL_COMBINATION",))


def in_words(explanation: Explanation, baseline: Mapping[str, Sequence[float | None]]) -> str:
    """One sentence for people: each leading feature, its value, and what is usual."""
    said = []
    for reason in explanation.reasons:
        name = reason.rsplit("_", 1)[0].lower()
        value, usual = explanation.named_features.get(name), _usual(baseline.get(name))
        if value is None:
            said.append(reason.lower().replace("_", " "))
        else:
            said.append(f"{name.replace('_', ' ')} is {value:.4g}" + (f" (usually {usual})" if usual else ""))
    return "; ".join(said)


def _side(value: float | None, quantiles: Sequence[float | None] | None) -> str:
    middle = quantiles[len(quantiles) // 2] if quantiles else None
    if value is None:
        return "MISSING"
    return "LOW" if middle is not None and value < middle else "HIGH"


def _usual(quantiles: Sequence[float | None] | None) -> str:
    if not quantiles or len(quantiles) < 3 or quantiles[1] is None or quantiles[-2] is None:
        return ""
    return f"{quantiles[1]:.4g} to {quantiles[-2]:.4g}"
