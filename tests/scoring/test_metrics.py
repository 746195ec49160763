"""Figures equal scikit-learn's, and their intervals know that events of one entity are alike."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, precision_recall_fscore_support, roc_auc_score

from scoring.metrics import Estimate, Ranking, bootstrap, decisions, labelled_figures, squared_errors

pytestmark = pytest.mark.training


@pytest.mark.parametrize("seed", range(5))
def test_ranking_figures_equal_scikit_learn_with_weights_and_ties(seed):
    """Ours sorts once for 200 resamples; it must still be the textbook figure."""
    generator = np.random.default_rng(seed)
    scores, labels = generator.integers(0, 12, 300) / 12, generator.integers(0, 2, 300)
    weights = generator.integers(0, 3, 300).astype(float)
    ranking = Ranking(scores, labels)
    assert ranking.auc(weights) == pytest.approx(roc_auc_score(labels, scores, sample_weight=weights))
    expected = average_precision_score(labels, scores, sample_weight=weights)
    assert ranking.average_precision(weights) == pytest.approx(expected)


def test_decision_figures_equal_scikit_learn():
    """Accuracy, precision, recall and F1 at a threshold."""
    generator = np.random.default_rng(1)
    flagged, labels = generator.random(200) > 0.7, generator.integers(0, 2, 200)
    found = decisions(flagged, labels, np.ones(200))
    precision, recall, f1, _ = precision_recall_fscore_support(labels, flagged, average="binary")
    assert [found["precision"], found["recall"], found["f1"]] == pytest.approx([precision, recall, f1])
    assert found["accuracy"] == pytest.approx((flagged == labels).mean())


def test_undefined_figures_are_nan_and_travel_as_null():
    """No positives is not a recall of zero."""
    nothing = np.zeros(4, int)
    assert np.isnan(Ranking(np.arange(4.0), nothing).auc(np.ones(4)))
    assert np.isnan(Ranking(np.arange(4.0), nothing).average_precision(np.ones(4)))
    assert np.isnan(decisions(nothing > 0, nothing, np.ones(4))["precision"])
    assert Estimate(float("nan"), 0.5, 1.0).rounded() == [None, 0.5, 1.0]


def test_intervals_are_wider_when_few_entities_hold_the_events():
    """A thousand events of ten accounts are closer to ten observations than to a thousand."""
    generator = np.random.default_rng(2)
    habit = generator.normal(size=10)
    entity = np.repeat(np.arange(10), 100)
    values = habit[entity] + 0.1 * generator.normal(size=1_000)
    mean, root = squared_errors(values**2)
    together = bootstrap(mean, entity, seed=0)
    singly = bootstrap(mean, np.arange(1_000), seed=0)
    assert together.high - together.low > 2 * (singly.high - singly.low)
    assert together.low <= together.value <= together.high
    assert bootstrap(root, entity, seed=0).value == pytest.approx(np.sqrt(together.value))


def test_the_same_seed_gives_the_same_interval():
    """Manifests hold intervals; their digest must not change from run to run."""
    generator = np.random.default_rng(3)
    scores, labels, entity = (
        generator.random(300),
        generator.integers(0, 2, 300),
        generator.integers(0, 30, 300),
    )
    first = labelled_figures(scores, labels, entity, threshold=0.9, seed=5)
    assert first == labelled_figures(scores, labels, entity, threshold=0.9, seed=5)
    assert set(first) == {"auc", "average_precision", "accuracy", "precision", "recall", "f1"}
