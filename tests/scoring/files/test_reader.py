"""Every layout a mapping can describe, on small files; no row goes missing unsaid."""

import hashlib

import polars as pl
import pytest

from schemas.dead_letter import Reason
from schemas.events import tick, transaction
from scoring.files import BadMapping, UnreadableFile, read_events, read_mapping
from scoring.files.mapping import IDENTITY, Group, Join, Mapping, Melt, Time, parse_duration_ms

TRANSACTION, TICK = transaction.EVENT, tick.EVENT
T0 = 1_500_000_000_000


def write(path, **columns):
    pl.DataFrame(columns).write_parquet(path)
    return path


def events(files, mapping, event_type=TRANSACTION, **options):
    """All events as dictionaries, all refusals, and how many rows were filtered."""
    chunks = list(read_events(files, mapping, event_type, **options))
    return (
        [event for chunk in chunks for event in chunk.frame.to_dicts()],
        [row for chunk in chunks for row in chunk.refused],
        sum(chunk.filtered for chunk in chunks),
    )


def payments(folder, count=10, **more):
    columns = {
        "event_id": [f"e{i}" for i in range(count)],
        "occurred_at_ms": [T0 + i for i in range(count)],
        "account_id": ["A"] * count,
        "amount": [float(i) for i in range(count)],
    }
    return write(folder / "payments.parquet", **(columns | more))


def test_the_three_kinds_of_assignment(tmp_path):
    """A column, a constant and arithmetic cover nearly every file without a script."""
    file = write(
        tmp_path / "f.parquet", id=[1, 2], when=[T0, T0], who=[17850.0, 2.5], n=[2, 3], each=[1.5, 2.0]
    )
    mapping = Mapping(time=Time(column="when")).with_options(
        ["event_id=id", "account_id=who", "currency='GBP'", "amount:=n * each"]
    )
    found, refused, _ = events([file], mapping)
    assert found == [
        {"event_id": "1", "occurred_at_ms": T0, "account_id": "17850", "amount": 3.0, "currency": "GBP"},
        {"event_id": "2", "occurred_at_ms": T0, "account_id": "2.5", "amount": 6.0, "currency": "GBP"},
    ]
    assert refused == []


def test_arithmetic_on_unreadable_text_is_a_wrong_type_and_on_missing_text_a_missing_field(tmp_path):
    """The two have different remedies: one is a fault of the file, the other of its maker."""
    file = tmp_path / "f.csv"
    file.write_text(f"when,n,each\n{T0},2,1.5\n{T0},two,1.5\n{T0},,1.5\n{T0},1,0\n")
    mapping = Mapping(time=Time(column="when")).with_options(["account_id='A'", "amount:=n / each"])
    found, refused, _ = events([file], mapping)
    assert len(found) == 1
    assert [(row.row, row.reason) for row in refused] == [
        (1, Reason.WRONG_TYPE), (2, Reason.MISSING_FIELD), (3, Reason.NOT_FINITE),
    ]  # fmt: skip


def test_a_wide_file_melts_into_one_event_per_column_in_order_of_the_rows(tmp_path):
    """Price tables come as date × symbols; the order of time must survive."""
    file = write(tmp_path / "f.parquet", day=["2020-01-01", "2020-01-02"], AA=[1.0, 3.0], BB=[2.0, None])
    mapping = Mapping(
        time=Time(column="day"),
        melt=Melt(keep=("day",), name="symbol", value="close"),
        fields=("symbol=symbol", "price=close"),
        where="close is not null",
    )
    found, refused, filtered = events([file], mapping, TICK)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()[:12]
    assert [(event["event_id"], event["symbol"], event["price"]) for event in found] == [
        (f"{digest}-0-AA", "AA", 1.0), (f"{digest}-0-BB", "BB", 2.0), (f"{digest}-1-AA", "AA", 3.0),
    ]  # fmt: skip
    assert (refused, filtered) == ([], 1)


def test_lines_of_one_invoice_become_one_payment(tmp_path):
    """A payment is the sum of its lines; one line without amount makes it unknown, not smaller."""
    file = write(
        tmp_path / "f.parquet",
        invoice=["1", "1", "2", "3", "3"],
        when=[T0, T0 + 5, T0 + 1, T0 + 2, T0 + 2],
        who=["A", "B", "A", "C", "C"],
        n=[2.0, 1.0, -1.0, 1.0, None],
        each=[1.5, 2.0, 4.0, 1.0, 1.0],
    )
    mapping = Mapping(
        time=Time(column="when"),
        group=Group(by=("invoice",)),
        fields=("event_id=invoice", "account_id=who", "amount:=sum(n * each)", "balance:=count()"),
    )
    found, refused, _ = events([file], mapping)
    names = ("event_id", "account_id", "amount", "balance")
    assert [tuple(event[name] for name in names) for event in found] == [
        ("1", "A", 5.0, 2.0),
        ("2", "A", -4.0, 1.0),
    ]
    assert [(row.row, row.reason, row.path) for row in refused] == [(3, Reason.MISSING_FIELD, "$.amount")]


