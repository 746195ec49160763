"""The shipped data: what the README beside it says, and what the event types accept."""

from pathlib import Path

import msgspec
import polars as pl
import pytest

from schemas.catalog import event_types
from schemas.codec import EventDecoder
from scoring.files import read_events, read_mapping
from stream.demo.make_data import closes, payments

DATA = Path(__file__).parents[3] / "stream/demo/data"
ROWS = {
    "payments_train": 13_842,
    "payments_demo": 8_348,
    "closes_train": 85_740,
    "closes_demo": 15_120,
    "portfolios_demo": 1_512,
    "cards_train": 19_200,
    "cards_demo": 4_800,
    "series_train": 127_756,
}
LARGEST_SUM_BYTES = 3_200_000


@pytest.mark.parametrize("name", ROWS)
def test_the_readme_states_the_rows_of_each_file(name: str) -> None:
    """Figures in documents come from the files they speak of."""
    assert pl.scan_parquet(DATA / f"{name}.parquet").select(pl.len()).collect().item() == ROWS[name]
    assert f"`{name}.parquet` | {ROWS[name]:,} |" in (DATA / "README.md").read_text()


def test_the_shipped_data_stays_small() -> None:
    """It travels with every clone and every wheel."""
    assert sum(path.stat().st_size for path in DATA.glob("*.parquet")) < LARGEST_SUM_BYTES


def test_nothing_of_the_shipped_data_is_injected() -> None:
    """The files are real rows only; frauds are added while the demo runs."""
    for name in ("payments_train", "payments_demo"):
        ids = pl.read_parquet(DATA / f"{name}.parquet", columns=["event_id"])["event_id"]
        assert not ids.str.starts_with("INJECTED").any()
        assert ids.is_unique().all()


@pytest.mark.parametrize("kind", ["payments", "closes"])
def test_training_rows_end_before_demo_rows_begin(kind: str) -> None:
    """What the demo shows was never trained on."""
    train, demo = (
        pl.read_parquet(DATA / f"{kind}_{part}.parquet")["occurred_at_ms"] for part in ("train", "demo")
    )
    assert train.is_sorted()
    assert demo.is_sorted()
    assert train[-1] < demo[0]


@pytest.mark.parametrize(
    ("name", "topic"),
    [
        ("payments_demo", "transactions"),
        ("closes_demo", "market-ticks"),
        ("portfolios_demo", "portfolio-returns"),
    ],
)
def test_every_shipped_row_is_an_event(name: str, topic: str) -> None:
    """A demo that dead-letters its own data would be a poor start."""
    decoder = EventDecoder(event_types()[topic], strict=True)
    for row in pl.read_parquet(DATA / f"{name}.parquet").iter_rows(named=True):
        decoder.decode(msgspec.json.encode(row))


def test_portfolios_to_show_are_those_of_the_weights_and_closes_beside_them() -> None:
    """The maker's own example: whoever feeds the closes and the weights through it gets the file again."""
    pytest.importorskip("torch")
    from training.market.portfolios import read_weights, returns_of

    end = pl.col("occurred_at_ms") <= 1_230_757_200_000
    closes_until = pl.read_parquet(DATA / "closes_demo.parquet").rename({"price": "close"}).filter(end)
    made = returns_of(closes_until, read_weights(DATA / "portfolio_weights.csv"), "1d")
    whole = pl.read_parquet(DATA / "portfolios_demo.parquet")
    shown = whole.filter(pl.col("occurred_at_ms") >= made["occurred_at_ms"].min())
    assert shown["event_id"].to_list() == made["event_id"].to_list()
    assert shown["simple_return"].to_list() == pytest.approx(made["simple_return"].to_list(), abs=1e-12)


@pytest.mark.parametrize(("kind", "mapping"), [("cards", "uci_card_default"), ("statements", "polish_bankruptcy")])
def test_credit_rows_to_show_are_others_than_those_to_train_on(kind: str, mapping: str) -> None:
    """A model that has seen a customer knows how it ended; and every row to show is read without a refusal."""
    train, demo = (pl.read_parquet(DATA / f"{kind}_{part}.parquet") for part in ("train", "demo"))
    assert demo.join(train, on=train.columns, how="inner", nulls_equal=True).height == 0
    read = read_mapping(mapping)
    event_type = next(each for each in event_types().values() if each.name == read.event)
    chunks = list(read_events([DATA / f"{kind}_demo.parquet"], read, event_type))
    assert sum(len(chunk.refused) for chunk in chunks) == 0
    assert sum(chunk.frame.height for chunk in chunks) == demo.height * (len(read.repeat.places) if read.repeat else 1)


def test_an_invoice_becomes_one_payment_and_a_cancellation_a_refund() -> None:
    """The lines add up to the payment, the sign tells a refund, rows without a customer are counted."""
    lines = pl.DataFrame(
        {
            "InvoiceNo": ["1", "1", "C2", "3"],
            "Quantity": [2.0, 1.0, -1.0, 5.0],
            "UnitPrice": [1.5, 0.25, 4.0, 1.0],
            "InvoiceDate": ["2011-07-01 12:00", "2011-07-01 12:00", "2011-01-02 09:00", "2011-01-03 09:00"],
            "CustomerID": [17850.0, 17850.0, 17850.0, None],
            "Country": ["EIRE", "EIRE", "EIRE", "EIRE"],
        }
    ).with_columns(pl.col("InvoiceDate").str.to_datetime("%Y-%m-%d %H:%M"))
    made, counts = payments(lines)
    assert made.select("event_id", "account_id", "amount", "currency").rows() == [
        ("C2", "17850", -4.0, "GBP"),
        ("1", "17850", 3.25, "GBP"),
    ]
    # noon in July is 11:00 UTC in London
    assert made["occurred_at_ms"][1] == 1_309_518_000_000
    assert counts == {
        "lines": 4,
        "lines_without_customer": 1,
        "invoices_without_customer": 1,
        "invoices": 2,
        "refunds": 1,
    }


def test_a_close_is_at_four_in_new_york_in_summer_and_winter() -> None:
    """The offset to UTC changes with daylight saving; the exchange's clock does not."""
    made = closes(pl.DataFrame({"Date": ["2007-01-03", "2007-07-03"], "KO": [20.0, 21.0]}))
    assert made["event_id"].to_list() == ["KO-2007-01-03", "KO-2007-07-03"]
    assert made["occurred_at_ms"].to_list() == [1_167_858_000_000, 1_183_492_800_000]
