"""What every model says of the next return: a variance, and value at risk and expected shortfall per level."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEVELS = (0.95, 0.99)
Series = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Forecasts:
    """One-step forecasts of a series of percent returns, NaN where there is none.

    Attributes:
        variance: of the return, percent squared, float64[n].
        value_at_risk: the return that is undercut with probability one minus the level (so mostly below 0), percent,
            float64[n, level]; levels are `LEVELS`.
        shortfall: mean of the returns below it, percent, float64[n, level].
    """

    variance: Series
    value_at_risk: Series
    shortfall: Series

    @classmethod
    def empty(cls, rows: int) -> "Forecasts":
        """No forecast for so many returns yet."""
        wide = (rows, len(LEVELS))
        return cls(np.full(rows, np.nan), np.full(wide, np.nan), np.full(wide, np.nan))

    def put(self, rows: slice, variance: Series, value_at_risk: Series, shortfall: Series) -> None:
        """Fills in the forecasts of these returns."""
        self.variance[rows], self.value_at_risk[rows], self.shortfall[rows] = variance, value_at_risk, shortfall
