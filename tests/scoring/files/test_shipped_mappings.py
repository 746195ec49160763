"""Each shipped mapping reads a small file of the layout it was written for; in one file, one test for each."""

import datetime as dt
from pathlib import Path

import polars as pl
import pytest

from schemas.catalog import event_types
from scoring.files import read_events, read_mapping, shipped_mappings
from scoring.views.company_ratios import RATIOS


def ms(*parts: int) -> int:
    return round(dt.datetime(*parts, tzinfo=dt.UTC).timestamp() * 1_000)


def at(*parts: int) -> dt.datetime:
    return dt.datetime(*parts)


LAYOUTS = {
    "handbook_cards": (
        {
            "handbook": {
                "TRANSACTION_ID": [7],
                "TX_DATETIME": [at(2018, 4, 1, 0, 0, 31)],
                "CUSTOMER_ID": [596],
                "TERMINAL_ID": [3156],
                "TX_AMOUNT": [57.16],
                "TX_FRAUD": [1],
                "TX_FRAUD_SCENARIO": [1],
            }
        },
        [
            {
                "event_id": "7",
                "occurred_at_ms": ms(2018, 4, 1, 0, 0, 31),
                "account_id": "596",
                "amount": 57.16,
                "merchant_id": "3156",
            }
        ],
        [1],
    ),
    "handbook_chargebacks": (
        {
            "handbook": {
                "TRANSACTION_ID": [7],
                "TX_DATETIME": [at(2018, 4, 1, 0, 0, 31)],
                "CUSTOMER_ID": [596],
                "TERMINAL_ID": [3156],
                "TX_AMOUNT": [57.16],
                "TX_FRAUD": [1],
                "TX_FRAUD_SCENARIO": [1],
            }
        },
        [
            {
                "event_id": "7",
                "occurred_at_ms": ms(2018, 4, 1, 0, 0, 31),
                "account_id": "596",
                "amount": 57.16,
                "merchant_id": "3156",
            },
            {
                "event_id": "chargeback-7",
                "occurred_at_ms": ms(2018, 4, 8, 0, 0, 31),
                "account_id": "596",
                "amount": -57.16,
                "merchant_id": "3156",
            },
        ],
        [1, None],
    ),
    "amlsim_incoming": (
        {
            "amlsim": {
                "source_account": [360, 1],
                "target_account": [18984, 2],
                "amount": [103.55, 5.0],
                "day": [1, 2],
                "source_suspicious": [1, 0],
                "target_suspicious": [1, 1],
            }
        },
        [
            {
                "occurred_at_ms": ms(2017, 1, 2),
                "account_id": "18984",
                "amount": 103.55,
                "merchant_id": "360",
                "channel": "transfer",
            },
            {
                "occurred_at_ms": ms(2017, 1, 3),
                "account_id": "2",
                "amount": 5.0,
                "merchant_id": "1",
                "channel": "transfer",
            },
        ],
        [1, 0],
    ),
    "amlsim_transfers": (
        {
            "amlsim": {
                "source_account": [360, 1],
                "target_account": [18984, 2],
                "amount": [103.55, 5.0],
                "day": [1, 2],
                "source_suspicious": [0, 0],
                "target_suspicious": [0, 1],
            }
        },
        [
            {
                "occurred_at_ms": ms(2017, 1, 2),
                "account_id": "360",
                "amount": 103.55,
                "merchant_id": "18984",
                "channel": "transfer",
            },
            {
                "occurred_at_ms": ms(2017, 1, 3),
                "account_id": "1",
                "amount": 5.0,
                "merchant_id": "2",
                "channel": "transfer",
            },
        ],
        [0, 1],
    ),
    "online_retail": (
        {
            "retail": {
                "InvoiceNo": ["536365", "536365", "536414", "C536379"],
                "StockCode": ["85123A", "71053", "22139", "D"],
                "Description": ["HEART", "LANTERN", None, "Discount"],
                "Quantity": [6.0, 6.0, 56.0, -1.0],
                "InvoiceDate": [at(2010, 12, 1, 8, 26)] * 2 + [at(2010, 12, 1, 9), at(2011, 7, 1, 9)],
                "UnitPrice": [2.55, 3.39, 0.0, 27.5],
                "CustomerID": [17850.0, 17850.0, None, 14527.0],
                "Country": ["United Kingdom"] * 4,
            }
        },
        [
            {
                "event_id": "536365",
                "occurred_at_ms": ms(2010, 12, 1, 8, 26),
                "account_id": "17850",
                "amount": 35.64,
                "currency": "GBP",
                "channel": "web",
                "country": "United Kingdom",
            },
            {
                "event_id": "C536379",
                "occurred_at_ms": ms(2011, 7, 1, 8),
                "account_id": "14527",
                "amount": -27.5,
                "currency": "GBP",
                "channel": "web",
                "country": "United Kingdom",
            },
        ],
        None,
    ),
    "sp500_daily": (
        {"sp500": {"Date": ["2014-01-02", "2014-07-02"], "AAPL": [17.3, 18.0], "XOM": [None, 80.0]}},
        [
            {"occurred_at_ms": ms(2014, 1, 2, 21), "symbol": "AAPL", "price": 17.3, "venue": "US"},
            {"occurred_at_ms": ms(2014, 7, 2, 20), "symbol": "AAPL", "price": 18.0, "venue": "US"},
            {"occurred_at_ms": ms(2014, 7, 2, 20), "symbol": "XOM", "price": 80.0, "venue": "US"},
        ],
        None,
    ),
    "fx_minute_bars": (
        {
            f"gbpusd_m1_{side}_2012-02": {
                "timestamp": ["2012-02-01 00:00:00+00:00"],
                "open": [1.5],
                "high": [1.5],
                "low": [1.5],
                "close": [close],
            }
            for side, close in (("ask", 1.75), ("bid", 1.25))
        },
        [
            {
                "occurred_at_ms": ms(2012, 2, 1, 0, 1),
                "symbol": "GBPUSD",
                "price": 1.5,
                "bid": 1.25,
                "ask": 1.75,
            }
        ],
        None,
    ),
    "sp500_bars": (
        {"sp500": {"Date": ["2014-01-02", "2014-07-02"], "AAPL": [17.3, 18.0], "XOM": [None, 80.0]}},
        [
            {"occurred_at_ms": ms(2014, 1, 2, 21), "symbol": "AAPL", "close": 17.3, "period": "1d"},
            {"occurred_at_ms": ms(2014, 7, 2, 20), "symbol": "AAPL", "close": 18.0, "period": "1d"},
            {"occurred_at_ms": ms(2014, 7, 2, 20), "symbol": "XOM", "close": 80.0, "period": "1d"},
        ],
        None,
    ),
    "daily_bars": (
        {
            "sp500": {
                "Date": ["2002-01-02", "2002-07-02"], "Open": [100.0, 101.0], "High": [103.0, 102.0],
                "Low": [99.0, 100.5], "Close": [101.0, None], "Adj Close": [1.0, 1.0], "Volume": [5, 6],
            }
        },
        [
            {
                "occurred_at_ms": ms(2002, 1, 2, 21), "symbol": "SP500", "open": 100.0, "high": 103.0, "low": 99.0,
                "close": 101.0, "period": "1d",
            }
        ],
        None,
    ),
    "daily_variances": (
        {"rv": {"Date": ["2002-01-02", "2002-01-03"], "symbol": ["SPX"] * 2, "variance": [0.0001, None]}},
        [{"occurred_at_ms": ms(2002, 1, 2, 21), "symbol": "SPX", "variance": 0.0001, "period": "1d"}],
        None,
    ),
    "portfolio_returns": (
        {"funds": {"Date": ["2002-01-02", "2002-01-03"], "portfolio_id": ["f"] * 2, "simple_return": [-0.02, None]}},
        [{"occurred_at_ms": ms(2002, 1, 2, 21), "portfolio_id": "f", "simple_return": -0.02, "period": "1d"}],
        None,
    ),
    "fx_bars": (
        {
            f"gbpusd_m1_{side}_2012-02": {
                "timestamp": ["2012-02-01 00:00:00+00:00"],
                "open": [1.5],
                "high": [2.0 + apart],
                "low": [1.0],
                "close": [1.5 + apart],
            }
            for side, apart in (("ask", 0.25), ("bid", -0.25))
        },
        [
            {
                "occurred_at_ms": ms(2012, 2, 1, 0, 1),
                "symbol": "GBPUSD",
                "open": 1.5,
                "high": 2.0,
                "low": 1.0,
                "close": 1.5,
                "period": "1m",
            }
        ],
        None,
    ),
    "btc_minute_bars": (
        {
            "btcperp_m1_2022-01": {
                "timestamp": ["2021-12-31 23:01:00.000000"],
                "open": [46319.0],
                "high": [46385.0],
                "low": [46319.0],
                "close": [46377.0],
                "volume": [2_300_413.5],
            }
        },
        [
            {
                "occurred_at_ms": ms(2021, 12, 31, 23, 1),
                "symbol": "BTCPERP",
                "price": 46377.0,
                "volume": 2_300_413.5,
            }
        ],
        None,
    ),
    "nab_series": (
        {
            "nab": {
                "series": ["a/b.csv", "a/b.csv"],
                "timestamp": [at(2014, 4, 1, 0, 5), at(2014, 4, 1)],
                "value": [20.0, 0.0],
                "in_anomaly_window": [True, False],
            }
        },
        [
            {"occurred_at_ms": ms(2014, 4, 1), "series_id": "a/b.csv", "value": 0.0},
            {"occurred_at_ms": ms(2014, 4, 1, 0, 5), "series_id": "a/b.csv", "value": 20.0},
        ],
        [0, 1],
    ),
    "polish_bankruptcy": (
        {"1year": {f"Attr{place}": [place / 8, None] for place in range(1, 65)} | {"class": [0, 1]}},
        [
            {"occurred_at_ms": ms(2000, 1, 1), "company_id": "0"}
            | {name: place / 8 for place, name in enumerate(RATIOS, 1)},
            {"occurred_at_ms": ms(2000, 1, 2), "company_id": "1"} | dict.fromkeys(RATIOS),
        ],
        [0, 1],
    ),
    "uci_card_default": (
        {
            "cards": {"id": [1, 2], "limit_balance": [20_000.0, 120_000.0], "sex": [2, 1], "age": [24, 26]}
            | {f"pay_status_{month}": [month - 2, -1] for month in range(1, 7)}
            | {f"bill_{month}": [100.0 * month, -5.0] for month in range(1, 7)}
            | {f"paid_{month}": [10.0 * month, 0.0] for month in range(1, 7)}
            | {"default_next_month": [1, 0]}
        },
        [
            {
                "occurred_at_ms": ms(2005, 10 - month, 31 if month in (2, 3, 5) else 30),
                "account_id": account,
                "credit_limit": limit,
                "billed": 100.0 * month if account == "1" else -5.0,
                "paid": 10.0 * month if account == "1" else 0.0,
                "repayment_status": month - 2.0 if account == "1" else -1.0,
            }
            for month in range(6, 0, -1)
            for account, limit in (("1", 20_000.0), ("2", 120_000.0))
        ],
        [None] * 10 + [1, 0],
    ),
    "treasury_yields": (
        {"cmt": {"date": [at(1993, 1, 4)], "cmt_m03": [None], "cmt_y10": [6.6]}},
        [{"occurred_at_ms": ms(1993, 1, 4, 21, 15), "symbol": "cmt_y10", "price": 6.6}],
        None,
    ),
}


