"""Figures against the definitions of others."""

import numpy as np
import pytest
from scipy.stats import ks_2samp
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from training.protocols.figures import METRICS, Fold

ROWS = 2_000
DAY_MS = 86_400_000


def drawn(seed: int = 5) -> tuple[Fold, np.ndarray]:
    """Truth, and scores that know something of it, with ties."""
    generator = np.random.default_rng(seed)
    scores = np.round(generator.beta(1, 4, ROWS), 2)
    truth = (generator.random(ROWS) < scores**1.3).astype(np.float64)
    entity = generator.integers(0, 300, ROWS)
    return Fold(truth, entity, entity, np.sort(generator.integers(0, 5 * DAY_MS, ROWS))), scores


@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("auc", roc_auc_score),
        ("average_precision", average_precision_score),
        ("brier", brier_score_loss),
        ("ks", lambda truth, scores: ks_2samp(scores[truth == 1], scores[truth == 0]).statistic),
    ],
)
def test_a_figure_is_the_one_others_mean_by_its_name(name, theirs):
    """A metric of our own making under a known name would be compared with figures of papers."""
    fold, scores = drawn()
    assert METRICS[name].prepare(fold, scores)(np.ones(ROWS)) == pytest.approx(theirs(fold.truth, scores), abs=1e-9)


@pytest.mark.parametrize("name", ["auc", "average_precision", "brier", "ks", "slope"])
def test_a_weight_of_two_is_a_row_that_is_there_twice(name):
    """Resampling counts rows by weights: a row drawn twice must count as two rows."""
    fold, scores = drawn()
    times = np.random.default_rng(1).integers(0, 3, ROWS)
    rows = np.repeat(np.arange(ROWS), times)
    repeated = Fold(fold.truth[rows], fold.unit[rows], fold.entity[rows], fold.occurred_at_ms[rows])
    by_weight = METRICS[name].prepare(fold, scores)(times.astype(np.float64))
    by_rows = METRICS[name].prepare(repeated, scores[rows])(np.ones(len(rows)))
    assert by_weight == pytest.approx(by_rows, abs=1e-9)


def test_the_calibration_slope_is_that_of_a_logistic_regression():
    """1 for probabilities that mean what they say, below 1 for overconfident ones."""
    fold, scores = drawn()
    bounded = np.clip(scores, 1e-6, 1 - 1e-6)
    odds = np.log(bounded / (1 - bounded))[:, None]
    expected = LogisticRegression(C=1e12, tol=1e-10, max_iter=1_000).fit(odds, fold.truth).coef_[0, 0]
    assert METRICS["slope"].prepare(fold, scores)(np.ones(ROWS)) == pytest.approx(expected, rel=1e-4)


def test_scores_that_nearly_part_the_classes_have_a_slope_too():
    """A plain Newton's step from far away leads farther away, and the best model's card would lack its calibration."""
    odds = np.concatenate([np.linspace(-11, -5, 341), np.linspace(-7, 5, 19)])
    truth, unit = (np.arange(360) >= 341).astype(np.float64), np.arange(360)
    expected = LogisticRegression(C=1e12, tol=1e-10, max_iter=5_000).fit(odds[:, None], truth).coef_[0, 0]
    found = METRICS["slope"].prepare(Fold(truth, unit, unit, unit), 1 / (1 + np.exp(-odds)))
    assert found(np.ones(360)) == pytest.approx(expected, rel=1e-4)


def test_classes_wholly_parted_have_no_slope():
    """Any larger slope would be likelier still."""
    truth, unit = np.repeat([0.0, 1.0], 50), np.arange(100)
    scores = np.linspace(0.01, 0.99, 100)
    assert np.isnan(METRICS["slope"].prepare(Fold(truth, unit, unit, unit), scores)(np.ones(100)))


def test_a_perfect_ranking_reaches_all_of_the_best_card_precision():
    """And one that is upside down nearly nothing of it."""
    generator = np.random.default_rng(2)
    entity = np.arange(6_000) % 3_000
    truth = (entity % 100 == 0).astype(np.float64)
    fold = Fold(truth, entity, entity, np.sort(generator.integers(0, 2 * DAY_MS, 6_000)))
    figure = METRICS["card_precision_100_of_best"]
    assert figure.prepare(fold, truth)(np.ones(6_000)) == pytest.approx(1.0)
    assert figure.prepare(fold, -truth)(np.ones(6_000)) == pytest.approx(0.0)


def test_a_card_that_was_found_is_not_found_again_the_next_day():
    """Otherwise one card that is struck on every day would fill the day's hundred for ever."""
    days = np.repeat([0, 1], 200)
    entity, truth = np.tile(np.arange(200), 2), np.tile((np.arange(200) < 50).astype(float), 2)
    fold = Fold(truth, entity, entity, days * DAY_MS)
    figure = METRICS["card_precision_100"].prepare(fold, truth)
    assert figure(np.ones(400)) == pytest.approx((0.5 + 0.0) / 2)
