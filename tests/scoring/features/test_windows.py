"""Counts, totals, means, spreads and extremes of a window."""

import msgspec
import pytest

from scoring.features.spec import Count, Feature, Rolling
from tests.scoring.features.folding import PAYMENTS, payment, values_of

nan = float("nan")
PAID = (payment("1", 0, 10.0), payment("2", 30, 20.0), payment("3", 60, 60.0))


def test_an_event_as_old_as_the_window_is_outside() -> None:
    """A window is (t - w, t]: half open, so that two windows side by side share nothing."""
    #   0 s      30 s      60 s
    #   1        2         3        (0 s, 60 s] holds 2 and 3
    assert values_of(PAYMENTS, Count("1m"), *PAID) == [1, 2, 2]


@pytest.mark.parametrize(
    ("statistic", "expected"),
    [
        ("count", [1, 2, 3]),
        ("total", [10, 30, 90]),
        ("mean", [10, 15, 30]),
        ("spread", [0, 5, 21.60246899]),  # the root of (20² + 10² + 30²) / 3
        ("maximum", [10, 20, 60]),
        ("minimum", [10, 10, 10]),
    ],
)
def test_statistics_of_three_payments_are_as_worked_out(statistic: str, expected: list[float]) -> None:
    """The numbers people will check first."""
    values = values_of(PAYMENTS, Rolling(statistic, "charge", "10m"), *PAID)
    assert values == pytest.approx(expected, rel=1e-6)


def test_amounts_of_two_currencies_are_never_added_up() -> None:
    """Ten euros and ten yen are not twenty of anything; events are counted over all currencies."""
    events = (
        payment("1", 0, 10.0, currency="EUR"),
        payment("2", 1, 1000.0, currency="JPY"),
        payment("3", 2, 5.0, currency="EUR"),
        payment("4", 3, 7.0),  # without a currency: a group of its own
    )
    assert values_of(PAYMENTS, Rolling("total", "charge", "10m"), *events) == [10, 1000, 15, 7]
    assert values_of(PAYMENTS, Count("10m"), *events) == [1, 2, 3, 4]


def test_refunds_have_features_of_their_own() -> None:
    """A refund of 30 must not make the charges of the day smaller."""
    events = (payment("1", 0, 100.0), payment("2", 1, -30.0), payment("3", 2, 50.0), payment("4", 3, 0.0))
    assert values_of(PAYMENTS, Rolling("total", "charge", "10m"), *events) == [100, 100, 150, 150]
    assert values_of(PAYMENTS, Rolling("total", "refund", "10m"), *events) == [0, 30, 30, 30]
    assert values_of(PAYMENTS, Rolling("count", "refund", "10m"), *events) == [0, 1, 1, 1]
    assert values_of(PAYMENTS, Rolling("count", "charge", "10m"), *events) == [1, 1, 2, 3]


@pytest.mark.parametrize("statistic", ["mean", "spread", "maximum", "minimum"])
def test_a_window_without_values_has_no_mean(statistic: str) -> None:
    """Missing is NaN; a nought would be a value."""
    values = values_of(PAYMENTS, Rolling(statistic, "refund", "10m"), payment("1", 0, 5.0))
    assert values == pytest.approx([nan], nan_ok=True)


@pytest.mark.parametrize("feature", [Count("10m"), Rolling("maximum", "charge", "10m")], ids=str)
def test_accounts_do_not_share_a_window(feature: Feature) -> None:
    """State is kept per entity, also when their events arrive mixed."""
    other = msgspec.structs.replace(payment("2", 1, 99.0), account_id="b")
    mixed = values_of(PAYMENTS, feature, payment("1", 0, 10.0), other, payment("3", 2, 20.0))
    alone = values_of(PAYMENTS, feature, payment("1", 0, 10.0), payment("3", 2, 20.0))
    assert [mixed[0], mixed[2]] == alone


def test_times_before_1970_are_times_like_any_other() -> None:
    """Daily closes go back further than the epoch; division of negative numbers must round down."""
    events = (payment("1", -90, 1.0), payment("2", -30, 2.0), payment("3", 15, 4.0), payment("4", 29, 8.0))
    assert values_of(PAYMENTS, Rolling("total", "charge", "1m"), *events) == [1, 2, 6, 14]
