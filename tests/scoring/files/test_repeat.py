"""Groups of columns that repeat become events in the order of their places; what nobody may be judged by stays apart."""

from pathlib import Path

import polars as pl
import pytest

from schemas.catalog import event_types
from scoring.files import BadMapping, Chunk, read_events, read_mapping
from scoring.files.mapping import Mapping, Time, checked
from scoring.files.repeat import Repeat

MONTHS = event_types()["account-months"]
TWO = Repeat(
    columns={"bill": "BILL_{}"}, places={"b": "2005-08-31", "a": "2005-09-30"}, name="closed", label_at="a"
)
MAPPING = Mapping(
    fields=("account_id=ID", "credit_limit=LIMIT", "billed=bill"), time=Time(column="closed"), repeat=TWO,
    label="DEFAULT", protected=("SEX",), name="test",
)  # fmt: skip


def written(folder: Path, suffix: str = "parquet", **changed: list) -> Path:
    """Two accounts with two months each, the later month first in the file."""
    columns = {
        "ID": [7, 8], "LIMIT": [10.0, 20.0], "BILL_a": [1.0, 2.0], "BILL_b": [3.0, 4.0], "DEFAULT": [1, 0],
        "SEX": [2, 1],
    }  # fmt: skip
    frame = pl.DataFrame({name: column for name, column in (columns | changed).items() if column})
    path = folder / f"cards.{suffix}"
    {"parquet": frame.write_parquet, "csv": frame.write_csv, "jsonl": frame.write_ndjson}[suffix](path)
    return path


def read(path: Path, mapping: Mapping = MAPPING) -> Chunk:
    """The only chunk of a file."""
    (chunk,) = read_events([path], checked(mapping), MONTHS)
    return chunk


@pytest.mark.parametrize("suffix", ["parquet", "csv", "jsonl"])
def test_one_row_becomes_one_event_per_place_in_their_order(tmp_path, suffix):
    """An account's months come in the order in which they happened, whatever the order of the columns."""
    frame = read(written(tmp_path, suffix)).frame
    assert frame.select("account_id", "billed").rows() == [("7", 3.0), ("7", 1.0), ("8", 4.0), ("8", 2.0)]
    assert frame["credit_limit"].to_list() == [10.0, 10.0, 20.0, 20.0]
    assert frame["occurred_at_ms"].to_list()[:2] == [1_125_446_400_000, 1_128_038_400_000]


def test_only_the_event_of_the_named_place_carries_the_label(tmp_path):
    """What happens after the last month says nothing of the first ones: their truth is unknown, not 0."""
    chunk = read(written(tmp_path))
    assert chunk.labels is not None and chunk.labels.to_list() == [None, 1, None, 0]


def test_ids_tell_the_places_of_a_row_apart(tmp_path):
    """Two events of one row with one id would count as a duplicate, and one of them would be lost."""
    assert read(written(tmp_path)).frame["event_id"].n_unique() == 4


def test_sorted_events_keep_the_order_of_the_file_within_a_day(tmp_path):
    """A protocol that cuts by the order of the file finds it in the labelled events."""
    mapping = Mapping(**{name: getattr(MAPPING, name) for name in MAPPING.__struct_fields__} | {"sort": True})
    assert read(written(tmp_path), mapping).frame["account_id"].to_list() == ["7", "8", "7", "8"]


def test_a_refused_month_leaves_the_others(tmp_path):
    """One unreadable cell costs one event, and the refusal names the row of the file."""
    chunk = read(written(tmp_path, "csv", BILL_a=["1.0", "much"]))
    assert chunk.frame["account_id"].to_list() == ["7", "7", "8"]
    assert [(row.row, row.path) for row in chunk.refused] == [(1, "$.billed")]


def test_protected_columns_stand_beside_the_events_and_never_in_them(tmp_path):
    """They are there for figures per group; a file without them is read all the same."""
    chunk = read(written(tmp_path))
    assert chunk.protected is not None and chunk.protected.to_dict(as_series=False) == {"SEX": [2, 2, 1, 1]}
    assert set(chunk.frame.columns) <= set(MONTHS.struct.__struct_fields__)
    assert read(written(tmp_path, SEX=[])).protected is None


def test_a_protected_column_in_a_field_is_refused(tmp_path):
    """Nobody puts it into a model by a slip in a mapping."""
    mapping = Mapping(fields=("account_id=ID", "billed:=SEX * 2"), protected=("SEX",), name="test")
    with pytest.raises(BadMapping, match="'SEX' is protected and used"):
        checked(mapping)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"columns": {"bill": "BILL"}}, "columns with one {} each"),
        ({"places": {}}, "needs places"),
        ({"label_at": "c"}, "none of the places b, a"),
    ],
)
def test_a_repeat_that_cannot_be_is_refused_when_it_is_read(changed, said):
    """A mapping is wrong before any file is opened."""
    fields = {name: getattr(TWO, name) for name in TWO.__struct_fields__} | changed
    with pytest.raises(BadMapping, match=said):
        checked(Mapping(repeat=Repeat(**fields), name="test"))


def test_a_new_column_that_the_file_has_already_is_refused(tmp_path):
    """Taking either of the two silently would be a guess."""
    with pytest.raises(BadMapping, match="repeat makes 'closed'"):
        read(
            written(tmp_path, closed=[1, 2]),
            Mapping(
                fields=("account_id=ID", "credit_limit=LIMIT", "billed=bill", "paid=closed"), repeat=TWO,
                time=Time(column="ID"), name="test",
            ),
        )  # fmt: skip


def test_the_shipped_card_mapping_keeps_what_nobody_may_be_judged_by_apart():
    """Sex, education, marriage and age are in no field of the event."""
    assert read_mapping("uci_card_default").protected == ("sex", "education", "marriage", "age")
