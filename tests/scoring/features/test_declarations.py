"""A view that cannot work is refused when it is declared, with the name and the remedy."""

from dataclasses import replace
from typing import Any

import pytest

from scoring.features.plan import plan_of
from scoring.features.spec import (
    Count,
    EwmaVolatility,
    History,
    LogReturn,
    MovingAverage,
    Number,
    Rolling,
    Unseen,
    Value,
    duration_ms,
)
from scoring.views import account_activity, symbol_activity
from tests.scoring.features.folding import PAYMENTS, PRICES


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"features": (Count("2h"),)}, "longer than the horizon 1h"),
        ({"features": (Count("1m"), Count("1m"))}, "count_1m is declared twice"),
        ({"features": (Value("colour"),)}, "uses 'colour', which is not declared"),
        ({"features": (Unseen("country", "1m"),)}, "add it to codes"),
        ({"features": (Rolling("mean", "amount", "1m"),)}, "sums up 'amount'; add it to numbers"),
        ({"features": (MovingAverage("charge", 2),)}, "reads 'charge' from the ring.*amount"),
        ({"entity": "merchant_id"}, "not the key of topic 'transactions'"),
        ({"numbers": (Number("price"),)}, "'price' is not a field of Transaction"),
        ({"codes": ("colour",)}, "'colour' is not a field of Transaction"),
        ({"group": "colour"}, "'colour' is not a field of Transaction"),
        ({"history": History(features=("gap",), length=2)}, "history names gap"),
        ({"ring": 0}, "ring is 0; expected at least 1"),
        ({"tiles": 0}, "tiles is 0; expected at least 1"),
        ({"history": History(features=(), length=0)}, "history is 0; expected at least 1"),
        ({"history": History(features=(), length=10)}, "history looks back on 10 events.*at least 9"),
    ],
)
def test_a_view_that_does_not_fit_is_refused(changes: dict[str, Any], said: str) -> None:
    """Better no start than a feature that silently means something else."""
    with pytest.raises(ValueError, match=rf"view payments: .*{said}"):
        replace(PAYMENTS, **changes)


def test_a_return_needs_its_number_in_the_ring() -> None:
    """The predecessor's price has to be somewhere."""
    with pytest.raises(ValueError, match=r"move needs 'bid' in the ring; add Number\('bid'\)"):
        replace(PRICES, numbers=(Number("price"), LogReturn("move", of="bid")))


def test_an_average_over_more_events_than_the_ring_keeps_is_refused() -> None:
    """It would quietly be an average over fewer."""
    assert replace(PRICES, features=(MovingAverage("price", 9),), ring=8).ring == 8
    with pytest.raises(
        ValueError, match=r"price_to_mean_10 looks back on 10 events.*make the ring at least 9"
    ):
        replace(PRICES, features=(MovingAverage("price", 10),), ring=8)
    assert replace(PRICES, features=(EwmaVolatility("log_return"),)).feature_names == ("ewma_volatility",)


def test_a_view_larger_than_the_kernel_is_refused() -> None:
    """Sizes are fixed at compile time; the error says which one."""
    with pytest.raises(ValueError, match="view payments: 65 ring events; at most 64"):
        plan_of(replace(PAYMENTS, ring=65))


@pytest.mark.parametrize("text", ["1", "h", "0h", "-1h", "1.5h", "1w", "", "1 h"])
def test_a_duration_that_is_none_is_refused(text: str) -> None:
    """A window of nothing would be an empty feature for ever."""
    with pytest.raises(ValueError, match="expected a whole number and one of s, m, h, d"):
        duration_ms(text)


def test_the_digest_changes_with_all_that_changes_a_value() -> None:
    """The state's key and the bundle carry it: what is folded under another meaning is never mixed in."""
    same = replace(PAYMENTS)
    changed = [
        replace(PAYMENTS, ring=9),
        replace(PAYMENTS, grace="2m"),
        replace(PAYMENTS, horizon="2h"),
        replace(PAYMENTS, group=""),
        replace(PAYMENTS, codes=()),
        replace(PAYMENTS, features=(Count("1m"),)),
        replace(PAYMENTS, numbers=(Number("charge", of="amount"),)),
    ]
    assert same.digest == PAYMENTS.digest
    assert len({view.digest for view in (PAYMENTS, *changed)}) == len(changed) + 1


@pytest.mark.parametrize("view", [account_activity.VIEW, symbol_activity.VIEW], ids=lambda view: view.name)
def test_shipped_views_name_each_feature_once(view: Any) -> None:
    """The names are the columns of models and the reasons of alerts."""
    assert len(set(view.feature_names)) == len(view.features) == plan_of(view)[0]["n_features"]
