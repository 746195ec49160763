"""The tests of forecasts have the size they claim, and the losses are smallest for the truth."""

import numpy as np
import pytest
from scipy.stats import norm

from training.market.losses import coverage, joint_loss, mean_test, quasi_likelihood, second_statistic, zones

pytestmark = pytest.mark.training

DAYS, RUNS = 1_500, 600


def true_pair(level: float) -> tuple[float, float]:
    """Quantile and mean below it of a standard normal return."""
    quantile = float(norm.ppf(1 - level))
    return quantile, -float(norm.pdf(quantile)) / (1 - level)


@pytest.mark.parametrize("level", [0.95, 0.99])
def test_right_forecasts_fail_the_coverage_tests_as_often_as_the_level_says(level):
    """Of independent violations at the right rate one test in twenty fails, within what 600 runs can show."""
    generator = np.random.default_rng(1)
    found = [coverage(generator.random(DAYS) < 1 - level, level) for _ in range(RUNS)]
    for name in ("unconditional_p", "joint_p"):
        assert 0.02 < np.mean([getattr(each, name) < 0.05 for each in found]) < 0.09


def test_too_many_violations_and_clustered_ones_fail_for_their_own_reason():
    """Too low a forecast and a slow one are different faults."""
    generator = np.random.default_rng(2)
    many = coverage(generator.random(DAYS) < 0.1, 0.95)
    assert many.unconditional_p < 1e-4 and many.joint_p < 1e-4 and many.independence_p > 0.01
    blocks = np.zeros(1_000, bool)
    blocks[::200] = True
    clustered = coverage(np.repeat(blocks.reshape(-1, 10)[:, 0], 10), 0.95)
    assert clustered.violations == 50
    assert clustered.unconditional_p > 0.99 and clustered.independence_p < 1e-10 > clustered.joint_p


def test_the_statistic_of_kupiec_is_its_formula():
    """Ten violations of 255 days at 99 %, by hand."""
    from scipy.stats import chi2

    hits = np.zeros(255, bool)
    hits[np.linspace(5, 250, 10).astype(int)] = True
    expected = -2 * np.log(0.99**245 * 0.01**10) + 2 * np.log((1 - 10 / 255) ** 245 * (10 / 255) ** 10)
    assert coverage(hits, 0.99).unconditional_p == pytest.approx(chi2.sf(expected, 1), rel=1e-9)


@pytest.mark.parametrize("level", [0.95, 0.99])
def test_the_joint_loss_is_smallest_for_the_true_quantile_and_mean_below(level):
    """That is what makes it a fair judge; a hundredth of it is lost nowhere but at the truth."""
    returns = np.random.default_rng(3).normal(size=400_000)
    quantile, below = true_pair(level)
    found = {
        (a, b): joint_loss(returns, np.full_like(returns, quantile * a), np.full_like(returns, below * b), level).mean()
        for a in (0.8, 0.9, 1.0, 1.1, 1.25)
        for b in (0.8, 0.9, 1.0, 1.1, 1.25)
        if below * b < quantile * a
    }
    assert min(found, key=found.get) == (1.0, 1.0)


def test_the_quasi_likelihood_is_smallest_for_the_true_variance():
    """A squared return is a noisy proxy; the loss has to stand that."""
    squares = np.random.default_rng(4).normal(0, 2, 200_000) ** 2
    shares = (0.8, 0.9, 1, 1.1, 1.3)
    found = {share: quasi_likelihood(squares, np.full_like(squares, 4 * share)).mean() for share in shares}
    assert min(found, key=found.get) == 1


def test_a_mean_of_zero_is_rejected_as_often_as_the_level_says_though_days_depend():
    """Moving averages of noise: without the lags of Newey and West one test in seven would fail."""
    generator = np.random.default_rng(5)
    noise = generator.normal(size=(RUNS, DAYS + 2))
    p = [mean_test(row[2:] + 0.7 * row[1:-1] + 0.4 * row[:-2]).p_above for row in noise]
    assert 0.02 < np.mean(np.array(p) < 0.05) < 0.09
    assert mean_test(generator.normal(0.2, 1, DAYS)).p_above < 1e-6


def test_the_second_statistic_is_zero_for_the_truth_and_negative_where_losses_are_understated():
    """The sign is what a supervisor reads."""
    returns = np.random.default_rng(6).normal(size=300_000)
    quantile, below = true_pair(0.99)
    right, small = (
        second_statistic(returns, np.full_like(returns, quantile * by), np.full_like(returns, below * by), 0.99).mean()
        for by in (1.0, 0.8)
    )
    assert right == pytest.approx(0, abs=0.05)
    assert small < -0.7


def test_windows_are_green_up_to_four_violations_and_red_from_ten_on():
    """The bounds of the Committee, both sides of each."""
    hits = np.zeros((500, 3), bool)
    hits[:4, 0] = hits[:9, 1] = hits[:10, 2] = True
    first = [zones(hits[:250, [series]]) for series in range(3)]
    assert first == [(1, 0, 0), (0, 1, 0), (0, 0, 1)]
    assert zones(hits)[0] > zones(hits[:251])[0]