def fx(folder, swapped=False):
    bid = write(folder / "eurusd_bid.parquet", t=["2020-01-01 00:00", "2020-01-01 00:01"], close=[1.0, 2.0])
    ask = write(folder / "eurusd_ask.parquet", t=["2020-01-01 00:01", "2020-01-01 00:02"], close=[2.2, 3.0])
    return [ask, bid] if swapped else [bid, ask]


@pytest.mark.parametrize("swapped", [False, True])
def test_files_joined_side_by_side_know_their_names_and_lose_no_row(tmp_path, swapped):
    """A shell pattern puts ask before bid; and a minute that one side lacks is reported, not dropped."""
    mapping = Mapping(
        time=Time(column="t"),
        join=Join(on="t", names=("bid", "ask")),
        fields=(
            "symbol:=before(_file, '_')",
            "price:=(bid_close + ask_close) / 2",
            "bid=bid_close",
            "ask=ask_close",
        ),
    )
    found, refused, _ = events(fx(tmp_path, swapped), mapping, TICK)
    assert [(event["symbol"], event["bid"], event["ask"], event["price"]) for event in found] == [
        ("eurusd", 2.0, 2.2, 2.1)
    ]
    assert sorted((row.reason, row.path) for row in refused) == [(Reason.MISSING_FIELD, "$.price")] * 2


def test_a_join_column_that_repeats_is_refused(tmp_path):
    """It would multiply rows: four events out of two minutes."""
    bid, ask = fx(tmp_path)
    write(ask, t=["2020-01-01 00:01"] * 2, close=[1.0, 2.0])
    mapping = Mapping(
        time=Time(column="t"),
        join=Join(on="t", names=("bid", "ask")),
        fields=("symbol='S'", "price=bid_close"),
    )
    with pytest.raises(BadMapping, match="repeats a value"):
        events([bid, ask], mapping, TICK)


def test_sorting_is_by_event_time_and_keeps_ties_in_order(tmp_path):
    """Ties are common in daily data; a different order would be a different score."""
    file = write(tmp_path / "f.parquet", when=[T0 + 1, T0, T0 + 1, T0], who=["a", "b", "c", "d"])
    mapping = Mapping(time=Time(column="when"), sort=True, fields=("account_id=who", "amount:=1"))
    found, _, _ = events([file], mapping, chunk_rows=1)
    assert [event["account_id"] for event in found] == ["b", "d", "a", "c"]


@pytest.mark.parametrize("chunk_rows", [1, 3, 100])
@pytest.mark.parametrize("sort", [False, True])
def test_limit_and_from_row_count_events_and_rows(tmp_path, chunk_rows, sort):
    """Resuming a feed at a row must neither repeat nor skip one, however the file is cut into chunks."""
    file = payments(tmp_path, amount=[0.0, 1.0, float("nan"), 3.0, 4.0, 5.0, float("nan"), 7.0, 8.0, 9.0])
    mapping = IDENTITY.with_options([])
    mapping = Mapping(same_names=True, time=mapping.time, sort=sort)
    found, refused, _ = events([file], mapping, limit=3, from_row=1, chunk_rows=chunk_rows)
    assert [event["event_id"] for event in found] == ["e1", "e3", "e4"]
    assert [row.row for row in refused] == [2]


def test_several_files_follow_one_another(tmp_path):
    """Days often come in a file each; the limit counts over all of them."""
    (tmp_path / "one").mkdir()
    first, second = payments(tmp_path, 3), payments(tmp_path / "one", 3)
    found, _, _ = events([first, second], IDENTITY, limit=5)
    assert [event["event_id"] for event in found] == ["e0", "e1", "e2", "e0", "e1"]


def test_labels_stand_beside_the_events_and_not_in_them(tmp_path):
    """Training needs the truth; a scorer that could see it would be worthless."""
    file = payments(tmp_path, 4, fraud=[0, 1, None, 1], amount=[1.0, 2.0, 3.0, float("inf")])
    mapping = IDENTITY.with_options(["label=fraud", "label_delay=7d"])
    (chunk,) = read_events([file], mapping, TRANSACTION)
    assert chunk.labels is not None and chunk.labels.to_list() == [0, 1, None]
    assert chunk.labels.dtype == pl.Int8
    assert "fraud" not in chunk.frame.columns
    assert mapping.label_delay_ms == parse_duration_ms("7d") == 604_800_000
    with_condition = IDENTITY.with_options(["label:=fraud == 1"])
    (chunk,) = read_events([file], with_condition, TRANSACTION)
    assert chunk.labels is not None and chunk.labels.to_list() == [0, 1, None]


