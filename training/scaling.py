"""Finds, in training data, how each feature is imputed, transformed and standardised inside the graph."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scoring.model.manifest import QUANTILES

LEAST_ROWS = 20
LEAST_SCALE = 0.05
_HEAVY = 4.0
_FEW_VALUES = 8
_NORMAL_98 = 4.652695748  # width of the central 98 % of a standard normal
_NORMAL_50 = 1.348979500  # and of its central half


@dataclass(frozen=True, eq=False)
class Scaling:
    """Constants of the first layer, one per feature; float32[F] or bool[F].

    Attributes:
        used: whether training data held the feature and it varied there; of another one nobody can say what is
            unusual, so it is ignored.
        logged: whether the signed logarithm `sign(x) log(1 + |x| / unit)` comes first.
        unit: the unit inside the logarithm; 1 where there is none.
        centre, scale: subtracted and divided by, after the transform.
    """

    used: NDArray[np.bool_]
    logged: NDArray[np.bool_]
    unit: NDArray[np.float32]
    centre: NDArray[np.float32]
    scale: NDArray[np.float32]


def fit_scaling(vectors: NDArray[np.float32]) -> Scaling:
    """The scaling of these training vectors, float32[n, F] with NaN where missing.

    A feature whose 98 % range is much wider than its middle half is heavy-tailed and goes through the signed
    logarithm. Centre and scale are robust (median, quantile ranges), so that a few extremes do not set them.
    """
    rows = [_fit_one(column[~np.isnan(column)].astype(np.float64)) for column in vectors.T]
    used, logged, unit, centre, scale = zip(*rows, strict=True)
    return Scaling(
        used=np.array(used, bool),
        logged=np.array(logged, bool),
        unit=np.array(unit, np.float32),
        centre=np.array(centre, np.float32),
        scale=np.array(scale, np.float32),
    )


def baseline_quantiles(vectors: NDArray[np.float32]) -> list[tuple[float | None, ...]]:
    """Per feature the manifest's quantiles, to 6 significant digits; None where there was no value."""
    rows: list[tuple[float | None, ...]] = []
    for column in vectors.T:
        known = column[~np.isnan(column)]
        if not len(known):
            rows.append((None,) * len(QUANTILES))
        else:
            rows.append(tuple(float(f"{value:.6g}") for value in np.quantile(known, QUANTILES)))
    return rows


def _fit_one(values: NDArray[np.float64]) -> tuple[bool, bool, float, float, float]:
    if len(values) < LEAST_ROWS or values.min() == values.max():
        return False, False, 1.0, 0.0, 1.0
    low, quarter, middle, three_quarters, high = np.quantile(values, [0.01, 0.25, 0.5, 0.75, 0.99])
    heavy = max(high - middle, middle - low) > _HEAVY * (three_quarters - quarter)
    logged = bool(heavy and len(np.unique(values[:5_000])) > _FEW_VALUES)
    unit = float(np.median(np.abs(values[values != 0]))) if logged else 1.0
    seen = np.sign(values) * np.log1p(np.abs(values) / unit) if logged else values
    low, quarter, middle, three_quarters, high = np.quantile(seen, [0.01, 0.25, 0.5, 0.75, 0.99])
    spread = max((high - low) / _NORMAL_98, (three_quarters - quarter) / _NORMAL_50)
    if high == low:  # constant but for a few: the deviation of the few is all there is
        spread = float(np.std(seen))
    least = LEAST_SCALE * max(1.0, abs(middle)) if _is_flat(high, low) else 1e-9
    return True, logged, unit, float(middle), float(max(spread, least))


def _is_flat(high: float, low: float) -> bool:
    return bool(high == low)
