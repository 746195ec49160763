"""The classical forecasts of realised variance: log-HAR, the same with the hour, HAR, EWMA, GARCH-t."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.market.forecasts import Series
from training.market.garch import DECAY, garch_t

SPANS = (1, 5, 22)
_LEAST_OF_MEAN = 1e-3


@dataclass(frozen=True, eq=False)
class VarianceSeries:
    """Realised variances of one symbol in order of time.

    Attributes:
        variance: float64[n].
        returns: log returns of the periods, 0 where unknown, float64[n].
        hour: hour of the day (UTC) at the end of each period, int64[n].
        window: how many periods a model is fitted to; the first `window` have no forecast.
        refits: first positions of the spans for which slow models are fitted anew; the first one is `window`.
    """

    variance: Series
    returns: Series
    hour: NDArray[np.int64]
    window: int
    refits: Sequence[int]


def log_har(series: VarianceSeries) -> Series:
    """HAR in logarithms by least squares over the window, fitted anew every period, half the error variance added.

    Source: Corsi 2009, "A simple approximate long-memory model of realized volatility".
    """
    return _log_har(series, np.zeros((len(series.variance), 0)))


def log_har_hour(series: VarianceSeries) -> Series:
    """The same with a constant per hour of the day, where periods end at several."""
    hours = np.unique(series.hour)
    return _log_har(series, (series.hour[:, None] == hours[1:]).astype(np.float64))


def har(series: VarianceSeries) -> Series:
    """HAR in variances by least squares over the window; a forecast below the window's smallest variance is that."""
    lags = np.column_stack([np.ones(len(series.variance)), *(_mean_of_last(series.variance, span) for span in SPANS)])
    found = np.full(len(series.variance), np.nan)
    for at in range(series.window, len(found)):
        rows = slice(max(at - series.window, max(SPANS)), at)
        weights = np.linalg.lstsq(lags[rows.start - 1 : at - 1], series.variance[rows], rcond=None)[0]
        own = series.variance[rows]
        found[at] = max(float(lags[at - 1] @ weights), float(own[own > 0].min()))
    return found


def ewma(series: VarianceSeries) -> Series:
    """The exponentially weighted mean. Source: RiskMetrics technical document, 1996 (decay 0.94)."""
    found = np.full(len(series.variance), np.nan)
    last = float(series.variance[: series.window].mean())
    for at, value in enumerate(series.variance):
        if at >= series.window:
            found[at] = last
        last = DECAY * last + (1 - DECAY) * float(value)
    return found


def garch_of_returns(series: VarianceSeries) -> Series:
    """GARCH-t of the periods' returns on a growing span, scaled so that its mean so far is that of the variances."""
    unit = float(np.std(series.returns[: series.window])) or 1.0
    said = garch_t(series.returns / unit, series.refits).variance
    found = np.full(len(said), np.nan)
    for first, after in zip(series.refits, [*series.refits[1:], len(said)], strict=True):
        scale = series.variance[:first].mean() / np.mean((series.returns[:first] / unit) ** 2)
        found[first:after] = said[first:after] * scale
    return found


VARIANCE_RIVALS: dict[str, Callable[[VarianceSeries], Series]] = {
    "log_har": log_har,
    "log_har_hour": log_har_hour,
    "har": har,
    "ewma": ewma,
    "garch_t": garch_of_returns,
}
"""By the name that protocols give them: forecasts of each variance from those before it, NaN for the first ones."""


def _log_har(series: VarianceSeries, more: Series) -> Series:
    """Log-HAR with more columns that are known of the period which is forecast, float64[n, m]."""
    count = len(series.variance)
    found = np.full(count, np.nan)
    floor = _LEAST_OF_MEAN * _mean_of_last(series.variance, series.window)
    logs = np.log(np.maximum(series.variance, np.maximum(floor, 1e-300)))
    lags = np.column_stack([np.ones(count), *(_mean_of_last(logs, span) for span in SPANS)])
    known = np.column_stack([np.vstack([np.full((1, lags.shape[1]), np.nan), lags[:-1]]), more])  # of the period itself
    for at in range(series.window, count):
        rows = slice(max(at - series.window, max(SPANS)), at)
        weights = np.linalg.lstsq(known[rows], logs[rows], rcond=None)[0]
        errors = logs[rows] - known[rows] @ weights
        spread = float(errors @ errors) / max(1, len(errors) - known.shape[1])
        found[at] = np.exp(float(known[at] @ weights) + 0.5 * spread)
    return found


def _mean_of_last(values: Series, span: int) -> Series:
    """The mean of the last `span` values, of fewer at the start, float64[n]."""
    sums = np.concatenate([[0.0], np.cumsum(values)])
    after = np.arange(1, len(values) + 1)
    before = np.maximum(after - span, 0)
    found: Series = (sums[after] - sums[before]) / (after - before)
    return found
