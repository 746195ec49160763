"""How many different ones, and whether this one is new."""

from dataclasses import replace

import pytest

from scoring.features.spec import Distinct, FirstTimeShare, Unseen
from tests.scoring.features.folding import PAYMENTS, payment, table_of, values_of

nan = float("nan")
VISITS = (
    payment("1", 0, 1.0, merchant_id="baker"),
    payment("2", 10, 1.0, merchant_id="butcher"),
    payment("3", 20, 1.0),
    payment("4", 30, 1.0, merchant_id="baker"),
    payment("5", 65, 1.0, merchant_id="tailor"),
)


def test_each_code_is_counted_once_and_missing_ones_not() -> None:
    """Baker, butcher, nobody, baker again, then the tailor; 65 s after the start the butcher is still in."""
    assert values_of(PAYMENTS, Distinct("merchant_id", "1m"), *VISITS) == [1, 2, 2, 2, 3]
    assert values_of(PAYMENTS, Distinct("merchant_id", "10m"), *VISITS) == [1, 2, 2, 2, 3]
    later = payment("6", 75, 1.0, merchant_id="baker")
    assert values_of(PAYMENTS, Distinct("merchant_id", "1m"), *VISITS, later)[-1] == 2  # baker, tailor


def test_a_code_is_new_when_the_window_does_not_hold_it() -> None:
    """The first event has nothing to compare with, and an event without a merchant is neither."""
    values = values_of(PAYMENTS, Unseen("merchant_id", "1m"), *VISITS)
    assert values == pytest.approx([nan, 1, nan, 0, 1], nan_ok=True)


def test_a_code_that_left_the_window_is_new_again() -> None:
    """The baker at 0 s is not in (0 s, 60 s]."""
    events = (*VISITS[:2], payment("3", 60, 1.0, merchant_id="baker"))
    assert values_of(PAYMENTS, Unseen("merchant_id", "1m"), *events)[-1] == 1


def test_the_share_of_first_times_looks_back_past_its_window() -> None:
    """Baker new, butcher new, nobody left out, baker known, tailor new; after a minute only the tailor is new."""
    assert values_of(PAYMENTS, FirstTimeShare("merchant_id", "10m"), *VISITS) == pytest.approx([1, 1, 1, 2 / 3, 3 / 4])
    later = payment("6", 95, 1.0, merchant_id="baker")
    assert values_of(PAYMENTS, FirstTimeShare("merchant_id", "1m"), *VISITS, later)[-1] == 1 / 2


OF_THE_RING = (
    Distinct("merchant_id", "10m"),
    Unseen("merchant_id", "10m"),
    FirstTimeShare("merchant_id", "10m"),
)


@pytest.mark.parametrize("feature", OF_THE_RING, ids=str)
def test_codes_that_fell_out_of_the_ring_are_said_to_be_unknown(
    feature: Distinct | Unseen | FirstTimeShare,
) -> None:
    """Codes are kept by the ring alone: with eight kept, the ninth earlier merchant is out of sight."""
    view = replace(PAYMENTS, features=(feature,))
    events = [payment(str(row), row, 1.0, merchant_id=f"m{row}") for row in range(10)]
    table = table_of(view, *events)
    assert table.approx.tolist() == [False] * 9 + [True]
