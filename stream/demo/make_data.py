"""Makes the shipped data from three public sources; run by hand, its files are committed.

    python -m stream.demo.make_data --retail retail.parquet --closes closes.parquet --transfers transfers.parquet

The columns are those that the shipped mappings `online_retail`, `sp500_daily` and `amlsim_transfers` make of them,
so that a model trained here fits what `riskstream feed --map` sends. Sources, licences and what is left out
are told in `stream/demo/data/README.md`.
"""

import argparse
import json
from pathlib import Path

import polars as pl

PAYMENTS_SPLIT = "2011-09-01"
CLOSES_SPLIT = "2007-01-01"
CLOSES_END = "2010-01-01"
SHOP_ZONE = "Europe/London"
EXCHANGE_ZONE = "America/New_York"
CLOSE_HOUR = 16
TRANSFERS_SPLIT = 75
TRANSFERS_START = "2017-01-01"


def payments(lines: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, int]]:
    """One payment per invoice with a customer, by time, and what was left out.

    Args:
        lines: invoice lines with InvoiceNo, Quantity, UnitPrice (pounds), InvoiceDate (wall time of the
            shop), CustomerID and Country.

    Returns:
        The columns of `Transaction` that the source has, amounts in pounds rounded to pence, cancellations
        negative; and the counts `lines`, `lines_without_customer`, `invoices_without_customer`, `invoices`,
        `refunds`.
    """
    known = lines.filter(pl.col("CustomerID").is_not_null())
    unknown = lines.filter(pl.col("CustomerID").is_null())
    invoices = (
        known.group_by("InvoiceNo", maintain_order=True)
        .agg(
            occurred_at_ms=pl.col("InvoiceDate").min().dt.replace_time_zone(SHOP_ZONE).dt.epoch("ms"),
            account_id=pl.col("CustomerID").first().cast(pl.Int64).cast(pl.String),
            amount=(pl.col("Quantity") * pl.col("UnitPrice")).sum().round(2),
            country=pl.col("Country").first().str.strip_chars(),
        )
        .rename({"InvoiceNo": "event_id"})
        .with_columns(currency=pl.lit("GBP"), channel=pl.lit("web"))
        .select("event_id", "occurred_at_ms", "account_id", "amount", "currency", "channel", "country")
        .sort("occurred_at_ms", "event_id")
    )
    counts = {
        "lines": lines.height,
        "lines_without_customer": unknown.height,
        "invoices_without_customer": unknown["InvoiceNo"].n_unique(),
        "invoices": invoices.height,
        "refunds": invoices.filter(pl.col("amount") < 0).height,
    }
    return invoices, counts


def closes(wide: pl.DataFrame) -> pl.DataFrame:
    """One tick per symbol and trading day, by time and symbol.

    Args:
        wide: Date (text, YYYY-MM-DD) and one column of closing prices (dollars) per symbol.

    Returns:
        event_id (`SYMBOL-YYYY-MM-DD`), occurred_at_ms (16:00 in New York on that day), symbol, price, venue.
    """
    closed = pl.col("Date").str.to_datetime("%Y-%m-%d", time_unit="ms").dt.offset_by(f"{CLOSE_HOUR}h")
    return (
        wide.unpivot(index="Date", variable_name="symbol", value_name="price")
        .drop_nulls("price")
        .with_columns(
            event_id=pl.concat_str("symbol", pl.lit("-"), "Date"),
            occurred_at_ms=closed.dt.replace_time_zone(EXCHANGE_ZONE).dt.epoch("ms"),
            venue=pl.lit("US"),
        )
        .select("event_id", "occurred_at_ms", "symbol", "price", "venue")
        .sort("occurred_at_ms", "symbol")
    )


def transfers(simulated: pl.DataFrame) -> pl.DataFrame:
    """One payment per transfer, by day; the beneficiary stands as merchant.

    Args:
        simulated: source_account, target_account, amount and day, as AMLSim writes them.

    Returns:
        event_id (`transfer-N`), occurred_at_ms (midnight of the day), account_id, amount, merchant_id, channel.
    """
    return (
        simulated.sort("day", maintain_order=True)
        .with_row_index("number")
        .with_columns(
            event_id=pl.format("transfer-{}", "number"),
            occurred_at_ms=_midnight_ms(TRANSFERS_START, "UTC") + 86_400_000 * pl.col("day"),
            account_id=pl.col("source_account").cast(pl.String),
            merchant_id=pl.col("target_account").cast(pl.String),
            channel=pl.lit("transfer"),
        )
        .select("event_id", "occurred_at_ms", "account_id", "amount", "merchant_id", "channel")
    )


def write_all(*, retail: Path, daily: Path, simulated: Path, out: Path) -> dict[str, int]:
    """The counts of what was written, after writing the five Parquet files into `out`.

    Args:
        retail: Parquet file of invoice lines; daily: of daily closes; simulated: of simulated transfers.
        out: an existing folder.
    """
    invoices, counts = payments(pl.read_parquet(retail))
    ticks = closes(pl.read_parquet(daily))
    split, first, end = (
        _midnight_ms(PAYMENTS_SPLIT, SHOP_ZONE),
        _midnight_ms(CLOSES_SPLIT, EXCHANGE_ZONE),
        _midnight_ms(CLOSES_END, EXCHANGE_ZONE),
    )
    at = pl.col("occurred_at_ms")
    files = {
        "payments_train": invoices.filter(at < split),
        "payments_demo": invoices.filter(at >= split),
        "closes_train": ticks.filter(at < first),
        "closes_demo": ticks.filter((at >= first) & (at < end)),
        "transfers_train": transfers(pl.read_parquet(simulated).filter(pl.col("day") < TRANSFERS_SPLIT)),
    }
    for name, frame in files.items():
        frame.write_parquet(
            out / f"{name}.parquet", compression="zstd", compression_level=19, statistics=False
        )
        counts[name] = frame.height
    return counts


def _midnight_ms(day: str, zone: str) -> int:
    return int(pl.Series([day]).str.to_datetime("%Y-%m-%d").dt.replace_time_zone(zone).dt.epoch("ms")[0])


def main() -> None:
    """Reads the arguments, writes the files, and prints the counts as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--retail", type=Path, required=True, help="Online Retail, invoice lines, Parquet")
    parser.add_argument(
        "--closes", type=Path, required=True, help="daily closes, one column per symbol, Parquet"
    )
    parser.add_argument("--transfers", type=Path, required=True, help="transfers simulated by AMLSim, Parquet")
    parser.add_argument("--out", type=Path, default=Path("stream/demo/data"))
    given = parser.parse_args()
    counts = write_all(retail=given.retail, daily=given.closes, simulated=given.transfers, out=given.out)
    print(json.dumps(counts, indent=2))


if __name__ == "__main__":
    main()
