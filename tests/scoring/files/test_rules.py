"""Files and topics refuse the same rows for the same reasons."""

import math
from pathlib import Path

import msgspec
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.codec import EventDecoder, Refused
from schemas.dead_letter import Reason
from schemas.events import tick, transaction
from scoring.files import RefusedRow, read_events
from scoring.files.mapping import IDENTITY

TRANSACTION, TICK = transaction.EVENT, tick.EVENT
IDS = st.one_of(
    st.none(),
    st.sampled_from(["", "a", "x" * 128, "x" * 129, "é" * 128, "𝒳" * 129, "€" * 65]),
    st.text(max_size=5),
)
AMOUNTS = st.one_of(
    st.none(),
    st.floats(),
    st.sampled_from(
        [0.0, -0.0, 1e15, -1e15, math.nextafter(1e15, 2e15), math.nan, math.inf, -math.inf, 1e308]
    ),
)
TIMES = st.one_of(
    st.none(),
    st.sampled_from(
        [0, -1, 100_000_000, 100_000_001, 9_999_999_999, 10_000_000_000, 10**13, -(10**13), 10**13 - 1]
    ),
    st.integers(-(2**62), 2**62),
    st.integers(1_000_000_000_000, 2_000_000_000_000),
)


def record_of(event_type, row: dict[str, object]) -> bytes:
    """The JSON of a row as a careless producer would write it: missing left out, NaN as a bare word."""
    parts = []
    for name in event_type.struct.__struct_fields__:
        value = row.get(name)
        if value is None:
            continue
        bare = isinstance(value, float) and not math.isfinite(value)
        word = "NaN" if value != value else "-Infinity" if bare and value < 0 else "Infinity"
        parts.append(f'"{name}":{word if bare else msgspec.json.encode(value).decode()}')
    return ("{" + ",".join(parts) + "}").encode()


def expected(event_type, rows):
    """What the decoder says about every row: None, or reason and path."""
    said = []
    for row in rows:
        try:
            EventDecoder(event_type).decode(record_of(event_type, row))
            said.append(None)
        except Refused as refused:
            said.append((refused.reason, refused.path))
    return said


def read_back(folder: Path, event_type, rows, schema):
    """What reading a Parquet file of these rows says about every row."""
    path = folder / "rows.parquet"
    pl.DataFrame(rows, schema=schema, orient="row").write_parquet(path)
    said = {}
    for chunk in read_events([path], IDENTITY, event_type, chunk_rows=3):
        assert chunk.frame.height == len(chunk.rows)
        said |= dict.fromkeys(chunk.rows.to_list())
        said |= {row.row: (row.reason, row.path) for row in chunk.refused}
        for event, row in zip(chunk.frame.to_dicts(), chunk.rows, strict=True):
            assert event == {name: rows[row][name] for name in schema}
    return [said[row] for row in range(len(rows))]


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_transaction_row_is_refused_exactly_as_its_record_would_be(tmp_path_factory, data):
    """The oracle is the decoder of the worker: feed must neither hide nor invent a dead letter."""
    row = st.fixed_dictionaries(
        {
            "event_id": IDS,
            "occurred_at_ms": TIMES,
            "account_id": IDS,
            "amount": AMOUNTS,
            "currency": st.one_of(st.none(), st.sampled_from(["", "EUR", "x" * 64, "x" * 65])),
            "balance": AMOUNTS,
        }
    )
    rows = data.draw(st.lists(row, min_size=1, max_size=8))
    schema = {
        "event_id": pl.String, "occurred_at_ms": pl.Int64, "account_id": pl.String,
        "amount": pl.Float64, "currency": pl.String, "balance": pl.Float64,
    }  # fmt: skip
    folder = tmp_path_factory.mktemp("rows")
    assert read_back(folder, TRANSACTION, rows, schema) == expected(TRANSACTION, rows)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_tick_row_is_refused_exactly_as_its_record_would_be(tmp_path_factory, data):
    """Prices have an open lower bound, volumes a closed one."""
    price = st.one_of(AMOUNTS, st.floats(0.01, 100))
    row = st.fixed_dictionaries(
        {
            "event_id": st.just("e"), "occurred_at_ms": st.just(1_500_000_000_000),
            "symbol": st.just("S"), "price": price, "bid": price, "volume": price,
        }
    )  # fmt: skip
    rows = data.draw(st.lists(row, min_size=1, max_size=8))
    schema = {
        "event_id": pl.String, "occurred_at_ms": pl.Int64, "symbol": pl.String,
        "price": pl.Float64, "bid": pl.Float64, "volume": pl.Float64,
    }  # fmt: skip
    folder = tmp_path_factory.mktemp("rows")
    assert read_back(folder, TICK, rows, schema) == expected(TICK, rows)


@pytest.mark.parametrize(
    ("line", "reason", "path"),
    [
        ("1,1500000000000,A,abc", Reason.WRONG_TYPE, "$.amount"),
        ("1,1500000000000,A,", Reason.MISSING_FIELD, "$.amount"),
        ("1,1500000000000,A,NaN", Reason.NOT_FINITE, "$.amount"),
        ("1,1500000000000,A,2e15", Reason.OUT_OF_RANGE, "$.amount"),
        ("1,1500000000000,,1", Reason.MISSING_FIELD, "$.account_id"),
        (f"1,1500000000000,{'x' * 129},1", Reason.LONG_ID, "$.account_id"),
        ("1,1500000000,A,1", Reason.TIME_IN_SECONDS, "$.occurred_at_ms"),
        ("1,1500000000000000,A,1", Reason.TIME_OUT_OF_RANGE, "$.occurred_at_ms"),
        ("1,yesterday,A,1", Reason.WRONG_TYPE, "$.occurred_at_ms"),
    ],
)
def test_a_faulty_csv_line_is_told_with_its_row_and_reason(tmp_path, line, reason, path):
    """A person looks the row up in the file; a program counts by the code."""
    file = tmp_path / "rows.csv"
    file.write_text(f"event_id,occurred_at_ms,account_id,amount\n0,1500000000000,007,1.5\n{line}\n")
    (chunk,) = read_events([file], IDENTITY, TRANSACTION)
    assert chunk.frame.to_dicts() == [
        {"event_id": "0", "occurred_at_ms": 1_500_000_000_000, "account_id": "007", "amount": 1.5}
    ]
    (refused,) = chunk.refused
    assert isinstance(refused, RefusedRow)
    assert (refused.row, refused.reason, refused.path, refused.file) == (1, reason, path, file)
    assert "yesterday" not in refused.detail and "abc" not in refused.detail
