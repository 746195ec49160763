"""Labels of a file: what is the truth, when it became known, and what is neither."""

import msgspec
import polars as pl
import pytest

from schemas.events import transaction
from scoring.files import BadMapping, Mapping, read_events
from scoring.files.mapping import IDENTITY
from scoring.files.mapping_file import checked

DAY_MS = 86_400_000
T0 = 1_704_067_200_000  # 2024-01-01


def mapped(**more: object) -> Mapping:
    return checked(msgspec.structs.replace(IDENTITY, label="fraud", **more))


def chunk_of(tmp_path, rows: dict[str, list], mapping: Mapping, *, form: str = "csv"):
    count = len(next(iter(rows.values())))
    frame = pl.DataFrame(
        {
            "event_id": [f"e{i}" for i in range(count)],
            "occurred_at_ms": [T0 + i * 1_000 for i in range(count)],
            "account_id": ["a"] * count,
            "amount": [1.0] * count,
        }
        | rows,
        strict=False,
    )
    path = tmp_path / f"rows.{form}"
    frame.write_csv(path) if form == "csv" else frame.write_parquet(path)
    (chunk,) = read_events([path], mapping, transaction.EVENT)
    return chunk


def test_a_label_is_known_after_the_delay(tmp_path) -> None:
    """The delay is what keeps a consumer from knowing the truth with the event."""
    chunk = chunk_of(tmp_path, {"fraud": [0, 1, None]}, mapped(label_delay="7d"))
    assert chunk.labels.to_list() == [0, 1, None]
    assert chunk.known_at_ms.to_list() == [T0 + 7 * DAY_MS, T0 + 1_000 + 7 * DAY_MS, None]
    assert chunk.labels_refused == []


@pytest.mark.parametrize(("delay", "silent"), [("0s", None), ("30d", T0 + 30 * DAY_MS)])
def test_a_column_says_when_it_was_known_and_where_it_is_silent_the_delay_does(tmp_path, delay, silent) -> None:
    """Files often have the day of a report for frauds alone: the others are genuine once the time for reports is over."""
    rows = {"fraud": [0, 1], "reported": [None, "2024-01-05"]}
    chunk = chunk_of(tmp_path, rows, mapped(label_delay=delay, label_known="reported"))
    assert chunk.known_at_ms.to_list() == [silent, T0 + 4 * DAY_MS]
    assert chunk.labels_refused == []


def test_what_is_no_label_is_refused_with_row_and_reason_and_its_event_stays(tmp_path) -> None:
    """A label nobody can read is not the same as one nobody knows."""
    rows = {
        "fraud": ["0", "maybe", "NaN", "true", "1", "0", ""],
        "reported": [None, None, None, "2023-12-01", "soon", "2400-01-01", "soon"],
    }
    chunk = chunk_of(tmp_path, rows, mapped(label_delay="1d", label_known="reported"))
    assert chunk.frame.height == 7 and not chunk.refused
    assert chunk.known_at_ms.to_list() == [T0 + DAY_MS, None, None, None, None, None, None]
    assert [(row.row, str(row.reason), row.path) for row in chunk.labels_refused] == [
        (1, "WRONG_TYPE", "$.label"),
        (2, "WRONG_TYPE", "$.label"),
        (3, "OUT_OF_RANGE", "$.known_at_ms"),
        (4, "WRONG_TYPE", "$.known_at_ms"),
        (5, "TIME_OUT_OF_RANGE", "$.known_at_ms"),
    ]
    assert "maybe" not in chunk.labels_refused[0].detail


@pytest.mark.parametrize(("nan", "refused"), [("refused", 1), ("missing", 0)])
def test_not_a_number_is_no_fraud(tmp_path, nan, refused) -> None:
    """NaN is not 0, and a comparison with it holds in polars: neither may make a fraud of it."""
    for label in ("fraud", "fraud > 0.5"):
        mapping = checked(mapped(nan=nan).with_options([f"label:={label}"]))
        chunk = chunk_of(tmp_path, {"fraud": [0.0, float("nan"), 1.0]}, mapping, form="parquet")
        assert chunk.labels.to_list() == [0, None, 1]
        assert len(chunk.labels_refused) == refused


def test_a_chargeback_comes_when_the_label_is_known(tmp_path) -> None:
    """What a bank hears and what `labels` says of a payment are one fact with one time."""
    mapping = mapped(label_delay="30d", label_known="reported", chargebacks=True, sort=True)
    chunk = chunk_of(tmp_path, {"fraud": [0, 1, 1], "reported": [None, "2024-01-05", None]}, mapping)
    back = chunk.frame.filter(pl.col("event_id").str.starts_with("chargeback-"))
    assert back["occurred_at_ms"].to_list() == [T0 + 4 * DAY_MS, T0 + 2_000 + 30 * DAY_MS]
    assert chunk.known_at_ms.to_list()[3:] == [None, None] and not chunk.labels_refused


def test_a_time_without_a_truth_is_refused() -> None:
    """Whoever names the one has forgotten the other."""
    with pytest.raises(BadMapping, match="label_known without label"):
        IDENTITY.with_options(["label_known=reported"])


def test_a_group_of_lines_has_one_label(tmp_path) -> None:
    """Lines of one invoice are one event; a line without a truth leaves the invoice without one."""
    grouped = {
        "group": {"by": ["event_id"]}, "label": "max(fraud)", "label_delay": "1d", "time": {"column": "occurred_at_ms"},
        "fields": ["event_id=event_id", "account_id=account_id", "amount:=sum(amount)"],
    }  # fmt: skip
    mapping = checked(msgspec.convert(grouped, Mapping))
    rows = {"event_id": ["a", "a", "b", "b", "c"], "fraud": [0, 1, 0, None, 0]}
    chunk = chunk_of(tmp_path, rows, mapping)
    assert chunk.labels.to_list() == [1, None, 0] and not chunk.labels_refused
