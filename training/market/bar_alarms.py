"""Rules that raise alarms on single bars, and alarms counted as people get them."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from training.market.bar_faults import Fault
from training.market.forecasts import Series
from training.market.garch import DECAY

LOCAL_BARS = 270
COOLDOWN_BARS = 15
LATE_BARS = 5
_BIPOWER = np.pi / 2
_LEAST = 1e-12


def ewma_rule(returns: Series) -> Series:
    """The size of each return over the exponentially weighted volatility of those before it, float64[n]."""
    variance, found = float(np.mean(returns[:LOCAL_BARS] ** 2)), np.empty(len(returns))
    for at, value in enumerate(returns):
        found[at] = abs(value) / np.sqrt(max(variance, _LEAST))
        variance = DECAY * variance + (1 - DECAY) * float(value) ** 2
    return found


def jump_rule(returns: Series) -> Series:
    """The size of each return over the volatility by bipower variation of the 270 before it, float64[n].

    Source: Lee, Mykland 2008, "Jumps in financial markets: a new nonparametric test and jump dynamics"; bipower variation
    by Barndorff-Nielsen, Shephard 2004, which a single jump among them hardly moves.
    """
    size = np.abs(returns)
    products = np.concatenate([[0.0], size[1:] * size[:-1]])
    sums = np.concatenate([[0.0], np.cumsum(products)])
    at = np.arange(len(size))
    before = np.maximum(at - LOCAL_BARS, 0)
    variance = _BIPOWER * (sums[at] - sums[before]) / np.maximum(at - before, 1)
    found: Series = size / np.sqrt(np.maximum(variance, _LEAST))
    return found


def stale_rule(returns: Series) -> Series:
    """How many bars in a row did not move, this one included, float64[n]."""
    found, run = np.empty(len(returns)), 0
    for at, value in enumerate(returns):
        run = run + 1 if value == 0 else 0
        found[at] = run
    return found


BAR_RULES: dict[str, Callable[[Series], Series]] = {
    "ewma_rule": ewma_rule, "jump_rule": jump_rule, "stale_rule": stale_rule
}  # fmt: skip
"""By the name that protocols give them: what each makes of the returns of one symbol, larger is more unusual."""


def alarms(scores: Series, threshold: float) -> NDArray[np.int64]:
    """The places of alarms: scores above the threshold, none within 15 bars of the alarm before, int64[m]."""
    found: list[int] = []
    for place in np.flatnonzero(scores > threshold).tolist():
        if not found or place - found[-1] > COOLDOWN_BARS:
            found.append(place)
    return np.array(found, np.int64)


def threshold_for(scores: Series, most: int, faults: Sequence[Fault] = ()) -> float:
    """The least threshold that gives at most so many false alarms on these scores."""
    levels = np.unique(scores)
    low, high = 0, len(levels) - 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if false_alarms(scores, float(levels[middle]), faults) <= most else (middle + 1, high)
    return float(levels[low])


def found_faults(scores: Series, threshold: float, faults: Sequence[Fault]) -> NDArray[np.bool_]:
    """Whether each fault has a score above the threshold between its first bar and five behind its last, bool[faults]."""
    return np.array([bool((scores[each.first : each.last + 1 + LATE_BARS] > threshold).any()) for each in faults])


def false_alarms(scores: Series, threshold: float, faults: Sequence[Fault]) -> int:
    """Alarms outside of every fault and the 60 bars behind it, whose volatility it still moves."""
    outside = np.ones(len(scores), bool)
    for each in faults:
        outside[each.first : each.last + 1 + 60] = False
    return int(outside[alarms(scores, threshold)].sum())
