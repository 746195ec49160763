"""The first layer of every graph: what is imputed, transformed and clipped, and what it does to odd values."""

import numpy as np
import pytest
import torch

from scoring.catalog import views
from training.networks.preparation import CLIP, Preparation
from training.networks.step_preparation import StepPreparation
from training.scaling import baseline_quantiles, fit_scaling
from training.sides import upper_sides

pytestmark = pytest.mark.training


@pytest.fixture
def vectors() -> np.ndarray:
    """A normal, a heavy-tailed, a constant, a never-seen and a rarely-one column."""
    generator = np.random.default_rng(0)
    columns = [
        generator.normal(10, 2, 4_000),
        generator.lognormal(3, 1.5, 4_000),
        np.full(4_000, 3.0),
        np.full(4_000, np.nan),
        (generator.random(4_000) < 0.003).astype(float),
    ]
    return np.array(columns, np.float32).T


def test_heavy_tails_are_logged_and_features_that_never_varied_unused(vectors):
    """The logarithm is for amounts, not for everything; of what never varied nobody knows what is unusual."""
    scaling = fit_scaling(vectors)
    assert scaling.logged.tolist() == [False, True, False, False, False]
    assert scaling.used.tolist() == [True, True, False, False, True]
    assert (scaling.scale > 0).all()


def test_prepared_values_are_the_declared_formula(vectors):
    """Linear in a product form in the graph; here by the book, in float64."""
    scaling = fit_scaling(vectors)
    raw = vectors[:100].astype(np.float64)
    logged = np.sign(raw) * np.log1p(np.abs(raw) / scaling.unit)
    expected = (np.where(scaling.logged, logged, raw) - scaling.centre) / scaling.scale
    expected = np.where(scaling.used, np.clip(np.nan_to_num(expected), -CLIP, CLIP), 0.0)
    standard, present = Preparation(scaling)(torch.from_numpy(vectors[:100]))
    assert standard[:, :5].numpy() == pytest.approx(expected, abs=1e-4)
    assert present[:, :5].numpy().tolist() == np.tile(scaling.used.astype(float), (100, 1)).tolist()


def test_steps_are_prepared_as_single_vectors_are(vectors):
    """Two layouts of one formula: the same bits, so that a past vector is not another one than when it was new."""
    raw = torch.from_numpy(vectors[:320]).reshape(20, 16, 5)
    raw[0, 0] = torch.tensor([1e-38, -1e-30, 1e-31, float("inf"), -3e38])
    preparation = Preparation(fit_scaling(vectors))
    standard, present = StepPreparation(preparation, 16)(raw, torch.ones(20, 80))
    alone, seen = preparation(raw.flatten(0, 1))
    assert torch.equal(standard.flatten(0, 1), alone[:, :5])
    assert torch.equal(present.flatten(0, 1), seen[:, :5])


def test_steps_that_do_not_exist_are_all_zero(vectors):
    """Their place holds a copy of some other step."""
    exists = torch.ones(4, 80)
    exists[:, :40] = 0.0
    standard, present = StepPreparation(Preparation(fit_scaling(vectors)), 16)(
        torch.from_numpy(vectors[:64]).reshape(4, 16, 5), exists
    )
    assert not standard[:, :8].any() and not present[:, :8].any()
    assert present[:, 8:].any()


def test_missing_values_become_the_usual_value_with_mask_zero(vectors):
    """NaN must stop here; behind this layer every number is finite."""
    standard, present = Preparation(fit_scaling(vectors))(torch.full((1, 5), float("nan")))
    assert standard.abs().sum() == 0 and present.sum() == 0


@pytest.mark.parametrize("value", [1e30, -1e30, 3e38, float("inf"), -float("inf"), 0.0, 1e-38])
def test_huge_values_end_at_the_clip(vectors, value):
    """A wrong unit in one field must give a high score, not a NaN."""
    standard, _ = Preparation(fit_scaling(vectors))(torch.full((1, 5), value))
    assert torch.isfinite(standard).all() and standard.abs().max() <= CLIP


def test_the_padded_width_is_a_multiple_of_sixteen(vectors):
    """Other widths make onnxruntime's products depend on the batch (DESIGN, section 8)."""
    preparation = Preparation(fit_scaling(vectors))
    assert preparation.width == 16
    standard, present = preparation(torch.from_numpy(vectors[:3]))
    assert standard.shape == present.shape == (3, 16)
    assert present[:, 5:].sum() == 0


def test_baseline_quantiles_are_null_where_nothing_is_known(vectors):
    """Reasons and drift must not compare with a made-up zero."""
    rows = baseline_quantiles(vectors)
    assert rows[3] == (None,) * 7
    assert rows[2] == (3.0,) * 7


def test_counts_and_amounts_speak_upwards_and_returns_both_ways():
    """Only risk is surprise: a quiet account is none, a crash and a jump both are."""
    account, symbol = views()["account_activity"], views()["symbol_activity"]
    upper = dict(zip(account.feature_names, upper_sides(account), strict=True))
    assert upper["count_1h"] and upper["charge_zscore_30d"] and upper["country_unseen_30d"]
    assert not upper["hour_sine"] and not upper["amount"] and not upper["seconds_since_last"]
    upper = dict(zip(symbol.feature_names, upper_sides(symbol), strict=True))
    assert not upper["log_return"] and not upper["log_return_zscore_30d"]
    assert upper["realised_volatility_30d"] and upper["ewma_volatility"]
