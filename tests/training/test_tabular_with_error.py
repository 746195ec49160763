"""The ensemble that is told of an autoencoder's error: it learns from labels, the autoencoder does not."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest
import torch

from scoring.catalog import scorers
from scoring.metrics import Ranking
from scoring.model.rows import Rows
from training.dataset import Dataset
from training.loop import seed_everything
from training.making import part_of
from training.telling_edges import telling_edges
from training.trainer import Trained, trainer_named

pytestmark = pytest.mark.training

SCORER = scorers()["payment_anomaly"]
TRAINER = trainer_named("tabular_with_error")
ROWS = np.arange(3_000)


def drawn() -> Dataset:
    """Vectors of which two columns agree; label 1 where the first or the third is far above usual."""
    generator = np.random.default_rng(6)
    vectors = generator.normal(size=(len(ROWS), len(SCORER.view.feature_names))).astype(np.float32)
    vectors[:, 8:] *= 0.01
    vectors[:, 1] = vectors[:, 0]
    labels = (vectors[:, 0] > 1.7) | (vectors[:, 2] > 1.7)
    return Dataset(
        rows=Rows(vectors), occurred_at_ms=ROWS, entity=ROWS % 50, labels=labels.astype(np.int8), entities=50, skipped=0
    )


def fitted(dataset: Dataset) -> Trained:
    """The model of the first two thousand rows."""
    config = msgspec.structs.replace(TRAINER.defaults, seed=7, epochs=6, batch_rows=128)
    seed_everything(7)
    part = part_of(dataset, ROWS[:1_600], ROWS[1_600:2_000], TRAINER, config)
    return TRAINER.fit(SCORER.view, part, config, lambda *_: None)


def test_labels_are_found_and_shuffled_ones_leave_the_autoencoder_as_it_was():
    """The autoencoder sees no label: whatever they are, its weights are the same."""
    dataset = drawn()
    assert dataset.labels is not None
    shuffled = replace(dataset, labels=np.random.default_rng(1).permutation(dataset.labels))
    models = [fitted(each).model for each in (dataset, shuffled)]
    tested = ROWS[2_000:]
    areas = [
        Ranking(model.scores(each.rows.take(tested)), each.labels[tested]).auc(np.ones(len(tested)))
        for model, each in zip(models, (dataset, shuffled), strict=True)
    ]
    assert areas[0] > 0.8
    assert abs(areas[1] - 0.5) < 0.15
    first, second = (model.module.preparation.autoencoder.state_dict() for model in models)
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_contributions_sum_to_the_surprise_over_that_of_usual_values():
    """The error is no feature: what it adds belongs to the features it comes from."""
    model, rows = fitted(drawn()).model, drawn().rows.take(ROWS[2_000:2_050])
    parts = model.contributions(rows)
    assert parts is not None
    base = -np.log1p(-model.scores(rows).astype(np.float64)) - parts.sum(axis=1)
    assert base.max() - base.min() < 1e-4


def test_a_rare_value_that_tells_gets_a_bend_of_its_own():
    """Quantiles would put one at each sixteenth of the rows, and none among the few that matter."""
    generator = np.random.default_rng(2)
    values = torch.from_numpy(generator.normal(size=(4_000, 16)).astype(np.float32))
    truth = (values[:, 0] > 2.0).to(torch.float32)
    edges = telling_edges(values, torch.ones_like(values), truth, 8)
    assert edges.shape == (16, 9)
    assert (edges[:, 1:] >= edges[:, :-1]).all()
    assert (edges[0] - 2.0).abs().min() < 0.05
