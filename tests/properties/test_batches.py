"""A batch made of decoded JSON equals the batch made of a file's columns."""

import msgspec
import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.events import tick, transaction
from schemas.events.transaction import Transaction
from scoring.features.batch import EventBatch
from scoring.features.frame import batch_of_frame
from tests.support.streams import SMALL_CARDS, SMALL_TICKS, streams

TEXT = st.text(min_size=1, max_size=12)
NUMBER = st.floats(-1e15, 1e15)
PAYMENTS = st.lists(
    st.builds(
        Transaction,
        event_id=TEXT,
        occurred_at_ms=st.integers(-(10**13), 10**13),
        account_id=TEXT,
        amount=NUMBER,
        currency=st.none() | st.sampled_from(("EUR", "USD")),
        merchant_id=st.none() | TEXT,
        category=st.none() | TEXT,
        channel=st.none() | TEXT,
        country=st.none() | TEXT,
        balance=st.none() | NUMBER,
    ),
    max_size=20,
)


def frame_of(events: list[msgspec.Struct], struct: type[msgspec.Struct]) -> pl.DataFrame:
    """The events as a file would hold them."""
    kinds = {"occurred_at_ms": pl.Int64} | dict.fromkeys(
        ("amount", "balance", "price", "bid", "ask", "volume"), pl.Float64
    )
    schema = {name: kinds.get(name, pl.String) for name in struct.__struct_fields__}
    return pl.DataFrame([msgspec.structs.asdict(event) for event in events], schema=schema, orient="row")


def assert_same(one: EventBatch, other: EventBatch) -> None:
    """Bit for bit, NaN included."""
    assert (one.entities, list(one.event_ids)) == (other.entities, list(other.event_ids))
    for name in ("entity", "occurred_at_ms", "id_hash", "body_hash"):
        first, second = getattr(one, name), getattr(other, name)
        assert (first.dtype, first.tobytes()) == (second.dtype, second.tobytes()), name
    for kind in ("numbers", "texts"):
        first, second = getattr(one, kind), getattr(other, kind)
        assert first.keys() == second.keys()
        for name in first:
            assert first[name].tobytes() == second[name].tobytes(), name


@given(PAYMENTS)
def test_json_and_file_give_the_same_payments(events: list[Transaction]) -> None:
    """Live decodes JSON, replay and training read Parquet; their states must agree to the bit."""
    wire = [msgspec.json.decode(msgspec.json.encode(event), type=Transaction) for event in events]
    from_json = EventBatch.from_events(transaction.EVENT, wire)
    assert_same(from_json, batch_of_frame(transaction.EVENT, frame_of(events, Transaction)))


@pytest.mark.parametrize("view", [SMALL_CARDS, SMALL_TICKS], ids=lambda view: view.name)
@given(data=st.data())
def test_json_and_file_give_the_same_streams(view: object, data: st.DataObject) -> None:
    """Entities and ids that come again and again, long enough for the other way of hashing columns."""
    assert view in (SMALL_CARDS, SMALL_TICKS)
    events = data.draw(streams(view))
    frame = frame_of(events, view.event.struct)
    assert_same(EventBatch.from_events(view.event, events), batch_of_frame(view.event, frame))


def test_a_column_that_is_absent_is_a_column_of_missing_values() -> None:
    """Files rarely have every optional field."""
    frame = pl.DataFrame({"event_id": ["1"], "occurred_at_ms": [5], "symbol": ["x"], "price": [2.0]})
    batch = batch_of_frame(tick.EVENT, frame)
    assert_same(batch, EventBatch.from_events(tick.EVENT, [msgspec.convert(frame.to_dicts()[0], tick.Tick)]))
    assert np.isnan(batch.numbers["bid"]).all() and batch.texts["venue"].tolist() == [0]


def test_every_kind_of_nan_becomes_the_same_missing_value() -> None:
    """Division in a file's mapping leaves a NaN with its sign set; states are compared byte by byte."""
    frame = pl.DataFrame(
        {"event_id": ["1"], "occurred_at_ms": [5], "account_id": ["a"], "amount": [2.0], "balance": [-np.nan]}
    )
    missing = frame.with_columns(balance=pl.lit(None, pl.Float64))
    assert_same(
        batch_of_frame(transaction.EVENT, frame), batch_of_frame(transaction.EVENT, missing)
    )


@pytest.mark.parametrize(
    ("column", "values", "found"),
    [
        ("event_id", ["1", None], "1 missing values"),
        ("symbol", [None, None], "2 missing values"),
        ("event_id", [1, 2], "type Int64"),
        ("occurred_at_ms", [1, None], "1 missing values"),
        ("occurred_at_ms", [1.5, 2.0], "type Float64"),
        ("occurred_at_ms", [None, None], "2 missing values"),
    ],
)
def test_a_column_that_cannot_be_folded_is_named(column: str, values: list[object], found: str) -> None:
    """A missing key would become another entity's event, a time in another unit another window."""
    frame = pl.DataFrame(
        {"event_id": ["1", "2"], "occurred_at_ms": [5, 6], "symbol": ["x", "y"], "price": [2.0, 3.0]}
    ).with_columns(pl.Series(column, values))
    with pytest.raises(ValueError, match=rf"{column}.*expected .*{found}"):
        batch_of_frame(tick.EVENT, frame)


def test_a_required_column_that_is_absent_is_named() -> None:
    """The error says what there is, so that a wrong mapping is seen at once."""
    frame = pl.DataFrame({"event_id": ["1"], "symbol": ["x"], "price": [2.0]})
    with pytest.raises(ValueError, match=r"'occurred_at_ms': expected whole milliseconds.*event_id, symbol"):
        batch_of_frame(tick.EVENT, frame)


def test_a_batch_without_events_is_folded_to_nothing() -> None:
    """A poll may bring only records that were refused."""
    empty = EventBatch.from_events(tick.EVENT, [])
    assert_same(empty, batch_of_frame(tick.EVENT, frame_of([], tick.Tick)))
