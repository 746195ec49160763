"""The isolation forest as a bundle: its graph says what scikit-learn says, and it never sees a label."""

import msgspec
import numpy as np
import pytest

from scoring.catalog import scorers
from scoring.metrics import Ranking
from scoring.model.rows import Rows
from training.dataset import Dataset
from training.errors import TrainingRefused
from training.making import part_of
from training.protocols.rivals import scores_by, session_of
from training.trainer import trainer_named

pytestmark = pytest.mark.training

SCORER = scorers()["payment_anomaly"]
TRAINER = trainer_named("isolation_forest")
ROWS = np.arange(2_000)


def drawn() -> Dataset:
    """Vectors with missing values, an empty and a constant column; each tenth lies far out in eight columns."""
    generator = np.random.default_rng(4)
    vectors = generator.normal(size=(len(ROWS), len(SCORER.view.feature_names))).astype(np.float32)
    labels = (ROWS % 10 == 0).astype(np.int8)
    vectors[labels == 1, :8] += 6.0
    vectors[generator.random(vectors.shape) < 0.1] = np.nan
    vectors[:, 5], vectors[:, 7] = np.nan, 2.0
    return Dataset(
        rows=Rows(vectors), occurred_at_ms=ROWS, entity=ROWS % 50, labels=labels, entities=50, skipped=0
    )


def test_the_graph_of_the_forest_says_what_scikit_learn_says():
    """What is judged by a protocol is what a worker would publish."""
    dataset, train, validation = drawn(), ROWS[:1_500], ROWS[1_500:]
    config = msgspec.structs.replace(TRAINER.defaults, seed=7)
    part = part_of(dataset, train, validation, TRAINER, config)
    assert part.train_labels is None
    model = TRAINER.fit(SCORER.view, part, config, lambda *_: None).model
    session = session_of(SCORER, "isolation_forest", dataset, train=train, validation=validation, seed=7)
    assert np.abs(scores_by(session, part.validation) - model.scores(part.validation)).max() <= 2e-6
    assert session.batch_invariant


def test_what_lies_far_out_is_isolated_soon():
    """Above all usual rows, within (0, 1)."""
    dataset, train, validation = drawn(), ROWS[:1_500], ROWS[1_500:]
    session = session_of(SCORER, "isolation_forest", dataset, train=train, validation=validation, seed=7)
    scores = scores_by(session, dataset.rows.take(validation))
    assert dataset.labels is not None
    assert Ranking(scores, dataset.labels[validation]).auc(np.ones(len(scores))) > 0.9
    assert scores.min() > 0 and scores.max() < 1


def test_a_table_in_which_nothing_varies_is_refused():
    """No cut isolates anything there."""
    dataset = drawn()
    dataset.rows.features[:] = 1.0
    with pytest.raises(TrainingRefused, match="no feature varies"):
        session_of(SCORER, "isolation_forest", dataset, train=ROWS[:1_500], validation=ROWS[1_500:], seed=7)
