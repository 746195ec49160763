"""Classifiers that explain themselves: by their own graph, in shares that add up, through the feature that moves them."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest
import torch

from scoring.catalog import scorers
from scoring.model.rows import Rows
from tests.training.test_quotients import labelled
from training.classical import ClassifierModel
from training.dataset import Dataset
from training.export import check_parity
from training.loop import seed_everything
from training.making import Made, Origin, make_bundle, part_of, split_of
from training.networks.classifier_ablation import ClassifierAblation
from training.trainer import Model, trainer_named

pytestmark = pytest.mark.training

SCORER = scorers()["company_default"]
EXPLAINED = ("boosting", "boosting_quotients", "logistic")
DECIDING = (2, 7)
"""Columns whose quotient makes the labels of `labelled`."""


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    """Companies of which two columns decide, some values missing."""
    return labelled(900)


@pytest.fixture(scope="module", params=EXPLAINED)
def made(request, dataset: Dataset, tmp_path_factory) -> tuple[Made, Model, Rows]:
    """A bundle of each classifier, the model it is of, and rows of its test part."""
    trainer = trainer_named(request.param)
    config = msgspec.structs.replace(trainer.defaults, watch=0.3, alert=0.5)
    folder = tmp_path_factory.mktemp(request.param)
    bundle = make_bundle(
        SCORER, dataset, Origin(("drawn",), "made up"), config, lambda *_: None, folder, trainer_name=request.param
    )
    split = split_of(dataset, replace(SCORER, trainer=request.param), config)
    seed_everything(config.seed)
    part = part_of(dataset, split.train, split.validation, trainer, config)
    model = trainer.fit(SCORER.view, part, config, lambda *_: None).model
    return bundle, model, dataset.rows.take(split.test)


def surprise(made: Made, rows: Rows) -> np.ndarray:
    """Minus the logarithm of one minus the score, float64[n]."""
    return -np.log1p(-made.bundle.session.run(rows.features).astype(np.float64))


def test_the_bundle_explains_by_the_model_whatever_stands_beside_a_row(made):
    """Shares that depended on the batch would make replay differ from live; a champion has to explain itself."""
    bundle, model, rows = made
    session = bundle.bundle.session
    assert session.explains and session.batch_invariant
    assert check_parity(model, session, bundle.bundle.manifest, rows) <= 1e-5
    assert bundle.bundle.manifest.contributions is not None


def test_shares_sum_to_the_surprise_over_that_of_usual_values(made):
    """What the manifest promises; of what is missing nothing is said."""
    bundle, model, rows = made
    assert isinstance(model, ClassifierModel) and model.ablation is not None
    usual = model.ablation.ablation.usual.numpy()
    shares = bundle.bundle.session.explain(rows.features).astype(np.float64)
    base = Rows(np.where(np.isnan(rows.features), rows.features, usual).astype(np.float32))
    said = surprise(bundle, rows)
    held = said < 10  # beyond, float32 has too few digits for one minus the score
    assert held.mean() > 0.8
    assert shares.sum(axis=1)[held] == pytest.approx((said - surprise(bundle, base))[held], abs=2e-4, rel=2e-4)
    assert (shares[np.isnan(rows.features)] == 0).all()


@pytest.mark.parametrize("made", ["boosting_quotients"], indirect=True)
def test_the_columns_that_decide_are_the_reasons_of_the_likeliest(made):
    """A refusal that names a column of noise would be wrong, and nobody would see it in a figure of the score."""
    bundle, _, rows = made
    session = bundle.bundle.session
    likely = rows.take(np.flatnonzero(session.run(rows.features) > 0.8))
    assert len(likely) > 10
    assert np.isin(session.explain(likely.features).argmax(axis=1), DECIDING).mean() > 0.9


def test_a_group_speaks_through_what_moves_the_row_its_way_and_not_through_what_is_far_from_usual():
    """A tree moves in steps: the farther of two values may change nothing, or speak against the reason it stands for."""
    ablation = ClassifierAblation([np.array([0, 1, 2]), np.array([3])], np.zeros(4, np.float32))
    raw = torch.tensor([[90.0, 2.0, 1.0, 1.0]])
    asked = ablation.asked(raw)  # the second value adds 3, the third takes 1 away, the first does nothing
    odds = 3.0 * (asked[:, 1] > 1.5) - 1.0 * (asked[:, 2] > 0.5) + 0.5 * (asked[:, 3] > 0.5) - 2.0
    shares = ablation.contributions(odds[None], raw)[0]
    assert shares[0] == shares[2] == 0
    assert shares[1] > shares[3] > 0


def test_of_what_moves_nothing_alone_all_share():
    """Two values that only move a row together are both its reason."""
    ablation = ClassifierAblation([np.array([0, 1])], np.zeros(2, np.float32))
    raw = torch.tensor([[1.0, 1.0]])
    odds = 2.0 * (ablation.asked(raw).sum(dim=1) > 0.5)
    shares = ablation.contributions(odds[None], raw)[0]
    assert shares[0] == shares[1] > 0.5
