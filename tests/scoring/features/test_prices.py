"""Returns, volatility and trend of a price."""

from math import log, sqrt

import pytest

from scoring.features.spec import (
    AdaptiveMovingAverage,
    EwmaVolatility,
    MovingAverage,
    Range,
    RealisedVolatility,
    RelativeSpread,
    Value,
)
from tests.scoring.features.folding import PRICES, price, values_of

nan = float("nan")
CLOSES = (price("1", 0, 100.0), price("2", 1, 110.0), price("3", 2, 99.0))


def test_log_return_is_against_the_event_before() -> None:
    """ln(110/100) and ln(99/110); an event out of order has no predecessor, nor is it one."""
    out_of_order = price("4", 1.5, 500.0)
    values = values_of(PRICES, Value("log_return"), *CLOSES, out_of_order, price("5", 3, 99.0))
    assert values == pytest.approx([nan, 0.0953102, -0.1053605, nan, 0], nan_ok=True)


def test_log_return_between_the_ends_of_the_range_is_finite() -> None:
    """The quotient of 1e15 and the smallest float is infinite, its logarithm is not."""
    values = values_of(PRICES, Value("log_return"), price("1", 0, 5e-324), price("2", 1, 1e15))
    assert values[1] == pytest.approx(log(1e15) - log(5e-324))


def test_realised_volatility_is_the_root_of_summed_squares() -> None:
    """0.0953102² + 0.1053605² = 0.0201849; its root is 0.1420735. The mean is not taken off."""
    values = values_of(PRICES, RealisedVolatility("log_return", "10m"), *CLOSES)
    assert values == pytest.approx([nan, 0.0953102, 0.1420735], nan_ok=True, rel=1e-5)


def test_ewma_volatility_weighs_the_newest_most() -> None:
    """Decay 0.5: (1 · 0.1053605² + 0.5 · 0.0953102²) / 1.5, the root of which is 0.1021202."""
    values = values_of(PRICES, EwmaVolatility("log_return", decay=0.5), *CLOSES)
    by_hand = sqrt((log(99 / 110) ** 2 + 0.5 * log(110 / 100) ** 2) / 1.5)
    assert by_hand == pytest.approx(0.1021202, rel=1e-5)
    assert values == pytest.approx([nan, 0.0953102, by_hand], nan_ok=True, rel=1e-6)


def test_moving_average_takes_the_last_events() -> None:
    """Mean of the last two of 100, 110, 99 is 104.5; ln(99 / 104.5) = -0.0540672."""
    values = values_of(PRICES, MovingAverage("price", 2), *CLOSES)
    assert values == pytest.approx([0, log(110 / 105), -0.0540672], rel=1e-5)


def test_adaptive_average_follows_a_straight_move_quickly() -> None:
    """Efficiency 1: constant (2/3)² = 4/9, so after 100, 110 the average is 104.4444."""
    values = values_of(PRICES, AdaptiveMovingAverage("price", events=2), *CLOSES[:2])
    assert values == pytest.approx([0, log(110 / (100 + 10 * 4 / 9))], rel=1e-6)


def test_adaptive_average_hardly_follows_a_zigzag() -> None:
    """100, 110, 100: net change 0 over a path of 20, efficiency 0, constant (2/31)²."""
    events = (*CLOSES[:2], price("3", 2, 100.0))
    values = values_of(PRICES, AdaptiveMovingAverage("price", events=2), *events)
    before = 100 + 10 * 4 / 9
    assert values[2] == pytest.approx(log(100 / (before + (2 / 31) ** 2 * (100 - before))), rel=1e-5)


def test_adaptive_average_forgets_a_price_that_was_far_off() -> None:
    """A wrong tick of 1e12 has left the efficiency's span; what is left of it must not be rounding error."""
    prices = [1e12, *[100.0] * 4, 101.0, 102.0]
    events = [price(str(row), row, value) for row, value in enumerate(prices)]
    average = 1e12
    for step, efficiency in zip(range(1, 7), [1, 1, 0, 0, 1, 1], strict=True):
        average += (efficiency * (2 / 3 - 2 / 31) + 2 / 31) ** 2 * (prices[step] - average)
    values = values_of(PRICES, AdaptiveMovingAverage("price", events=2), *events)
    assert values[-1] == pytest.approx(log(102 / average), rel=1e-6)


def test_range_is_relative_to_the_price() -> None:
    """(110 - 99) / 99."""
    assert values_of(PRICES, Range("price", "10m"), *CLOSES) == pytest.approx([0, 10 / 110, 11 / 99])


def test_spread_is_relative_to_the_middle() -> None:
    """(101 - 99) / 100; without a quote on both sides there is none."""
    events = (price("1", 0, 100.0, bid=99.0, ask=101.0), price("2", 1, 100.0, bid=99.0), price("3", 2, 100.0))
    assert values_of(PRICES, RelativeSpread(), *events) == pytest.approx([0.02, nan, nan], nan_ok=True)
