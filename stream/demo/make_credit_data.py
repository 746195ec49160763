"""Makes the shipped credit data from two public sources; run by hand, its files are committed.

    python -m stream.demo.make_credit_data --polish polish_bankruptcy_year1.parquet --cards uci_default.parquet

The columns stay those of the sources, which the shipped mappings `polish_bankruptcy` and `uci_card_default` read.
Sources, licences and what is left out are told in `stream/demo/data/README.md`.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import polars as pl

TRAIN_SHARE = 0.8
SEED = 7
MOST_STATEMENTS = {"train": 2_400, "demo": 1_200}
"""So that neither file is above 500 kB: 64 ratios hardly compress."""
BITS = 14
"""Of a ratio's fraction: the source writes about five digits."""


def statements(table: pl.DataFrame) -> pl.DataFrame:
    """The companies without repeated rows, in random order: the source has all bankrupt ones last.

    Args:
        table: Attr1 to Attr64 and class, a row per company.
    """
    ratios = pl.exclude("class").cast(pl.Float32)
    table = table.with_columns(ratios).unique(maintain_order=True).sample(fraction=1, shuffle=True, seed=SEED)
    return table.with_columns(
        shortened(table[name]) for name in table.columns if name != "class"
    )  # fmt: skip


def shortened(ratios: pl.Series) -> pl.Series:
    """The nearest values whose fractions have 14 bits, within 0.003 %; they compress better."""
    raw = np.ascontiguousarray(ratios.to_numpy(), np.float32)
    spare = np.uint32(23 - BITS)
    half = np.uint32(1) << (spare - np.uint32(1))
    short = (((raw.view(np.uint32) + half) >> spare) << spare).view(np.float32)
    return pl.Series(ratios.name, np.where(np.isfinite(raw), short, raw), nan_to_null=True)


def cards(table: pl.DataFrame) -> pl.DataFrame:
    """The customers in the order of the source; all its values are whole numbers."""
    return table.cast(pl.Int32)


def write_all(*, polish: Path, customers: Path, out: Path) -> dict[str, int]:
    """The rows of each file, after writing the four Parquet files into `out`.

    Args:
        polish, customers: Parquet files of the two sources; out: an existing folder. Of customers the first 80 % are to
            train on.
    """
    companies, accounts = statements(pl.read_parquet(polish)), cards(pl.read_parquet(customers))
    learned, first = MOST_STATEMENTS["train"], round(accounts.height * TRAIN_SHARE)
    parts = {
        "statements_train": companies[:learned],
        "statements_demo": companies[learned : learned + MOST_STATEMENTS["demo"]],
        "cards_train": accounts[:first],
        "cards_demo": accounts[first:],
    }
    for name, rows in parts.items():
        rows.write_parquet(out / f"{name}.parquet", compression="zstd", compression_level=22, statistics=False)
    return {name: rows.height for name, rows in parts.items()}


def main() -> None:
    """Reads the arguments, writes the files, and prints the counts as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--polish", type=Path, required=True, help="UCI 365, year 1, Parquet")
    parser.add_argument("--cards", type=Path, required=True, help="UCI 350, first 24,000 customers, Parquet")
    parser.add_argument("--out", type=Path, default=Path("stream/demo/data"))
    given = parser.parse_args()
    print(json.dumps(write_all(polish=given.polish, customers=given.cards, out=given.out), indent=2))


if __name__ == "__main__":
    main()
