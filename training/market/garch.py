"""The classical forecasts of volatility and loss: GARCH-t, GJR with a skewed t, EWMA, historical simulation."""

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.market.forecasts import LEVELS, Forecasts, Series

DECAY = 0.94
PAST_DAYS = 500
_NORMAL_QUANTILE = {0.95: -1.6448536269514722, 0.99: -2.3263478740408408}
Rival = Callable[[Series, Sequence[int]], Forecasts]


def garch_t(returns: Series, refits: Sequence[int]) -> Forecasts:
    """GARCH(1,1) with Student t errors. Source: Bollerslev 1987."""
    return _of_the_arch_package(returns, refits, leverage=0, distribution="t")


def gjr_skew_t(returns: Series, refits: Sequence[int]) -> Forecasts:
    """GJR-GARCH(1,1) with the skewed t. Source: Glosten, Jagannathan, Runkle 1993; Hansen 1994."""
    return _of_the_arch_package(returns, refits, leverage=1, distribution="skewt")


def ewma(returns: Series, refits: Sequence[int]) -> Forecasts:
    """Exponentially weighted squares, normal quantiles. Source: RiskMetrics technical document, 1996."""
    found = Forecasts.empty(len(returns))
    first = refits[0]
    variance = np.empty(len(returns) + 1)
    variance[0] = np.mean(returns[:first] ** 2)
    for day, value in enumerate(returns):
        variance[day + 1] = DECAY * variance[day] + (1 - DECAY) * value**2
    scale = np.sqrt(variance[first:-1])[:, None]
    quantiles = np.array([_NORMAL_QUANTILE[level] for level in LEVELS])
    density = np.exp(-(quantiles**2) / 2) / np.sqrt(2 * np.pi)
    below = -density / (1 - np.array(LEVELS))
    found.put(slice(first, None), variance[first:-1], scale * quantiles, scale * below)
    return found


def historical_simulation(returns: Series, refits: Sequence[int]) -> Forecasts:
    """Quantiles and means of the last 500 returns as they were."""
    found = Forecasts.empty(len(returns))
    first = refits[0]
    windows = np.lib.stride_tricks.sliding_window_view(returns, min(PAST_DAYS, first))
    ordered = np.sort(windows[first - windows.shape[1] : -1], axis=1)
    tails = [max(1, round((1 - level) * ordered.shape[1])) for level in LEVELS]
    found.put(
        slice(first, None),
        ordered.var(axis=1),
        np.stack([ordered[:, tail - 1] for tail in tails], axis=1),
        np.stack([ordered[:, :tail].mean(axis=1) for tail in tails], axis=1),
    )
    return found


RIVALS: dict[str, Rival] = {
    "gjr_skew_t": gjr_skew_t,
    "garch_t": garch_t,
    "ewma": ewma,
    "historical_simulation": historical_simulation,
}
"""By the name that protocols give them; each takes returns and the first days of the spans it is fitted anew for."""


def _of_the_arch_package(
    returns: Series, refits: Sequence[int], *, leverage: int, distribution: str
) -> Forecasts:
    from arch import arch_model

    found, started = Forecasts.empty(len(returns)), None
    for first, after in zip(refits, [*refits[1:], len(returns)], strict=True):
        model = arch_model(
            returns[:first], mean="Constant", vol="GARCH", p=1, o=leverage, q=1, dist=distribution, rescale=False
        )
        fitted = _fitted(model, started)
        started = fitted.params.to_numpy()
        constant, parameters, shape = started[0], started[1 : 4 + leverage], started[4 + leverage :]
        variance = _recursion(returns[:after] - constant, parameters, backcast=first, leverage=leverage)[first:]
        scale = np.sqrt(variance)[:, None]
        quantiles = np.array([float(model.distribution.ppf(1 - level, shape)) for level in LEVELS])
        below = [
            model.distribution.partial_moment(1, quantile, shape) / (1 - level)
            for quantile, level in zip(quantiles, LEVELS, strict=True)
        ]
        found.put(
            slice(first, after), variance, constant + scale * quantiles, constant + scale * np.array(below, np.float64)
        )
    return found


def _fitted(model: Any, started: NDArray[np.float64] | None) -> Any:
    """The fit of greatest likelihood; where it does not converge from the last one's parameters, from arch's own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = model.fit(disp="off", show_warning=False, starting_values=started)
        if started is not None and fitted.convergence_flag != 0:
            again = model.fit(disp="off", show_warning=False)
            fitted = again if again.loglikelihood > fitted.loglikelihood else fitted
    return fitted


def _recursion(errors: Series, parameters: Series, *, backcast: int, leverage: int) -> Series:
    """The variance of every error given the earlier ones, float64[n]; starts from the mean of the first `backcast`."""
    omega, alpha, beta = parameters[0], parameters[1], parameters[-1]
    gamma = parameters[2] if leverage else 0.0
    news = (alpha + gamma * (errors < 0)) * errors**2
    variance, last = np.empty(len(errors)), float(np.mean(errors[:backcast] ** 2))
    for day, shock in enumerate(np.append(last * (alpha + gamma / 2), news[:-1])):
        last = omega + float(shock) + beta * last
        variance[day] = last
    return variance
