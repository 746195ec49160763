"""States of accounts that have long been paying, made by the worker's own fold from payments before the measured ones."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import polars as pl

from benchmarks.payments import FIRST_MS, Payments
from schemas.events.transaction import EVENT
from scoring.features.frame import batch_of_frame
from scoring.features.spec import FeatureView
from scoring.features.table import fold_table


@dataclass(frozen=True, eq=False)
class Filled:
    """Packed states by account, and when the last of their payments was.

    Attributes:
        last_ms: event time.
    """

    states: dict[str, bytes]
    last_ms: int

    @property
    def mean_bytes(self) -> float:
        """Of a packed state."""
        return sum(map(len, self.states.values())) / len(self.states)

    def following(self, payments: Payments) -> Payments:
        """The payments, beginning right after the last one of these."""
        return replace(payments, first_ms=self.last_ms + payments.spacing_ms)


def fill(view: FeatureView, payments: Payments, events: int) -> Filled:
    """States after the first `events` of the payments, whose ids are others than those of any `Payments`."""
    states: dict[str, bytes] = {}
    last_ms = FIRST_MS
    for frame in before(payments, events):
        batch = batch_of_frame(EVENT, frame)
        table = fold_table(view, batch, [states.get(account) for account in batch.entities])
        states.update(zip(batch.entities, table.states, strict=True))
        last_ms = int(batch.occurred_at_ms[-1])
    return Filled(states, last_ms)


def before(payments: Payments, events: int) -> Iterator[pl.DataFrame]:
    """The payments under ids of their own: a state that knew an id would take the measured payment for a duplicate."""
    for frame in payments.frames(events):
        yield frame.with_columns(event_id="before-" + pl.col("event_id"))
