"""Chargebacks: a fraud is known to features when its label is, and no earlier."""

from pathlib import Path

import polars as pl
import pytest

from schemas.events.tick import EVENT as TICK
from schemas.events.transaction import EVENT
from scoring.files import BadMapping, read_events
from scoring.files.mapping import IDENTITY, Mapping, Time, checked

DAY_MS = 86_400_000
START_MS = 1_700_000_000_000
MAPPING = Mapping(
    same_names=True, time=Time(column="occurred_at_ms"), sort=True, label="fraud", label_delay="7d", chargebacks=True
)


@pytest.fixture
def payments(tmp_path: Path) -> Path:
    """Four payments a day apart, two of them frauds; one fraud was of nothing."""
    path = tmp_path / "payments.parquet"
    pl.DataFrame(
        {
            "event_id": ["a", "b", "c", "d"], "occurred_at_ms": [START_MS + day * DAY_MS for day in (0, 1, 2, 9)],
            "account_id": ["x", "y", "x", "y"], "merchant_id": ["m", "n", "m", "n"], "amount": [10.0, 20.0, 0.0, 40.0],
            "balance": [5.0, 6.0, 7.0, 8.0], "fraud": [0, 1, 1, 0],
        }
    ).write_parquet(path)  # fmt: skip
    return path


def test_a_fraud_comes_back_as_a_refund_when_its_label_is_known(payments):
    """The delay of the label is that of the chargeback, so no feature can know of the fraud before."""
    chunk = next(read_events([payments], MAPPING, EVENT))
    back = chunk.frame.filter(pl.col("amount") < 0).to_dicts()
    assert back == [
        {
            "event_id": "chargeback-b", "occurred_at_ms": START_MS + 8 * DAY_MS, "account_id": "y", "amount": -20.0,
            "merchant_id": "n", "balance": None,
        }
    ]  # fmt: skip
    assert chunk.frame["occurred_at_ms"].is_sorted()
    assert chunk.frame["event_id"].to_list() == ["a", "b", "c", "chargeback-b", "d"]


def test_a_chargeback_has_no_label_of_its_own(payments):
    """It is no payment: nothing may learn from it as one, nor be judged by it."""
    chunk = next(read_events([payments], MAPPING, EVENT))
    assert chunk.labels.to_list() == [0, 1, 1, None, 0]


def test_without_labels_or_order_of_time_chargebacks_are_refused():
    """A chargeback at the end of the file would be folded as if it were new."""
    for broken in (
        Mapping(label="fraud", chargebacks=True), Mapping(sort=True, chargebacks=True),
    ):  # fmt: skip
        with pytest.raises(BadMapping, match="add label and sort"):
            checked(broken)


def test_events_without_an_amount_have_nothing_to_charge_back(tmp_path):
    """The mapping is wrong for the event type, and says so."""
    path = tmp_path / "ticks.parquet"
    pl.DataFrame(
        {"event_id": ["a"], "occurred_at_ms": [START_MS], "symbol": ["S"], "price": [1.0], "fraud": [1]}
    ).write_parquet(path)
    with pytest.raises(BadMapping, match="no amount to charge back"):
        list(read_events([path], MAPPING, TICK))


def test_a_mapping_that_does_not_ask_for_chargebacks_gets_none():
    """Files of payments read as they always did."""
    assert not IDENTITY.chargebacks
