"""Plain rivals say what their description says."""

import math

import numpy as np
import pytest

from training.series import rules
from training.series.rules import Table, record, windowed_gaussian

pytestmark = pytest.mark.training


def table(values: np.ndarray, vectors: np.ndarray, names: tuple[str, ...] = ()) -> Table:
    return Table(values, np.zeros(len(values), np.int64), vectors.astype(np.float32), names, ("a/b",))


def test_the_gaussian_compares_with_the_readings_before_and_moves_on_in_steps(monkeypatch: pytest.MonkeyPatch):
    """The benchmark's own baseline, read slowly: a reading never judges itself, and the window moves 4 rows at a time."""
    monkeypatch.setattr(rules, "WINDOW_ROWS", 20)
    monkeypatch.setattr(rules, "STEP_ROWS", 4)
    values = np.random.default_rng(2).normal(0, 1, 90)
    window, waiting, expected = [], [], []
    for value in values:
        away = abs(value - np.mean(window)) / (np.std(window) or 1e-6) if window else 0.0
        expected.append(1 - 0.5 * math.erfc(away / math.sqrt(2)) if window else 0.0)
        if len(window) < 20:
            window.append(value)
        else:
            waiting.append(value)
            if len(waiting) == 4:
                window, waiting = window[4:] + waiting, []
    assert windowed_gaussian(table(values, np.zeros((90, 0)))) == pytest.approx(np.array(expected), abs=1e-12)


def test_a_record_is_the_farthest_of_value_change_and_level():
    """A rule that every network has to beat; a missing feature is no record."""
    names = ("value_beyond_3d", "change_beyond_3d", "level_beyond_3d")
    vectors = np.array([[0.5, 2.0, 1.0], [np.nan, np.nan, np.nan], [3.0, 0.0, np.nan]])
    assert record(table(np.zeros(3), vectors, names)).tolist() == [2.0, 0.0, 3.0]
