"""Figures of groups: what the card says of people nobody may judge by their sex or age."""

import numpy as np
import pytest

from training.fairness import group_figures

pytestmark = pytest.mark.training


def drawn(rows: int = 6_000) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Calibrated scores, what happened, a column of two groups of which the second scores higher, and ages."""
    generator = np.random.default_rng(1)
    group = generator.integers(1, 3, rows).astype(float)
    scores = np.clip(generator.beta(2, 8, rows) + 0.15 * (group == 2), 0, 1)
    truth = (generator.random(rows) < scores).astype(float)
    return scores, truth, group, generator.integers(20, 70, rows).astype(float)


def test_a_group_that_is_refused_more_often_is_told_with_its_ratio():
    """Whoever signs for a model has to see it before anybody else does."""
    scores, truth, group, _ = drawn()
    one, two = group_figures(scores, truth, {"sex": group}, refuse_from=0.3, seed=7)
    assert (one["group"], two["group"]) == ("1", "2")
    assert one["approved_to_best"] == 1.0
    assert two["approved"] == pytest.approx(float((scores[group == 2] < 0.3).mean()), abs=1e-4)
    assert two["approved_to_best"] == pytest.approx(two["approved"] / one["approved"], abs=1e-4)
    assert two["approved_to_best"] < 0.8
    assert two["mean_score"] == pytest.approx(two["observed"], abs=0.03)
    assert one["auc"][1] < one["auc"][0] < one["auc"][2]


def test_many_values_are_cut_at_their_thirds():
    """An age of one year each would leave no group large enough to say anything of."""
    scores, truth, _, age = drawn()
    found = group_figures(scores, truth, {"age": age}, refuse_from=0.3, seed=7)
    assert len(found) == 3 and sum(group["rows"] for group in found) == len(scores)


def test_groups_too_small_to_say_anything_are_left_out():
    """An area of three defaults is noise; unknown values belong to no group."""
    scores, truth, group, _ = drawn()
    group[:30], group[30:60] = 3.0, np.nan
    found = group_figures(scores, truth, {"sex": group}, refuse_from=0.3, seed=7)
    assert [each["group"] for each in found] == ["1", "2"]
