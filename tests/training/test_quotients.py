"""Quotients of features: those that tell are found, and a network that reads them says the same as its graph."""

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
from training.making import Origin, make_bundle, part_of
from training.networks.preparation import Preparation
from training.networks.quotient_preparation import QuotientPreparation
from training.quotients import likelihood, quotients, telling_pairs
from training.scaling import fit_scaling
from training.trainer import trainer_named

pytestmark = pytest.mark.training

SCORER = scorers()["company_default"]
FEATURES = len(SCORER.view.feature_names)
TRAINER = trainer_named("tabular_quotients")
QUICK = msgspec.structs.replace(TRAINER.defaults, epochs=8, batch_rows=64, widths=(32, 32))


def labelled(rows: int) -> Dataset:
    """Heavy-tailed columns up to 1e15, some missing; label 1 where the third is over nine tenths of the eighth."""
    generator = np.random.default_rng(4)
    vectors = np.exp(2 * generator.normal(size=(rows, FEATURES))).astype(np.float32)
    vectors[:, 7] = vectors[:, 2] * np.exp(generator.normal(size=rows)).astype(np.float32)
    labels = (vectors[:, 2] > 2 * vectors[:, 7]).astype(np.int8)
    vectors[::97, 11] = 1e15
    vectors[generator.random(vectors.shape) < 0.02] = np.nan
    vectors[::50, 12] = 0.0
    return Dataset(
        rows=Rows(vectors), occurred_at_ms=1_000_000_000_000 + 86_400_000 * np.arange(rows), entity=np.arange(rows),
        labels=labels, entities=rows, skipped=0,
    )  # fmt: skip


def test_the_pair_that_tells_is_found_first_and_without_the_test_rows():
    """Neither column says anything alone; pairs are chosen from the rows that are given, and from nothing else."""
    dataset = labelled(2_000)
    assert dataset.labels is not None
    assert telling_pairs(dataset.rows.features, dataset.labels, 16)[0].tolist() == [2, 7]
    assert telling_pairs(dataset.rows.features, dataset.labels, 0).shape == (0, 2)


def test_the_measure_is_the_likelihood_of_a_table_of_bins():
    """A column that tells everything leaves little to guess, one that tells nothing all of it."""
    truth = np.repeat([0.0, 1.0], 500)
    whole = float(len(truth) * np.log(0.5))
    assert likelihood(truth.astype(np.float32), truth) > 0.02 * whole
    assert likelihood(np.tile([1.0, 2.0], 500).astype(np.float32), truth) == pytest.approx(whole, rel=0.01)
    assert likelihood(np.full(1_000, np.nan, np.float32), truth) == -np.inf


def test_what_cannot_be_divided_is_missing():
    """0 over 0, anything over 0, and what is missing; a graph must not carry infinities on."""
    rows = np.array([[1, 2], [1, 0], [0, 0], [np.nan, 1], [1e20, 1e-20]], np.float32)
    found = quotients(rows, np.array([[0, 1]]))[:, 0]
    assert found[0] == 0.5 and np.isnan(found[1:]).all()
    pairs = np.array([[0, 1]] * 16)
    preparation = QuotientPreparation(Preparation(fit_scaling(np.tile(rows, (9, 1)))), pairs, rows[:1])
    standard, present = preparation(torch.from_numpy(rows))
    assert torch.isfinite(standard).all() and present[:, 16].tolist() == [1, 0, 0, 0, 0]


def area_of(name: str, dataset: Dataset) -> float:
    """Area under the curve on a thousand rows that a trainer has not seen."""
    rows, trainer = np.arange(2_500), trainer_named(name)
    assert dataset.labels is not None
    seed_everything(7)
    part = part_of(dataset, rows[:1_200], rows[1_200:1_500], trainer, QUICK)
    scores = trainer.fit(SCORER.view, part, QUICK, lambda *_: None).model.scores(dataset.rows.take(rows[1_500:]))
    return Ranking(scores.astype(np.float64), dataset.labels[1_500:]).auc(np.ones(1_000))


def test_a_network_of_quotients_finds_what_they_tell_and_nothing_in_shuffled_labels():
    """One over single columns has to learn the quotient from few rows; this one is told of it. Pairs chosen by labels
    of rows that are tested would find something where there is nothing."""
    dataset = labelled(2_500)
    assert area_of("tabular_quotients", dataset) > area_of("tabular", dataset) + 0.1
    shuffled = replace(dataset, labels=np.random.default_rng(1).permutation(dataset.labels))
    assert abs(area_of("tabular_quotients", shuffled) - 0.5) < 0.1


def test_its_bundle_says_what_the_model_says_in_every_batch(tmp_path):
    """Ratios up to 1e15 and denominators of 0 are where torch and onnxruntime would part ways."""
    made = make_bundle(
        SCORER, labelled(2_000), Origin(("drawn",), "made up"), msgspec.structs.replace(QUICK, epochs=3), lambda *_: None,
        tmp_path,
    )  # fmt: skip
    assert made.bundle.session.batch_invariant and made.bundle.session.explains
    assert made.bundle.manifest.metrics["parity"] <= 1e-5