def test_not_a_number_is_refused_unless_the_mapping_says_it_means_missing(tmp_path):
    """pandas writes missing numbers so; but guessing it would hide real faults."""
    file = payments(tmp_path, 2, balance=[1.0, float("nan")])
    found, refused, _ = events([file], IDENTITY)
    assert len(found) == 1 and refused[0].reason == Reason.NOT_FINITE and refused[0].path == "$.balance"
    found, refused, _ = events([file], Mapping(same_names=True, time=IDENTITY.time, nan="missing"))
    assert [event["balance"] for event in found] == [1.0, None] and refused == []


def test_csv_and_json_lines_say_the_same_as_parquet(tmp_path):
    """The format of the file is no part of the truth."""
    parquet = payments(tmp_path, 5, currency=["EUR", None, "USD", "EUR", None])
    frame = pl.read_parquet(parquet)
    frame.write_csv(tmp_path / "f.csv")
    frame.write_csv(tmp_path / "f.tsv", separator="\t")
    frame.write_ndjson(tmp_path / "f.jsonl")
    wanted = events([parquet], IDENTITY)
    assert len(wanted[0]) == 5
    for name in ("f.csv", "f.tsv", "f.jsonl"):
        assert events([tmp_path / name], IDENTITY, chunk_rows=2) == wanted


def test_a_broken_json_line_is_one_refused_row(tmp_path):
    """One torn line of a log must not hide the others."""
    file = tmp_path / "f.jsonl"
    good = f'{{"event_id":"1","occurred_at_ms":{T0},"account_id":"A","amount":1}}'
    file.write_bytes(
        b"\n".join([good.encode(), b'{"event_id":', b"", b"[1]", b'{"a":"\xff"}', b'{"amount":NaN}'])
    )
    found, refused, _ = events([file], Mapping(same_names=True, time=IDENTITY.time, where="amount > 0"))
    assert len(found) == 1
    assert [(row.row, row.reason, row.path) for row in refused] == [
        (1, Reason.BROKEN_JSON, "$"), (3, Reason.WRONG_TYPE, "$"),
        (4, Reason.NOT_UTF8, "$"), (5, Reason.NOT_FINITE, "$.amount"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["amount=NOPE"], "no column 'NOPE'.*columns are"),
        (["nonsense=amount"], "no field 'nonsense'"),
        (["amount"], "no assignment"),
        (["amount:=amount +"], "amount"),
        (["time.zone='Mars/Olympus'"], "zone 'Mars/Olympus'"),
        (["time.unit=week"], "time.unit"),
        (["time.colour=red"], "time.colour"),
        (["amount=flags"], "'flags' is List"),
    ],
)
def test_a_wrong_option_names_the_thing_and_the_remedy(tmp_path, options, said):
    """Mappings are written by trial: the message is the documentation."""
    file = payments(tmp_path, 2, flags=[[1], [2]])
    with pytest.raises(BadMapping, match=said):
        events([file], IDENTITY.with_options(options))


def test_a_required_field_without_a_column_is_refused_before_any_row(tmp_path):
    """Better than a million refused rows."""
    file = write(tmp_path / "f.parquet", occurred_at_ms=[T0], amount=[1.0])
    with pytest.raises(BadMapping, match=r"'account_id' of Transaction is required.*--set account_id=COLUMN"):
        events([file], IDENTITY)


def test_an_unreadable_file_is_named(tmp_path):
    """The first thing that goes wrong is the path."""
    with pytest.raises(UnreadableFile, match=r"nothing\.parquet: no such file"):
        events([tmp_path / "nothing.parquet"], IDENTITY)
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"PAR1 but not really")
    with pytest.raises(UnreadableFile, match=r"broken\.parquet"):
        events([broken], IDENTITY)
    empty = tmp_path / "empty.csv"
    empty.write_bytes(b"")
    with pytest.raises(UnreadableFile, match=r"empty\.csv"):
        events([empty], IDENTITY)


def test_a_mapping_file_refuses_unknown_names_and_other_event_types(tmp_path):
    """A typing error in a mapping must not be silently without effect."""
    path = tmp_path / "m.toml"
    path.write_text('sorted = true\nfields = ["amount=a"]\n')
    with pytest.raises(BadMapping, match="sorted"):
        read_mapping(path)
    with pytest.raises(BadMapping, match=r"give the path of a TOML file, or one of .*handbook_cards"):
        read_mapping("no_such_mapping")
    with pytest.raises(BadMapping, match="for Measurement events, not Transaction"):
        events([payments(tmp_path)], read_mapping("nab_series"))


def test_an_option_replaces_the_assignment_of_a_shipped_mapping():
    """One different column should not need a new file."""
    mapping = read_mapping("handbook_cards").with_options(["amount:=TX_AMOUNT / 100", "country='BE'"])
    assert mapping.assignments["amount"].value == "TX_AMOUNT / 100"
    assert mapping.assignments["country"].kind == "constant"
    assert mapping.assignments["account_id"].value == "CUSTOMER_ID"
