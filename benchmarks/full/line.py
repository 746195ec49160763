"""A straight line through measured points, and how far a single measurement lies from it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Line:
    """`y = intercept + slope * x`, by least squares.

    Attributes:
        points: how many it was fitted to; mean_x, spread_x: their mean and their sum of squared deviations.
        deviation: standard deviation of the points about the line; 0.0 when there are only two.
    """

    intercept: float
    slope: float
    points: int
    mean_x: float
    spread_x: float
    deviation: float

    def at(self, x: float) -> float:
        """The line's value.

        >>> fit_line([(0, 1.0), (1, 3.0)]).at(2)
        5.0
        """
        return self.intercept + self.slope * x

    def deviation_at(self, x: float) -> float:
        """Standard error of one measurement at `x`: of the points about the line, and of the line itself.

        Source: Draper and Smith 1998, "Applied Regression Analysis", section 3.1.
        """
        own = 1 + 1 / self.points + (x - self.mean_x) ** 2 / self.spread_x
        return self.deviation * math.sqrt(own)


def fit_line(points: Sequence[tuple[float, float]]) -> Line:
    """The line through points (x, y).

    Raises:
        ValueError: they have fewer than two different x.
    """
    x, y = np.array(points, np.float64).reshape(-1, 2).T  # (point,), (point,)
    mean_x = float(x.mean()) if len(x) else 0.0
    spread_x = float(((x - mean_x) ** 2).sum())
    if spread_x == 0.0:
        raise ValueError(f"expected points at two or more places, was {sorted(set(x.tolist()))}")
    slope = float(((x - mean_x) * y).sum()) / spread_x
    intercept = float(y.mean()) - slope * mean_x
    off = y - (intercept + slope * x)
    deviation = math.sqrt(float((off**2).sum()) / (len(x) - 2)) if len(x) > 2 else 0.0
    return Line(intercept, slope, len(x), mean_x, spread_x, deviation)
