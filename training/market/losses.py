"""How forecasts of volatility and of tail losses are scored and tested."""

from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2, norm

from training.market.forecasts import Series

ZONE_DAYS = 250
MOST_GREEN, MOST_YELLOW = 4, 9


def joint_loss(returns: Series, value_at_risk: Series, shortfall: Series, level: float) -> Series:
    """The FZ0 loss of each forecast pair, float64[n]: smallest on average for the true pair.

    Args:
        returns: percent; value_at_risk, shortfall: forecasts of quantile and mean below it, percent; shortfall below 0.
        level: 0.95 or 0.99.

    Source: Patton, Ziegel, Chen 2019, "Dynamic semiparametric models for expected shortfall (and value-at-risk)".
    """
    hit = (returns <= value_at_risk).astype(np.float64)
    found: Series = (
        -hit * (value_at_risk - returns) / ((1 - level) * shortfall)
        + value_at_risk / shortfall + np.log(-shortfall) - 1
    )  # fmt: skip
    return found


def quasi_likelihood(squares: Series, variance: Series) -> Series:
    """QLIKE of each variance forecast, float64[n]: logarithm of the forecast plus the squared return over it.

    Source: Patton 2011, "Volatility forecast comparison using imperfect volatility proxies".
    """
    found: Series = np.log(variance) + squares / variance
    return found


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """Christoffersen's tests of a series of violations.

    Attributes:
        expected, violations: days with a forecast times one minus the level, and how many returns fell below it.
        unconditional_p: is their number right; independence_p: does one not foretell the next; joint_p: both.
    """

    expected: float
    violations: int
    unconditional_p: float
    independence_p: float
    joint_p: float


def coverage(hits: NDArray[np.bool_], level: float) -> Coverage:
    """The tests of violations, bool[n] of one series or bool[n, series], whose transitions are added up then.

    Series that move together make the tests of many series too strict: they are read as more days than there were.
    Source: Christoffersen 1998, "Evaluating interval forecasts".
    """
    many = hits.reshape(len(hits), -1)
    before, after = many[:-1], many[1:]
    stayed = float((~before & ~after).sum()), float((before & ~after).sum())
    struck = float((~before & after).sum()), float((before & after).sum())
    share = 1 - level
    total = float(many.sum()), float(many.size)
    alone = _likelihood(total[0], total[1] - total[0], total[0] / total[1])
    unconditional = 2 * (alone - _likelihood(total[0], total[1] - total[0], share))
    overall = sum(struck) / (sum(struck) + sum(stayed))
    by_state = sum(
        _likelihood(hit, missed, hit / (hit + missed) if hit + missed else 0.0)
        for hit, missed in zip(struck, stayed, strict=True)
    )
    independence = 2 * (by_state - _likelihood(sum(struck), sum(stayed), overall))
    return Coverage(
        expected=round(share * total[1], 2),
        violations=int(total[0]),
        unconditional_p=float(chi2.sf(max(0.0, unconditional), 1)),
        independence_p=float(chi2.sf(max(0.0, independence), 1)),
        joint_p=float(chi2.sf(max(0.0, unconditional) + max(0.0, independence), 2)),
    )


def _likelihood(hit: float, missed: float, share: float) -> float:
    first = hit * np.log(share) if hit else 0.0
    return float(first + (missed * np.log(1 - share) if missed else 0.0))


@dataclass(frozen=True)
class MeanTest:
    """Whether a mean is 0: its value, its t statistic, and the one-sided probability of a larger one."""

    mean: float
    statistic: float
    p_above: float


def mean_test(values: Series) -> MeanTest:
    """The test of Diebold and Mariano for loss differences in order of time; also of any mean.

    The variance is that of Newey and West 1987 with `4 (n / 100) ** (2 / 9)` lags.
    Source: Diebold, Mariano 1995, "Comparing predictive accuracy".
    """
    days, apart = len(values), values - values.mean()
    lags = int(4 * (days / 100) ** (2 / 9))
    variance = float(apart @ apart) / days
    for lag in range(1, lags + 1):
        variance += 2 * (1 - lag / (lags + 1)) * float(apart[lag:] @ apart[:-lag]) / days
    mean = float(values.mean())
    if variance <= 0:
        return MeanTest(mean, float("nan"), float("nan"))
    statistic = mean / float(np.sqrt(variance / days))
    return MeanTest(mean, statistic, float(norm.sf(statistic)))


def second_statistic(returns: Series, value_at_risk: Series, shortfall: Series, level: float) -> Series:
    """The terms whose mean is the Z2 of Acerbi and Szekely, float64[n]; 0 expected, below it losses are understated.

    Source: Acerbi, Szekely 2014, "Back-testing expected shortfall".
    """
    hit = returns <= value_at_risk
    found: Series = 1 - hit * returns / ((1 - level) * shortfall)
    return found


def zones(hits: NDArray[np.bool_]) -> tuple[float, float, float]:
    """Shares of the rolling 250-day windows in the green, yellow and red zone, of violations at 99 %, bool[n, series].

    Green up to 4 violations, red from 10 on. Source: Basel Committee 1996, "Supervisory framework for the use of
    backtesting".
    """
    sums = np.cumsum(np.vstack([np.zeros((1, hits.shape[1])), hits]), axis=0)
    found = sums[ZONE_DAYS:] - sums[:-ZONE_DAYS]
    green, red = float((found <= MOST_GREEN).mean()), float((found > MOST_YELLOW).mean())
    return green, 1 - green - red, red
