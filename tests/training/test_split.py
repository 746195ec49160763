"""Cuts by time leak nothing from the later part into the earlier one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from training.errors import TrainingRefused
from training.split import default_gap_ms, split_by_order, split_by_time

pytestmark = pytest.mark.training


@given(
    seed=some.integers(0, 10**6),
    latest=some.sampled_from([500, 10_000, 10**12]),
    gap_ms=some.integers(0, 20),
    train_share=some.floats(0.4, 0.6),
)
def test_every_part_lies_after_the_one_before_by_more_than_the_gap(seed, latest, gap_ms, train_share):
    """Whatever the order and the ties of the data: a model is never judged on what it has seen."""
    at = np.random.default_rng(seed).integers(0, latest, 900)
    split = split_by_time(at, train_share=train_share, validation_share=0.2, gap_ms=gap_ms)
    assert at[split.train].max() + gap_ms < at[split.validation].min()
    assert at[split.validation].max() + gap_ms < at[split.test].min()


def test_no_entity_has_a_test_event_before_one_of_its_training_events():
    """Cut per entity at its own time, an account's future would teach the model about its past."""
    generator = np.random.default_rng(0)
    at, entity = generator.integers(0, 10**9, 5_000), generator.integers(0, 50, 5_000)
    split = split_by_time(at, train_share=0.6, validation_share=0.2, gap_ms=10**6)
    for one in range(50):
        trained = at[split.train][entity[split.train] == one]
        tested = at[split.test][entity[split.test] == one]
        assert trained.max() < tested.min()


def test_a_part_with_too_few_rows_is_refused_by_name():
    """Ten rows of calibration promise nothing; the command says so instead of writing a bundle."""
    with pytest.raises(TrainingRefused, match="the validation part has"):
        split_by_time(np.arange(300), train_share=0.6, validation_share=0.1, gap_ms=5)
    with pytest.raises(TrainingRefused, match="the train part has 0 of 0"):
        split_by_time(np.zeros(0, np.int64), train_share=0.6, validation_share=0.2, gap_ms=0)


def test_the_default_gap_is_a_hundredth_of_the_span_within_the_horizon():
    """Long data leaves out a horizon at most; short data keeps enough rows."""
    at = np.array([0, 1_000_000])
    assert default_gap_ms(at, horizon_ms=10**9) == 10_000
    assert default_gap_ms(at, horizon_ms=500) == 500
    assert default_gap_ms(at[:0], horizon_ms=500) == 0


def test_things_of_one_time_are_cut_as_they_stand():
    """Accounts judged on one day have no order in time; that of the file is kept, and no row is in two parts."""
    rows = np.arange(3, 1_003)
    split = split_by_order(rows, np.full(1_010, 5), train_share=0.6, validation_share=0.2)
    assert np.array_equal(np.concatenate([split.train, split.validation, split.test]), rows)
    assert (len(split.train), len(split.validation), split.bounds_ms) == (600, 200, (5, 5))
    with pytest.raises(TrainingRefused, match="validation part has 10 of 100 rows"):
        split_by_order(rows[:100], np.full(1_010, 5), train_share=0.8, validation_share=0.1)
