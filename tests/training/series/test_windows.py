"""Detections in windows: the benchmark's own counting, by hand and by a slow reading of its paper."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.series.windows import Counted, counted, gained, probation, sweep

pytestmark = pytest.mark.training


def series(rows: int, *windows: tuple[int, int]) -> np.ndarray:
    """Marks from the first to the last row of each window."""
    marked = np.zeros(rows, bool)
    for first, last in windows:
        marked[first : last + 1] = True
    return marked


def figure(rows: Counted, detected: np.ndarray) -> float:
    return 100 * gained(rows, detected).sum() / (2 * rows.windows.sum())


def slow_figure(marked: list[np.ndarray], detected: list[np.ndarray]) -> float:
    """The paper's sums row by row: sigmoid by place in the window, costs 1, 0.11 and 1, null at 0, perfect at 100."""
    raw, windows = 0.0, 0
    for truth, found in zip(marked, detected, strict=True):
        quiet, best, last, length = int(min(0.15 * len(truth), 750)), None, None, 0
        for row in range(len(truth)):
            if truth[row]:
                if row == 0 or not truth[row - 1]:
                    length = next((end for end in range(row, len(truth)) if not truth[end]), len(truth)) - row
                    begin, best = row, None
                if row >= quiet:
                    best = -1.0 if best is None else best
                    if found[row]:
                        place = -(begin + length - row) / length
                        best = max(best, (2 / (1 + math.exp(5 * place)) - 1) / (2 / (1 + math.exp(-5)) - 1))
                last = row
                if row + 1 == begin + length and best is not None:
                    raw, windows = raw + best, windows + 1
            elif found[row] and row >= quiet:
                place = 3.0 if last is None else (row - last) / max(length - 1, 1)
                raw += 0.11 * (-1.0 if place >= 3 else 2 / (1 + math.exp(5 * place)) - 1)
    return 100 * (raw + windows) / (2 * windows) if windows else math.nan


def test_detecting_nothing_is_0_and_the_first_row_of_every_window_100():
    """The two ends of the scale, which make figures of different files comparable."""
    rows = counted([series(400, (100, 139), (300, 319)), series(200, (150, 160)), series(300)])
    nothing = np.zeros(900, bool)
    perfect = nothing.copy()
    perfect[[100, 300, 550]] = True
    assert figure(rows, nothing) == 0
    assert figure(rows, perfect) == pytest.approx(100)
    assert sweep(rows, perfect.astype(float)).best() == pytest.approx((100, 1.0))


def test_a_late_detection_is_worth_less_and_a_second_one_nothing():
    """By hand: in the middle of 10 rows the sigmoid is at -0.5, at the last row at -0.1; all over that at -1."""
    rows = counted([series(100, (50, 59))])
    best = 2 / (1 + math.exp(-5)) - 1
    for row, place in ((50, -1.0), (55, -0.5), (59, -0.1)):
        worth = (2 / (1 + math.exp(5 * place)) - 1) / best
        for detected in ([row], [row, 59]):
            found = np.isin(np.arange(100), detected)
            assert figure(rows, found) == pytest.approx(100 * (worth + 1) / 2)


def test_a_false_alarm_costs_less_the_nearer_it_is_behind_a_window():
    """0.11 before the first window and three window lengths behind one; next to nothing just behind it."""
    rows = counted([series(200, (100, 109))])
    assert rows.worth[[40, 99]] == pytest.approx(-0.11)
    assert rows.worth[110] == pytest.approx(0.11 * (2 / (1 + math.exp(5 / 9)) - 1))
    assert rows.worth[[137, 199]] == pytest.approx(-0.11)
    assert (np.diff(rows.worth[110:137]) < 0).all()


def test_the_first_rows_count_neither_way():
    """A detector has to get to know a series: 15 % of it, and never more than 750 rows."""
    assert (probation(4_032), probation(5_000), probation(22_695)) == (604, 750, 750)
    rows = counted([series(1_000, (100, 149), (500, 549))])
    assert rows.windows.tolist() == [1]
    assert figure(rows, np.arange(1_000) < 150) == 0


def test_a_window_that_probation_cuts_is_counted_by_what_is_left_of_it():
    """Its first rows are lost, its later ones are worth what their place is worth."""
    rows = counted([series(1_000, (100, 199))])
    assert rows.windows.tolist() == [1]
    assert 0 < figure(rows, np.arange(1_000) == 150) < 100


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=60)
def test_the_counting_is_that_of_the_paper_and_the_optimiser_finds_the_best_threshold(seed: int):
    """Every threshold by hand, on drawn series with ties; sums of gains must not lose or double a window."""
    generator = np.random.default_rng(seed)
    marked = []
    for _ in range(3):
        rows = np.zeros(int(generator.integers(30, 120)), bool)
        for _ in range(int(generator.integers(0, 4))):
            begin = int(generator.integers(0, len(rows)))
            rows[begin : begin + int(generator.integers(1, 15))] = True
        marked.append(rows)
    scores = np.round(generator.random(sum(map(len, marked))), 1)
    rows, cuts = counted(marked), np.cumsum([len(each) for each in marked])[:-1]
    if not rows.windows.sum():
        assert np.isnan(sweep(rows, scores).best()[0])
        return
    by_threshold = {
        threshold: slow_figure(marked, np.split(scores >= threshold, cuts)) for threshold in (*np.unique(scores), np.inf)
    }
    for threshold, expected in by_threshold.items():
        assert figure(rows, scores >= threshold) == pytest.approx(expected, abs=1e-9)
    best, threshold = sweep(rows, scores).best()
    assert best == pytest.approx(max(by_threshold.values()), abs=1e-9)
    assert by_threshold[threshold] == pytest.approx(best, abs=1e-9)


def test_a_series_that_is_drawn_twice_counts_twice():
    """Intervals resample series with all their windows and alarms."""
    alone = counted([series(100, (50, 59)), series(80, (40, 49))])
    doubled = counted([series(100, (50, 59)), series(80, (40, 49)), series(80, (40, 49))])
    scores = np.random.default_rng(3).random(180)
    weighed = sweep(alone, scores).best(np.array([1.0, 2.0]))
    assert weighed == pytest.approx(sweep(doubled, np.append(scores, scores[100:])).best())


def test_only_the_chosen_series_count():
    """Thresholds for a group come from the other groups."""
    rows = counted([series(100, (50, 59)), series(100, (70, 79))])
    scores = np.zeros(200)
    scores[[50, 120]] = 1.0
    assert sweep(rows.of(np.array([0])), scores).best() == pytest.approx((100, 1.0))
    assert sweep(rows.of(np.array([1])), scores).best() == (0.0, np.inf)
