"""What is sent is what the decoder of the worker reads."""

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.codec import EventDecoder
from schemas.events import transaction
from stream.feed.records import as_records, encode

TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=128)
ROW = st.fixed_dictionaries(
    {
        "event_id": TEXT,
        "occurred_at_ms": st.integers(1_000_000_000_000, 9_000_000_000_000),
        "account_id": TEXT,
        "amount": st.floats(-1e15, 1e15),
        "merchant_id": st.none() | TEXT,
        "balance": st.none() | st.floats(-1e15, 1e15),
    }
)
SCHEMA = {
    "event_id": pl.String,
    "occurred_at_ms": pl.Int64,
    "account_id": pl.String,
    "amount": pl.Float64,
    "merchant_id": pl.String,
    "balance": pl.Float64,
}


@settings(deadline=None)
@given(st.lists(ROW, min_size=1, max_size=10))
def test_every_encoded_event_decodes_to_the_same_values(rows):
    """Digits, escapes and missing values survive: a score must not depend on the way in."""
    records = as_records(pl.DataFrame(rows, schema=SCHEMA), transaction.EVENT, 7)
    decoder = EventDecoder(transaction.EVENT, strict=True)
    for row, value, key in zip(rows, records.values, records.keys, strict=True):
        event = decoder.decode(value)
        assert {name: getattr(event, name) for name in SCHEMA} == row
        assert key == event.account_id.encode()
    assert len(records) == len(rows) and max(records.partitions) < 7


def test_a_column_without_any_value_costs_no_bytes():
    """A mapped column that is empty throughout would add a null to every record."""
    frame = pl.DataFrame({"event_id": ["a"], "currency": [None]}, schema_overrides={"currency": pl.String})
    assert encode(frame) == [b'{"event_id":"a"}']
    assert encode(frame.head(0)) == []
