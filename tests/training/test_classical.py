"""Baselines as bundles: their graphs say what scikit-learn says, whatever is missing or beside it in the batch."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from scoring.catalog import scorers
from scoring.metrics import Ranking
from scoring.model.rows import Rows
from training.classical import ClassifierModel
from training.dataset import Dataset
from training.errors import TrainingRefused
from training.making import part_of
from training.protocols.rivals import scores_by, session_of
from training.trainer import trainer_named

pytestmark = pytest.mark.training

BASELINES = ("logistic", "random_forest", "boosting", "boosting_quotients")
SCORER = scorers()["payment_anomaly"]
FEATURES = len(SCORER.view.feature_names)


def labelled(rows: int, *, seed: int = 3) -> Dataset:
    """Drawn vectors with missing values, an empty and a constant column; label 1 where two columns are large."""
    generator = np.random.default_rng(seed)
    vectors = generator.lognormal(size=(rows, FEATURES)).astype(np.float32)
    labels = (vectors[:, 0] * vectors[:, 1] > 3).astype(np.int8)
    vectors[generator.random(vectors.shape) < 0.1] = np.nan
    vectors[:, 5], vectors[:, 7] = np.nan, 2.0
    return Dataset(
        rows=Rows(vectors), occurred_at_ms=np.arange(rows), entity=np.arange(rows) % 50, labels=labels, entities=50,
        skipped=0,
    )  # fmt: skip


@pytest.mark.parametrize("name", BASELINES)
def test_the_graph_says_what_scikit_learn_says(name):
    """A baseline that loses something on its way to ONNX would be beaten for the wrong reason."""
    dataset, rows = labelled(3_000), np.arange(3_000)
    train, validation = rows[:2_000], rows[2_000:]
    part = trainer_named(name).fit(SCORER.view, *fit_arguments(dataset, train, validation, name))
    assert isinstance(part.model, ClassifierModel)
    session = session_of(SCORER, name, dataset, train=train, validation=validation, seed=7)
    given = dataset.rows.take(validation)
    assert np.abs(scores_by(session, given) - part.model.scores(given)).max() <= 2e-6
    assert session.batch_invariant


def fit_arguments(dataset: Dataset, train: np.ndarray, validation: np.ndarray, name: str) -> tuple:
    """A part with its configuration and a report that says nothing."""
    trainer = trainer_named(name)
    config = msgspec.structs.replace(trainer.defaults, seed=7)
    return part_of(dataset, train, validation, trainer, config), config, lambda *_: None


@pytest.mark.parametrize("name", BASELINES)
def test_labels_it_learned_from_are_found_and_shuffled_ones_are_not(name):
    """A figure that stays when labels are shuffled comes from a leak."""
    dataset, rows = labelled(4_000), np.arange(4_000)
    areas = []
    for labels in (dataset.labels, np.random.default_rng(1).permutation(dataset.labels)):
        session = session_of(
            SCORER, name, replace(dataset, labels=labels), train=rows[:2_500], validation=rows[2_500:3_000], seed=7
        )
        scores = scores_by(session, dataset.rows.take(rows[3_000:]))
        areas.append(Ranking(scores, dataset.labels[3_000:]).auc(np.ones(1_000)))
    assert areas[0] > 0.8
    assert abs(areas[1] - 0.5) < 0.1


def test_without_labels_it_says_what_is_missing():
    """Whoever forgets the mapping reads what to give."""
    dataset, rows = replace(labelled(200), labels=None), np.arange(200)
    with pytest.raises(TrainingRefused, match="mapping with `label`"):
        session_of(SCORER, "boosting", dataset, train=rows[:150], validation=rows[150:], seed=7)


def test_one_class_alone_is_refused_with_the_counts():
    """A classifier of one class would say the same of everything, without a word."""
    dataset, rows = replace(labelled(200), labels=np.zeros(200, np.int8)), np.arange(200)
    with pytest.raises(TrainingRefused, match="train part has 0 of label 1 and 150 of label 0"):
        session_of(SCORER, "logistic", dataset, train=rows[:150], validation=rows[150:], seed=7)
