"""Numbers a view derives from readings, and how far they are beyond their earlier range: worked out by hand."""

import math
from dataclasses import replace

import pytest

from schemas.events import measurement
from schemas.events.measurement import Measurement
from scoring.features.spec import Beyond, Difference, FeatureView, MovingAverage, Number, RecentMean, Value
from tests.scoring.features.folding import values_of

READINGS = FeatureView(
    name="readings",
    event=measurement.EVENT,
    entity="series_id",
    numbers=(Number("value"), Difference("change", of="value"), RecentMean("level", of="value", events=3)),
    features=(),
    ring=8,
    horizon="1h",
    grace="1m",
)


def reading(event_id: str, at: float, value: float) -> Measurement:
    """A reading of series `s`, `at` seconds."""
    return Measurement(event_id=event_id, occurred_at_ms=round(at * 1000), series_id="s", value=value)


def series(*values: float, every: float = 10.0) -> list[Measurement]:
    return [reading(str(place), place * every, value) for place, value in enumerate(values)]


def test_a_difference_is_to_the_last_reading_and_may_cross_zero():
    """Queues, temperatures and balances have no logarithm."""
    found = values_of(READINGS, Value("change"), *series(2.0, -3.0, -3.0, 4.5))
    assert math.isnan(found[0])
    assert found[1:] == [-5.0, 0.0, 7.5]


def test_a_recent_mean_is_of_the_last_few_and_of_fewer_at_the_start():
    """This reading is one of them."""
    assert values_of(READINGS, Value("level"), *series(3.0, 6.0, 9.0, 0.0)) == [3.0, 4.5, 6.0, 5.0]


def test_what_arrives_out_of_order_has_no_difference_and_no_recent_mean():
    """Their meaning hangs on the order, and the readings after it have theirs from those in order."""
    events = [reading("a", 10, 1.0), reading("b", 20, 3.0), reading("late", 15, 99.0), reading("c", 30, 5.0)]
    changes, levels = values_of(READINGS, Value("change"), *events), values_of(READINGS, Value("level"), *events)
    assert math.isnan(changes[2])
    assert math.isnan(levels[2])
    assert (changes[3], levels[3]) == (2.0, 3.0)


def test_beyond_counts_deviations_outside_the_earlier_range_on_either_side():
    """Inside the range is 0, however far from the mean; the deviation is that of all readings, this one included."""
    found = values_of(READINGS, Beyond("value", "1h", scale="1h"), *series(0.0, 10.0, 5.0, 13.0, -1.0))
    assert math.isnan(found[0])
    assert found[1] == pytest.approx(10 / 5)  # 0 and 10: deviation 5
    assert found[2] == 0
    spread = math.sqrt(sum((value - 7) ** 2 for value in (0, 10, 5, 13)) / 4)
    assert found[3] == pytest.approx(3 / spread, rel=1e-6)
    assert found[4] > 0


def test_a_range_forgets_what_left_its_window():
    """The same height is a record again once the last one is old enough."""
    views = {window: Beyond("value", window, scale="1h") for window in ("30s", "1h")}
    readings = series(5.0, 9.0, 5.0, 5.0, 5.0, 9.0)
    assert values_of(READINGS, views["30s"], *readings)[-1] > 0
    assert values_of(READINGS, views["1h"], *readings)[-1] == 0


def test_a_series_that_stands_still_has_no_records():
    """A mean of equal numbers differs from them in the last digit; that is not an anomaly."""
    found = values_of(READINGS, Beyond("level", "1h", scale="1h"), *series(*[0.1] * 20))
    assert found[1:] == [0.0] * 19


def test_a_first_move_after_standing_still_is_bounded():
    """A deviation of nothing would make it endless."""
    found = values_of(READINGS, Beyond("value", "1h", scale="1h"), *series(*[0.0] * 15, 1e9))
    assert found[-1] == pytest.approx(16 / math.sqrt(15), rel=1e-6)


def test_a_recent_mean_longer_than_the_ring_is_refused():
    """It would quietly be a mean of fewer."""
    with pytest.raises(ValueError, match=r"level looks back on 10 events.*at least 9"):
        replace(READINGS, numbers=(Number("value"), RecentMean("level", of="value", events=10)))


def test_an_average_may_be_taken_of_a_derived_number():
    """The ring holds it like any other."""
    view = replace(READINGS, features=(MovingAverage("level", 2),))
    assert view.feature_names == ("level_to_mean_2",)
