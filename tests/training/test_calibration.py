"""A score is one minus a p-value, and keeps order where nothing was ever observed."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as some

from training.calibrate import (
    MOST_MINUS_LOG_P,
    calibration_points,
    fit_excess_tail,
    fit_feature_tail,
    set_calibration,
    set_feature_tails,
)
from training.networks.calibration import Calibration
from training.networks.tail import MOST_NATS, TailSurprise

pytestmark = pytest.mark.training


def calibrated(totals: np.ndarray) -> Calibration:
    """A calibration fitted to these totals, of 48 features."""
    calibration = Calibration()
    set_calibration(calibration, totals.astype(np.float32), 48)
    return calibration


@pytest.mark.parametrize("kind", ["exponential", "lognormal", "uniform", "with ties"])
def test_new_scores_of_the_same_kind_of_events_are_uniform(kind):
    """A score of 0.99 means that one usual event in a hundred is as surprising."""
    generator = np.random.default_rng(0)
    draw = {
        "exponential": lambda n: generator.exponential(3.0, n),
        "lognormal": lambda n: generator.lognormal(1.0, 0.5, n),
        "uniform": lambda n: generator.uniform(2.0, 5.0, n),
        "with ties": lambda n: np.round(generator.exponential(3.0, n), 1),
    }[kind]
    calibration = calibrated(draw(20_000))
    scores = calibration(torch.from_numpy(draw(40_000).astype(np.float32))).numpy()
    for level in (0.5, 0.9, 0.98, 0.99, 0.995):
        assert (scores > level).mean() == pytest.approx(1 - level, rel=0.25, abs=0.0005)


def test_totals_beyond_all_observed_keep_their_order_at_six_decimals():
    """Two anomalies never seen before must not both read 1.000000."""
    generator = np.random.default_rng(1)
    observed = generator.exponential(2.0, 5_000)
    beyond = torch.linspace(float(observed.max()), MOST_NATS * 48 ** (1 / 3), 10)
    scores = calibrated(observed)(beyond).numpy().round(6)
    assert (np.diff(scores) > 0).all()
    assert scores.max() < 1.0


@given(some.lists(some.floats(0, 80, width=32), min_size=2, max_size=50))
def test_a_larger_total_never_scores_less(values):
    """Rounding in the graph must not turn the ranking around."""
    ordered = torch.tensor(sorted(values), dtype=torch.float32)
    scores = calibrated(np.random.default_rng(2).lognormal(1.0, 0.6, 2_000))(ordered).numpy()
    assert (np.diff(scores) >= 0).all()
    assert ((scores >= 0) & (scores <= 1)).all()


@pytest.mark.parametrize("totals", [np.zeros(100), np.ones(60), np.arange(51.0)])
def test_degenerate_totals_still_give_scores_in_range(totals):
    """A constant series calibrates to something usable, not to NaN."""
    x, u = calibration_points(np.sort(totals), 70.0)
    assert (np.diff(x) > 0).all() and (np.diff(u) >= 0).all() and u[-1] <= MOST_MINUS_LOG_P + 1e-6
    scores = calibrated(totals)(torch.tensor([0.0, 1.0, 1e6])).numpy()
    assert np.isfinite(scores).all() and ((scores >= 0) & (scores <= 1)).all()


@pytest.mark.parametrize("shape", [0.1, 0.5, 1.0])
def test_fitted_tails_recover_the_one_the_values_were_drawn_from(shape):
    """Drawn by the inverse of the generalised Pareto distribution; judged by probabilities, not parameters."""
    uniform = np.random.default_rng(3).uniform(size=50_000)
    values = ((1 - uniform) ** -shape - 1) / shape
    for fit in (fit_feature_tail, fit_excess_tail):
        found = fit(values)
        for probability in (0.1, 0.01, 0.001):
            at = np.quantile(values, 1 - probability)
            assert found.minus_log_p(np.array([at]))[0] == pytest.approx(-np.log(probability), rel=0.1)


def test_only_the_risky_side_of_a_feature_surprises():
    """Fewer payments than usual are no risk; a price may move either way."""
    tail = TailSurprise(torch.tensor([True, False]))
    error = torch.randn(4_000, 2, generator=torch.Generator().manual_seed(0))
    set_feature_tails(tail, error, torch.ones_like(error))
    nats = tail(torch.tensor([[-5.0, -5.0], [5.0, 5.0]]), torch.ones(2, 2))
    assert nats[0, 0] == 0
    assert nats[0, 1] > 4 and nats[1].min() > 4


def test_a_missing_or_hardly_known_feature_never_surprises():
    """Absent fields must not raise alerts, and five errors are no distribution."""
    tail = TailSurprise(torch.tensor([False, False]))
    error = torch.randn(1_000, 2, generator=torch.Generator().manual_seed(0))
    present = torch.ones_like(error)
    present[5:, 1] = 0
    set_feature_tails(tail, error, present)
    nats = tail(torch.full((1, 2), 9.0), torch.tensor([[0.0, 1.0]]))
    assert nats.tolist() == [[0.0, 0.0]]
