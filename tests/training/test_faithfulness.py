"""Whether explanations are faithful: measured against models whose right explanation is known."""

from dataclasses import replace
from itertools import pairwise, permutations

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from scoring.catalog import scorers
from scoring.features.spec import FeatureView
from scoring.model.rows import Rows
from scoring.scorer import Scorer
from tests.training.conftest import SCORERS, dataset_of
from training.faithfulness import _Subject, measure, rank_correlation
from training.groups import MIDDLE, groups_among, groups_of, usual_of
from training.networks.ablation import Ablation

pytestmark = pytest.mark.training

GROUPS = [np.array([0, 1]), np.array([2]), np.array([3, 4])]
USUAL = np.array([0.0, 0.0, 1.0, 0.0, np.nan], np.float32)


def shares_of(quantity, raw: list[float], *, weight: list[float] | None = None) -> np.ndarray:
    """The ablation's shares of one row under a quantity of a vector."""
    ablation, row = Ablation(GROUPS, USUAL), torch.tensor([raw])
    values = torch.tensor([quantity(each) for each in ablation.variants(row).tolist()])
    heavy = torch.tensor([weight or [1.0] * len(raw)])
    there = (~torch.isnan(row)).to(torch.float32)
    return ablation.contributions(values, heavy, there).numpy()[0]


def fewer(view: FeatureView, count: int) -> list[np.ndarray]:
    """The groups put together to so few that all subsets are quickly tried."""
    places = np.array_split(np.arange(len(groups_of(view))), count)
    return [np.concatenate([groups_of(view)[place] for place in part]) for part in places]


def known(value: float) -> float:
    """0 for what is missing."""
    return 0.0 if np.isnan(value) else value


def test_of_a_sum_the_shares_are_its_terms():
    """Where the right answer is plain, it is given exactly."""
    found = shares_of(lambda row: 2 * row[0] + 3 * row[2] + known(row[4]), [1.0, 0.0, 3.0, 0.0, 5.0])
    assert found[0] + found[1] == pytest.approx(2.0)
    assert found[2] == pytest.approx(6.0)
    assert found[3] + found[4] == pytest.approx(5.0)


def test_shares_sum_to_the_difference_also_where_groups_work_together():
    """What two groups only make together is shared out, and nothing is lost."""
    found = shares_of(lambda row: row[0] * row[2] * known(row[4]), [2.0, 0.0, 3.0, 0.0, 5.0])
    assert found.sum() == pytest.approx(30.0, rel=1e-6)


def test_a_group_speaks_through_its_most_surprising_feature():
    """Four reasons that are one, over four windows, would leave no room for the others."""
    found = shares_of(lambda row: row[0] + row[1], [1.0, 1.0, 1.0, 0.0, 0.0], weight=[0.2, 0.9, 0, 0, 0])
    assert found[1] == pytest.approx(2.0)
    assert found[0] == 0


def test_what_is_missing_has_no_share():
    """Nobody can act on a reason that was not there."""
    found = shares_of(lambda row: row[0] + 1.0, [2.0, float("nan"), float("nan"), float("nan"), float("nan")])
    assert found.tolist() == [2.0, 0, 0, 0, 0]


@pytest.mark.parametrize("name", scorers())
def test_groups_are_all_features_once_and_at_most_sixteen(name: str):
    """A feature outside of every group would never be a reason."""
    view: FeatureView = scorers()[name].view
    groups = groups_of(view)
    assert len(groups) <= 16
    assert sorted(np.concatenate(groups).tolist()) == list(range(len(view.feature_names)))
    every_second = list(range(0, len(view.feature_names), 2))
    some = groups_among(groups, every_second)
    assert sorted(np.concatenate(some).tolist()) == list(range(len(every_second)))


def test_a_rank_correlation_is_that_of_others():
    """With ties, as scipy has it."""
    generator = np.random.default_rng(1)
    ours, theirs = generator.integers(0, 5, 30).astype(float), generator.integers(0, 5, 30).astype(float)
    assert rank_correlation(ours, theirs) == pytest.approx(spearmanr(ours, theirs).statistic, abs=1e-9)
    assert rank_correlation(ours, np.zeros(30)) == 0.0


@pytest.mark.parametrize("scorer", SCORERS[:1])
def test_shapley_values_are_those_of_the_definition(bundles, scorer, payments_file, monkeypatch):
    """Summed over orders of the groups, which is another way to the same values."""
    declared: Scorer = scorers()[scorer]
    bundle, rows = bundles[scorer].bundle, dataset_of(scorer, payments_file).rows.take(slice(500, 501))
    monkeypatch.setattr("training.faithfulness.groups_of", lambda view: fewer(view, 4))
    subject = _Subject.of(bundle.session, bundle.manifest, declared.view, rows)
    exact, expected, orders = subject.shapley(0), np.zeros(4), 0
    for order in permutations(range(4)):
        kept = np.array([[group in order[:step] for group in range(4)] for step in range(5)])
        for (before, after), group in zip(pairwise(subject.values(0, kept)), order, strict=True):
            expected[group] += after - before
        orders += 1
    assert exact == pytest.approx(expected / orders, abs=1e-5)


def test_an_explanation_at_random_does_not_hold(bundles, payments_file, monkeypatch):
    """The measure must be able to say no."""
    made = bundles["payment_anomaly"]
    view = scorers()["payment_anomaly"].view
    monkeypatch.setattr("training.faithfulness.MOST_ROWS", 30)
    monkeypatch.setattr("training.faithfulness.groups_of", lambda view: fewer(view, 7))
    rows: Rows = dataset_of("payment_anomaly", payments_file).rows
    honest = measure(made.bundle.session, made.bundle.manifest, view, rows, seed=7)
    drawn = np.random.default_rng(3)
    monkeypatch.setattr(
        type(made.bundle.session), "explain", lambda self, features, *_: drawn.normal(size=features.shape)
    )
    random = measure(made.bundle.session, made.bundle.manifest, view, rows, seed=7)
    assert not random.holds
    assert abs(random.shapley[0]) < 0.3 < honest.shapley[0]
    assert honest.deletion["explanation"] < random.deletion["explanation"]


def test_a_view_that_carries_another_puts_features_of_both_together():
    """With two views' kinds in 16 groups the smallest were thrown together: the amount with the merchant's countries."""
    view = scorers()["payment_merchant"].view
    groups = [{view.feature_names[place] for place in group} for group in groups_of(view)]
    (countries,) = (group for group in groups if "merchant_country_distinct_1d" in group)
    assert "country_distinct_1d" in countries and "amount" not in countries
    assert sorted(name for group in groups for name in group) == sorted(view.feature_names)


def test_what_is_usual_is_the_median_or_what_the_view_names():
    """A bar that repeats its price is not the usual one, and deleting must not make one."""
    view = scorers()["feed_staleness"].view
    rows = [(-0.03, -0.02, -0.01, 0.0, 0.01, 0.02, 0.03), (0.0, 0.0, 0.0, 0.5, 1.0, 1.0, 1.0), (None,) * 7]
    found = usual_of(view, rows)
    assert found[0] == np.float32(0.01)
    assert found[1] == rows[1][MIDDLE]
    assert np.isnan(found[2])


def test_a_view_names_only_its_own_features_as_usual():
    """A misspelt name would leave the median, and nobody would see it."""
    with pytest.raises(ValueError, match="usual_at names log_retrun"):
        replace(scorers()["feed_staleness"].view, usual_at=(("log_retrun", 0.75),))
