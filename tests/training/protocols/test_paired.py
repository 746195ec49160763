"""Differences and verdicts: what chance can do is not called better."""

import numpy as np

from training.protocols.outcome import verdict_of
from training.protocols.paired import Figure, compare

UNITS = np.repeat(np.arange(200), 5)


def mean_of(values: np.ndarray) -> Figure:
    """The weighted mean as a figure."""
    return lambda weights: float((weights * values).sum() / weights.sum())


def drawn(seed: int, shift: float = 0.0) -> np.ndarray:
    """Values whose rows of a unit are alike."""
    generator = np.random.default_rng(seed)
    return np.repeat(generator.normal(shift, 1.0, 200), 5) + generator.normal(0, 0.1, 1_000)


def test_a_model_is_not_ahead_of_itself():
    """Equal models have no difference in any resample."""
    figure = mean_of(drawn(1))
    found = compare([figure], [figure], [UNITS], resamples=200, seed=7)
    assert found.difference_ci95 == (0.0, 0.0)
    assert verdict_of(found.difference_ci95, more_is_better=True) == "level"


def test_resampling_units_gives_the_interval_of_units():
    """Rows of a card are alike: drawn one by one, 1,000 rows would promise what 200 cards cannot hold."""
    figure = mean_of(drawn(2))
    by_unit = compare([figure], [mean_of(np.zeros(1_000))], [UNITS], resamples=2_000, seed=7).ci95
    by_row = compare([figure], [mean_of(np.zeros(1_000))], [np.arange(1_000)], resamples=2_000, seed=7).ci95
    assert 1.8 < (by_unit[1] - by_unit[0]) / (by_row[1] - by_row[0]) < 2.7  # the root of five rows a unit


def test_pairing_finds_a_small_difference_that_units_would_hide():
    """A hard card is hard for both models: what they have in common is no doubt about their difference."""
    ours = drawn(3)
    found = compare([mean_of(ours)], [mean_of(ours - 0.02)], [UNITS], resamples=500, seed=7)
    assert found.ci95[0] < 0 < found.ci95[1]
    assert verdict_of(found.difference_ci95, more_is_better=True) == "ahead"
    assert verdict_of(found.difference_ci95, more_is_better=False) == "behind"


def test_verdicts_of_equal_models_are_seldom_anything_but_level():
    """95 % intervals: of models that are equally good about one in twenty is called better or worse."""
    wrong = 0
    for seed in range(100):
        generator = np.random.default_rng(seed)
        ours, theirs = generator.normal(size=400), generator.normal(size=400)
        found = compare([mean_of(ours)], [mean_of(theirs)], [np.arange(400)], resamples=300, seed=seed)
        wrong += verdict_of(found.difference_ci95, more_is_better=True) != "level"
    assert wrong <= 14


def test_distances_to_an_ideal_are_compared_where_more_is_not_better():
    """A calibration slope of 1.1 is nearer to 1 than one of 0.5, and not because it is larger."""
    near, far = mean_of(np.full(1_000, 1.1)), mean_of(np.full(1_000, 0.5))
    found = compare([near], [far], [UNITS], resamples=50, seed=7, ideal=1.0)
    assert found.difference < 0
    assert verdict_of(found.difference_ci95, more_is_better=False) == "ahead"


def test_a_unit_is_drawn_with_its_rows_of_all_folds():
    """A card that is in two folds is one card: its weight is the same in both."""
    seen = []
    figures = [lambda weights: seen.append(weights.copy()) or 0.0] * 2
    compare(figures, [lambda weights: 0.0] * 2, [np.arange(10), np.arange(10)], resamples=5, seed=7)
    for first, second in zip(seen[2::2], seen[3::2], strict=True):
        assert first.tolist() == second.tolist()
