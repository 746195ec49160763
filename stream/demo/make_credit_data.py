"""Makes the shipped credit data from a public source; run by hand, its files are committed.

    python -m stream.demo.make_credit_data --cards uci_default.parquet

The columns stay those of the source, which the shipped mapping `uci_card_default` reads.
Source, licence and what is left out are told in `stream/demo/data/README.md`.
"""

import argparse
import json
from pathlib import Path

import polars as pl

TRAIN_SHARE = 0.8


def cards(table: pl.DataFrame) -> pl.DataFrame:
    """The customers in the order of the source; all its values are whole numbers."""
    return table.cast(pl.Int32)


def write_all(*, customers: Path, out: Path) -> dict[str, int]:
    """The rows of each file, after writing the four Parquet files into `out`.

    Args:
        customers: Parquet file of the source; out: an existing folder. The first 80 % are to train on.
    """
    counts = {}
    frames = {"cards": cards(pl.read_parquet(customers))}
    for name, frame in frames.items():
        first = round(frame.height * TRAIN_SHARE)
        for part, rows in (("train", frame[:first]), ("demo", frame[first:])):
            path = out / f"{name}_{part}.parquet"
            rows.write_parquet(path, compression="zstd", compression_level=22, statistics=False)
            counts[f"{name}_{part}"] = rows.height
    return counts


def main() -> None:
    """Reads the arguments, writes the files, and prints the counts as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cards", type=Path, required=True, help="UCI 350, first 24,000 customers, Parquet")
    parser.add_argument("--out", type=Path, default=Path("stream/demo/data"))
    given = parser.parse_args()
    print(json.dumps(write_all(customers=given.cards, out=given.out), indent=2))


if __name__ == "__main__":
    main()
