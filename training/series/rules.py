"""Rivals that are no models: what is known of a series' values, or one column of the view, makes the score."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

WINDOW_ROWS, STEP_ROWS = 6_400, 100
_LEAST_SPREAD = 1e-6


@dataclass(frozen=True, eq=False)
class Table:
    """Readings with their features; n rows, series one after another, each in order of time.

    Attributes:
        values: float64[n]; series: number of the row's series, int64[n].
        vectors: of the view, float32[n, F], NaN where a row was not scored; names: of its features.
        names: of the features; of_series: name of each series.
    """

    values: NDArray[np.float64]
    series: NDArray[np.int64]
    vectors: NDArray[np.float32]
    names: tuple[str, ...]
    of_series: tuple[str, ...]

    def column(self, name: str) -> NDArray[np.float64]:
        """A feature of every row, 0 where it is missing, float64[n]."""
        return np.nan_to_num(self.vectors[:, self.names.index(name)].astype(np.float64))


def windowed_gaussian(table: Table) -> NDArray[np.float64]:
    """One minus the one-sided tail probability under a normal law of the last 6,400 readings, moved on by 100 at a time.

    Source: `windowedGaussian_detector.py` of the Numenta Anomaly Benchmark.
    """
    scores = np.zeros(len(table.values))
    for number in range(len(table.of_series)):
        rows = np.flatnonzero(table.series == number)
        scores[rows] = _gaussian(table.values[rows])
    return scores


def _gaussian(values: NDArray[np.float64]) -> NDArray[np.float64]:
    scores = np.zeros(len(values))
    first = last = 0  # the window is values[first:last]
    for row, value in enumerate(values.tolist()):
        if last:
            mean, spread = float(values[first:last].mean()), float(values[first:last].std())
            away = abs(value - mean) / (spread or _LEAST_SPREAD)
            scores[row] = 1 - 0.5 * math.erfc(away / math.sqrt(2))
        if last - first < WINDOW_ROWS:
            last = row + 1
        elif row + 1 - last == STEP_ROWS:
            first, last = first + STEP_ROWS, row + 1
    return scores


def zscore(table: Table) -> NDArray[np.float64]:
    """Standard deviations from the mean of 90 days, whichever side."""
    return np.abs(table.column("value_zscore_90d"))


def record(table: Table) -> NDArray[np.float64]:
    """How far value, change or level is beyond its range of three days, in its standard deviations; the farthest."""
    columns = [table.column(f"{number}_beyond_3d") for number in ("value", "change", "level")]
    farthest: NDArray[np.float64] = np.maximum.reduce(columns)
    return farthest


RULES: dict[str, Callable[[Table], NDArray[np.float64]]] = {
    "windowed_gaussian": windowed_gaussian,
    "zscore": zscore,
    "record": record,
}
"""By the name that protocols use; larger is stranger, in no unit."""