def test_every_shipped_mapping_is_tried_here():
    """A new mapping file without a small file of its layout would be untested."""
    assert set(shipped_mappings()) == set(LAYOUTS)


@pytest.mark.parametrize("name", sorted(LAYOUTS))
@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_a_shipped_mapping_reads_its_layout(tmp_path: Path, name: str, suffix: str):
    """The same source is handed around as Parquet and as CSV; both give the same events."""
    content, expected, labels = LAYOUTS[name]
    files = []
    for stem, columns in content.items():
        files.append(tmp_path / f"{stem}.{suffix}")
        frame = pl.DataFrame(columns)
        frame.write_parquet(files[-1]) if suffix == "parquet" else frame.write_csv(files[-1])
    mapping = read_mapping(name)
    event_type = next(each for each in event_types().values() if each.name == mapping.event)
    chunks = list(read_events(files, mapping, event_type))
    events = [event for chunk in chunks for event in chunk.frame.to_dicts()]
    assert [row for chunk in chunks for row in chunk.refused] == []
    assert len({event["event_id"] for event in events}) == len(events)
    derived = "event_id" not in expected[0]
    assert [
        {k: v for k, v in each.items() if not (derived and k == "event_id")} for each in events
    ] == expected
    if labels is not None:
        assert chunks[0].labels is not None and chunks[0].labels.to_list() == labels
