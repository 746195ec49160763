"""Frauds as they reach a bank: each labelled payment comes back as a chargeback when its label becomes known.

A chargeback is a refund of the payment's amount on the same account and merchant. Written into the log at its own time it
is folded as any event, so what a view knows of frauds it knows with their delay, live as in training.
"""

import polars as pl

from scoring.files.errors import BadMapping
from scoring.files.labels import KNOWN_AT
from scoring.files.layout import LABEL
from scoring.files.mapping import TIME
from scoring.files.rows import VALID, Typed

BEFORE_ID = "chargeback-"


def with_chargebacks(rows: Typed) -> Typed:
    """The rows, and behind them a chargeback for each payment labelled 1; chargebacks have no label.

    A payment of nothing has nothing to give back, and a refund is none to charge back: those get none.

    Raises:
        BadMapping: the event type has no amount.
    """
    mapping, event_type = rows.layout.mapping, rows.layout.event_type
    if "amount" not in event_type.struct.__struct_fields__:
        raise BadMapping(f"mapping {mapping.name}: {event_type.name} has no amount to charge back; remove chargebacks")
    known = pl.col(KNOWN_AT).is_not_null()
    struck = rows.table.filter(pl.col(VALID) & known & (pl.col(LABEL) == 1) & (pl.col("amount") > 0))
    changed = [
        (pl.lit(BEFORE_ID) + pl.col("event_id")).alias("event_id"),
        pl.col(KNOWN_AT).alias(TIME),
        pl.lit(None, pl.Int64()).alias(KNOWN_AT),
        (-pl.col("amount")).alias("amount"),
        pl.lit(None, struck.schema[LABEL]).alias(LABEL),
    ]
    if "balance" in struck.columns:  # it was that of the payment
        changed.append(pl.lit(None, struck.schema["balance"]).alias("balance"))
    return Typed(pl.concat([rows.table, struck.with_columns(changed)]), rows.layout, rows.file)
