"""Small views and events for tests whose numbers are worked out by hand. Times are in seconds here."""

from dataclasses import replace
from typing import Any

from schemas.events import tick, transaction
from schemas.events.tick import Tick
from schemas.events.transaction import Transaction
from scoring.features.batch import EventBatch
from scoring.features.spec import Feature, FeatureView, LogReturn, Number
from scoring.features.table import FeatureTable, fold_table

PAYMENTS = FeatureView(
    name="payments",
    event=transaction.EVENT,
    entity="account_id",
    group="currency",
    numbers=(Number("charge", of="amount", keep="positive"), Number("refund", of="amount", keep="negative")),
    codes=("merchant_id",),
    features=(),
    ring=8,
    horizon="1h",
    grace="1m",
)
PRICES = FeatureView(
    name="prices",
    event=tick.EVENT,
    entity="symbol",
    numbers=(Number("price"), Number("volume"), LogReturn("log_return", of="price")),
    features=(),
    ring=8,
    horizon="1h",
    grace="1m",
)


def payment(event_id: str, at: float, amount: float, **more: Any) -> Transaction:
    """A payment of account `a`, `at` seconds."""
    return Transaction(
        event_id=event_id, occurred_at_ms=round(at * 1000), account_id="a", amount=amount, **more
    )


def price(event_id: str, at: float, price: float, **more: Any) -> Tick:
    """A tick of symbol `x`, `at` seconds."""
    return Tick(event_id=event_id, occurred_at_ms=round(at * 1000), symbol="x", price=price, **more)


def table_of(view: FeatureView, *events: Any) -> FeatureTable:
    """The events folded in this order onto empty state."""
    return fold_table(view, EventBatch.from_events(view.event, events))


def values_of(view: FeatureView, feature: Feature, *events: Any) -> list[float]:
    """The feature at each event, as published (float32)."""
    vectors: list[float] = table_of(replace(view, features=(feature,)), *events).vectors[:, 0].tolist()
    return vectors
