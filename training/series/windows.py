"""Detections in labelled windows, counted as the Numenta Anomaly Benchmark counts them.

A window is a run of rows that is marked. The earliest detection in it counts, the more the earlier; a detection
outside costs, the less the nearer it is behind a window. The first rows of a series are for getting to know it and
count neither way.

Source: Lavin, Ahmad 2015, "Evaluating real-time anomaly detection algorithms", and the benchmark's `sweeper.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FALSE_ALARM_COST = 0.11
PROBATION_SHARE = 0.15
MOST_PROBATION_ROWS = 750
NO_WINDOW = -1
_FAR = 3.0  # window lengths behind a window from which on a false alarm costs in full
Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Counted:
    """What a detection at each row of several series is worth; n rows, series one after another.

    Attributes:
        worth: in (0, 1] inside a window, at most 0 outside, float64[n].
        window: number of the row's window, counted over all series, or -1, int64[n].
        counts: False in probation, bool[n].
        series: number of the row's series, int64[n].
        windows: per series, how many windows have a row that counts, int64[s].
    """

    worth: Floats
    window: Numbers
    counts: NDArray[np.bool_]
    series: Numbers
    windows: Numbers

    def of(self, chosen: NDArray[np.int64]) -> "Counted":
        """The same with only these series counting; numbers of series and windows stay."""
        inside = np.isin(np.arange(len(self.windows)), chosen)
        return Counted(
            self.worth, self.window, self.counts & inside[self.series], self.series, np.where(inside, self.windows, 0)
        )


def sigmoid(place: Floats) -> Floats:
    """1 far before the end of a window, 0 at its end, -1 three windows behind it; place is in window lengths.

    >>> sigmoid(np.array([-1.0, 0.0, 3.5])).round(4).tolist()
    [0.9866, 0.0, -1.0]
    """
    smooth = 2 / (1 + np.exp(5 * np.minimum(place, _FAR))) - 1
    return np.where(place >= _FAR, -1.0, smooth)


_BEST = float(sigmoid(np.array(-1.0)))


def counted(marked: Sequence[NDArray[np.bool_]]) -> Counted:
    """What detections are worth in series whose rows in windows are marked, bool[rows] each.

    >>> found = counted([np.array([False] * 10 + [True] * 5 + [False] * 5)])
    >>> found.worth[[0, 10, 14]].round(3).tolist(), int(found.windows[0])
    ([-0.11, 1.0, 0.468], 1)
    """
    worth, window, counts = [], [], []
    windows, before = [], 0
    for rows in marked:
        begins = np.flatnonzero(np.diff(rows.astype(np.int8), prepend=0) == 1)
        ends = np.flatnonzero(np.diff(rows.astype(np.int8), append=0) == -1)
        own = np.full(len(rows), -FALSE_ALARM_COST)
        of = np.full(len(rows), NO_WINDOW, np.int64)
        for number, (begin, end) in enumerate(zip(begins.tolist(), ends.tolist(), strict=True)):
            length = end - begin + 1
            own[begin : end + 1] = sigmoid(np.arange(-length, 0) / length) / _BEST
            of[begin : end + 1] = before + number
            after = np.arange(1, (begins[number + 1] if number + 1 < len(begins) else len(rows)) - end)
            own[end + 1 : end + 1 + len(after)] = FALSE_ALARM_COST * sigmoid(after / max(length - 1, 1))
        inside = np.arange(len(rows)) >= probation(len(rows))
        windows.append(len(np.unique(of[inside & (of != NO_WINDOW)])))
        before += len(begins)
        worth.append(own)
        window.append(of)
        counts.append(inside)
    lengths = [len(rows) for rows in marked]
    return Counted(
        np.concatenate(worth), np.concatenate(window), np.concatenate(counts),
        np.repeat(np.arange(len(marked)), lengths), np.array(windows, np.int64),
    )  # fmt: skip


def probation(rows: int) -> int:
    """How many first rows of a series do not count.

    >>> probation(1_000), probation(20_000)
    (150, 750)
    """
    return int(min(PROBATION_SHARE * rows, MOST_PROBATION_ROWS))


@dataclass(frozen=True, eq=False)
class Sweep:
    """What lowering the threshold over scores adds, row by row from the highest score on; m rows that count.

    Attributes:
        scores: falling, float64[m].
        gains: of each row when those above are detected already, float64[m]: a row in a window that has an earlier
            detection adds nothing.
        series: of each row, int64[m]; last: whether it is the last one of its score, bool[m].
        windows: per series, int64[s].
    """

    scores: Floats
    gains: Floats
    series: Numbers
    last: NDArray[np.bool_]
    windows: Numbers

    def best(self, weights: Floats | None = None) -> tuple[float, float]:
        """The best figure that one threshold reaches, and that threshold (infinite: to detect nothing is best).

        Args:
            weights: how often each series counts, float64[s]; once when left out.

        Returns:
            The figure: 0 for detecting nothing, 100 for the first row of every window and nothing else; NaN where
            there is no window.
        """
        times = np.ones(len(self.windows)) if weights is None else weights
        most = 2 * float(times @ self.windows)
        if not most:
            return float("nan"), float("inf")
        reached = np.cumsum(self.gains * times[self.series])
        reached = np.where(self.last, reached, -np.inf)
        place = int(np.argmax(reached)) if len(reached) else 0
        if not len(reached) or reached[place] <= 0:
            return 0.0, float("inf")
        return 100 * float(reached[place]) / most, float(self.scores[place])


def sweep(rows: Counted, scores: Floats) -> Sweep:
    """All thresholds over these scores, float64[n]."""
    kept = np.flatnonzero(rows.counts)
    order = kept[np.lexsort((-rows.worth[kept], -scores[kept]))]
    worth, window, falling = rows.worth[order], rows.window[order], scores[order]
    gains = np.where(window == NO_WINDOW, worth, 0.0)
    inside = np.flatnonzero(window != NO_WINDOW)
    inside = inside[np.argsort(window[inside], kind="stable")]  # window after window, falling scores within each
    starts = np.diff(window[inside], prepend=NO_WINDOW) != 0
    floors = 2.0 * np.cumsum(starts)  # worth is at most 1: a running maximum starts anew with every window
    best = np.maximum.accumulate(worth[inside] + floors) - floors
    before = np.where(starts, -1.0, np.append(-1.0, best[:-1]))  # a window that is missed costs 1
    gains[inside] = best - before
    last = np.diff(falling, append=-np.inf) != 0
    return Sweep(falling, gains, rows.series[order], last, rows.windows)


def gained(rows: Counted, detected: NDArray[np.bool_]) -> Floats:
    """What detections are worth above detecting nothing, per series, float64[s]; 2 for a window, found at once.

    Args:
        detected: bool[n].
    """
    found = detected & rows.counts
    alarms = found & (rows.window == NO_WINDOW)
    result: Floats = np.bincount(rows.series[alarms], rows.worth[alarms], len(rows.windows)).astype(np.float64)
    hits = found & (rows.window != NO_WINDOW)
    best = np.full(int(rows.window.max(initial=0)) + 1, -1.0)
    np.maximum.at(best, rows.window[hits], rows.worth[hits])
    of_series = np.zeros(len(best), np.int64)
    of_series[rows.window[hits]] = rows.series[hits]
    result += np.bincount(of_series, best + 1, len(rows.windows))
    return result
