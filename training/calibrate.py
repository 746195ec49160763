"""Turns errors into p-values: a tail per feature, then knots and a tail for the total; all in the graph.

Source of the tails: Pickands 1975; Davison, Smith 1990, "Models for exceedances over high thresholds".
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from training.networks.calibration import KNOTS, Calibration
from training.networks.tail import MOST_NATS, TailSurprise

LEAST_VALUES = 50
LEAST_EXCEEDANCES = 20
MOST_EXCEEDANCES = 100
LEAST_BEYOND = 5
TAIL_SHARE = 0.02
TAIL_KNOTS = 8
MOST_MINUS_LOG_P = (
    13.6  # one minus its exponential is 0.9999988: the largest that 6 decimals still tell from 1
)
_QUANTILES = np.array([0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999])
_LARGEST = np.array([2.5, 1.5, 0.5])  # how many of n errors exceed the third largest, the second, the largest
_SHAPES = np.geomspace(0.02, 3.0, 40)
_WIDTHS = np.geomspace(0.05, 10.0, 60)  # a narrower one would turn float32's last digit into visible nats
_ENDLESS = 1e30


@dataclass(frozen=True)
class Tail:
    """A generalised Pareto tail: `P(X > x) = (1 + shape x / width) ** (-1 / shape)`, x at least 0."""

    shape: float
    width: float

    def minus_log_p(self, excess: NDArray[np.float64]) -> NDArray[np.float64]:
        """Minus the natural logarithm of the probability to exceed these values."""
        nats: NDArray[np.float64] = np.log1p(self.shape * excess / self.width) / self.shape
        return nats


def fit_feature_tail(magnitudes: NDArray[np.float64]) -> Tail:
    """The tail that fits the quantiles of these errors best, from the median on, and the three largest ones.

    Without the largest ones a rare 1 among zeros would seem far more surprising than it is: no quantile sees it.
    """
    n, ordered = len(magnitudes), np.sort(magnitudes)
    inside = _QUANTILES[(1 - _QUANTILES) * n >= LEAST_BEYOND]
    errors = np.concatenate([np.quantile(ordered, inside), ordered[-len(_LARGEST) :]])
    wanted = np.concatenate([-np.log(1 - inside), np.log(n / _LARGEST)])
    shape, width = np.meshgrid(_SHAPES, _WIDTHS, indexing="ij")
    nats = np.log1p(shape[..., None] * errors / width[..., None]) / shape[..., None]
    loss = ((nats - wanted) ** 2 / wanted).mean(axis=2)  # (shape, width)
    best = np.unravel_index(int(np.argmin(loss)), loss.shape)
    return Tail(float(_SHAPES[best[0]]), float(_WIDTHS[best[1]]))


def fit_excess_tail(excess: NDArray[np.float64]) -> Tail:
    """The tail of greatest likelihood for these exceedances, each at least 0."""
    unit = max(float(excess.mean()), 1e-6)
    shape, width = np.meshgrid(_SHAPES, _WIDTHS * unit, indexing="ij")
    logs = np.log1p(shape[..., None] * excess / width[..., None]).mean(axis=2)
    loss = np.log(width) + (1 + 1 / shape) * logs
    best = np.unravel_index(int(np.argmin(loss)), loss.shape)
    return Tail(float(shape[best]), float(width[best]))


@torch.no_grad()
def set_feature_tails(tail: TailSurprise, error: torch.Tensor, present: torch.Tensor) -> None:
    """Fits the tail of every feature to validation errors, both (rows, width), and stores it in the layer.

    A feature present in fewer than 50 rows never surprises: too little is known of its errors.
    """
    sizes = tail.magnitude(error).numpy().astype(np.float64)
    there = present.numpy() > 0
    for column in range(sizes.shape[1]):
        known = sizes[there[:, column], column]
        if len(known) < LEAST_VALUES:
            tail.rate[column], tail.inverse_shape[column] = 0.0, 1.0
            continue
        found = fit_feature_tail(known)
        tail.rate[column] = found.shape / found.width
        tail.inverse_shape[column] = 1.0 / found.shape


def set_calibration(calibration: Calibration, totals: NDArray[np.float32], width: int) -> None:
    """Fits the line from total surprise to minus log p on validation totals, and stores it in the layer.

    Up to the start of the tail it goes through the empirical quantiles; from there on through the fitted
    tail, which is flattened where needed so that even the largest possible total stays below the last of 6
    decimals: two anomalies never seen before still differ.

    Args:
        totals: total surprise of validation rows, (rows).
        width: features the total is made of; bounds it.
    """
    x, u = calibration_points(np.sort(totals.astype(np.float64)), MOST_NATS * width ** (1 / 3))
    spans, slopes = np.diff(x), np.diff(u) / np.diff(x)
    calibration.knots.zero_()
    calibration.spans.fill_(1.0)
    calibration.slopes.zero_()
    calibration.knots[: len(spans)] = torch.from_numpy(x[:-1].astype(np.float32))
    calibration.spans[: len(spans)] = torch.from_numpy(spans.astype(np.float32))
    calibration.slopes[: len(spans)] = torch.from_numpy(slopes.astype(np.float32))
    calibration.spans[len(spans) - 1] = _ENDLESS


def calibration_points(
    ordered: NDArray[np.float64], largest: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Totals and their minus log p, both rising strictly, at most 33 of each.

    Args:
        ordered: validation totals, rising.
        largest: total that no event can exceed.
    """
    n = len(ordered)
    exceeding = int(np.clip(n * TAIL_SHARE, min(LEAST_EXCEEDANCES, n // 2), MOST_EXCEEDANCES))
    start, start_u = float(ordered[n - exceeding - 1]), float(np.log(n / exceeding))
    body_u = np.linspace(0.0, start_u, KNOTS - TAIL_KNOTS + 1)
    body_x = np.quantile(ordered, 1 - np.exp(-body_u))
    body_x[-1] = start
    largest = max(largest, start * 1.5 + 1.0)
    tail = _bounded(
        fit_excess_tail(ordered[n - exceeding :] - start), largest - start, MOST_MINUS_LOG_P - start_u
    )
    beyond = np.geomspace(1.0, 1.0 + (largest - start), TAIL_KNOTS + 1)[1:] - 1.0
    x = np.concatenate([body_x, start + beyond])
    u = np.concatenate([body_u, start_u + tail.minus_log_p(beyond)])
    return _rising(x, u)


def _bounded(tail: Tail, farthest: float, most: float) -> Tail:
    """The tail, made heavier until its farthest point is at most `most`."""
    heavier = [Tail(shape, tail.width) for shape in np.geomspace(tail.shape, max(50.0, tail.shape), 200)]
    return next(
        (each for each in heavier if each.minus_log_p(np.array(farthest)) <= most),
        Tail(50.0, max(tail.width, 1.0)),
    )


def _rising(
    x: NDArray[np.float64], u: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The points without those that do not rise: of equal totals the last one counts."""
    kept = np.append(np.diff(x) > 1e-9, True)
    x, u = x[kept], u[kept]
    u[0] = 0.0
    return x, u
