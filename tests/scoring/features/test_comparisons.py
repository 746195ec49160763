"""This event against the earlier ones, and one field of it against another."""

import pytest

from scoring.features.spec import Quotient, Ratio, Rolling, Value, ZScore
from tests.scoring.features.folding import PAYMENTS, PRICES, payment, price, values_of

nan = float("nan")


def test_ratio_leaves_the_event_itself_out() -> None:
    """100 after 10 and 30 is five times the usual 20; with itself in it would be but twice."""
    events = (payment("1", 0, 10.0), payment("2", 1, 30.0), payment("3", 2, 100.0))
    assert values_of(PAYMENTS, Ratio("charge", "10m"), *events) == pytest.approx([nan, 3, 5], nan_ok=True)


def test_ratio_of_a_refund_compares_with_refunds() -> None:
    """A charge has no refund ratio, and the first refund nothing to compare with."""
    events = (payment("1", 0, 10.0), payment("2", 1, -4.0), payment("3", 2, -6.0))
    assert values_of(PAYMENTS, Ratio("refund", "10m"), *events) == pytest.approx([nan, nan, 1.5], nan_ok=True)


def test_zscore_needs_two_earlier_values() -> None:
    """One earlier value has no spread. 10 and 30: mean 20, deviation 10, so 50 lies 3 deviations off."""
    events = (payment("1", 0, 10.0), payment("2", 1, 30.0), payment("3", 2, 50.0))
    assert values_of(PAYMENTS, ZScore("charge", "10m"), *events) == pytest.approx([nan, nan, 3], nan_ok=True)


def test_zscore_of_a_constant_history_stays_bounded() -> None:
    """Two subscriptions of 20.00 have no spread; the deviation counts as 1 % of the mean, here 0.2."""
    events = (payment("1", 0, 20.0), payment("2", 1, 20.0), payment("3", 2, 21.0))
    assert values_of(PAYMENTS, ZScore("charge", "10m"), *events)[2] == pytest.approx(5.0)


def test_quotient_is_missing_without_a_divisor() -> None:
    """No balance, or one of nought: there is no share of it."""
    events = (
        payment("1", 0, 25.0, balance=100.0),
        payment("2", 1, 25.0),
        payment("3", 2, 25.0, balance=0.0),
        payment("4", 3, -25.0, balance=100.0),
    )
    values = values_of(PAYMENTS, Quotient("amount", "balance"), *events)
    assert values == pytest.approx([0.25, nan, nan, -0.25], nan_ok=True)


def test_a_tiny_divisor_gives_the_largest_float_and_not_infinity() -> None:
    """Infinity in a vector would become a score that is no number."""
    events = (payment("1", 0, 1e15, balance=1e-300), payment("2", 1, -1e15, balance=1e-300))
    assert values_of(PAYMENTS, Quotient("amount", "balance"), *events) == pytest.approx(
        [3.4028235e38, -3.4028235e38]
    )


def test_value_is_the_field_or_the_kept_number() -> None:
    """A field is taken as it is; a declared number with the sign it keeps."""
    events = (payment("1", 0, -25.0), payment("2", 1, 25.0))
    assert values_of(PAYMENTS, Value("amount"), *events) == [-25, 25]
    assert values_of(PAYMENTS, Value("refund"), *events) == pytest.approx([25, nan], nan_ok=True)


def test_a_missing_number_takes_no_part() -> None:
    """Ticks without a volume neither count nor lower the mean."""
    events = (price("1", 0, 5.0, volume=10.0), price("2", 1, 5.0), price("3", 2, 5.0, volume=30.0))
    assert values_of(PRICES, Rolling("mean", "volume", "10m"), *events) == [10, 10, 20]
    assert values_of(PRICES, Rolling("count", "volume", "10m"), *events) == [1, 1, 2]
