"""Makes the shipped series from a public source; run by hand, its file is committed.

    python -m stream.demo.make_series_data --series nab_dev.parquet

The columns stay those of the source, which the shipped mapping `nab_series` reads; every series is moved in time so that
all begin together, and can be cut by time. Source and licence are told in `stream/demo/data/README.md`.
"""

import argparse
from datetime import datetime
from pathlib import Path

import polars as pl

BEGIN = datetime(2014, 4, 1)
FILE = "series_train.parquet"


def series(table: pl.DataFrame) -> pl.DataFrame:
    """The rows in the order of the source, each series moved to begin at the same time; steps stay as they are."""
    since = pl.col("timestamp") - pl.col("timestamp").min().over("series")
    return table.with_columns((pl.lit(BEGIN) + since).cast(pl.Datetime("ms")).alias("timestamp"))


def main() -> None:
    """Reads the arguments, writes the file, and prints its number of rows."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--series", type=Path, required=True, help="labelled series of the benchmark, Parquet")
    parser.add_argument("--out", type=Path, default=Path("stream/demo/data"))
    given = parser.parse_args()
    made = series(pl.read_parquet(given.series))
    made.write_parquet(given.out / FILE, compression="zstd", compression_level=22, statistics=False)
    print(f"{FILE}: {made.height} rows")


if __name__ == "__main__":
    main()
