"""From bars to one realised variance per symbol and period: `python -m training.market.realised --help`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from schemas.events.realised_variance import EVENT
from scoring.features.spec import duration_ms
from scoring.files import Mapping, read_mapping
from training.errors import TrainingRefused
from training.market.prices import Span, read_prices

LEAST_SHARE = 0.5
_PARKINSON = 1 / (4 * np.log(2))


def read_variances(files: Sequence[Path], mapping: Mapping, span: Span) -> pl.DataFrame:
    """The realised variances of the files as events in order of time: as they stand there, or made of bars or ticks.

    Raises:
        TrainingRefused: there is none, or the mapping is of other events.
        BadMapping, UnreadableFile: as they say.
    """
    read = read_prices(files, mapping, span, EVENT)
    found = read.frame if read.own else variances_of(read.frame, span.period)
    if found.height:
        return found.sort("occurred_at_ms", "symbol", maintain_order=True)
    raise TrainingRefused("no period has a variance; check --events and --map")


def variances_of(bars: pl.DataFrame, period: str) -> pl.DataFrame:
    """One realised variance per symbol and period, columns as the event's.

    Where a period has several bars, it is the sum of their squared log returns (a period's first one from its open where
    that is known); periods with fewer than half of the usual number are left out. Where it has one, it is that of its
    range by Parkinson, or, without high and low, the squared return, which is a poor measure but the only one.

    Args:
        bars: `symbol`, `occurred_at_ms`, `close`, and `open`, `high`, `low` where they are known, in order of time.

    Source: Andersen, Bollerslev, Diebold, Labys 2003; Parkinson 1980, "The extreme value method for estimating the
    variance of the rate of return".
    """
    length = duration_ms(period)
    known = [name for name in ("open", "high", "low") if name in bars.columns]
    missing = [pl.lit(None, pl.Float64).alias(name) for name in ("open", "high", "low") if name not in known]
    last = pl.col("close").shift(1).over("symbol")
    place = ((pl.col("occurred_at_ms") - 1) // length).alias("place")
    first = pl.col("place") != pl.col("place").shift(1).over("symbol")
    start = pl.when(first.fill_null(value=True)).then(pl.coalesce("open", last)).otherwise(last)
    each = (
        bars.sort("occurred_at_ms", maintain_order=True)
        .with_columns(place, *missing)
        .with_columns(
            (pl.col("close") / start).log().alias("move"), (pl.col("high") / pl.col("low")).log().alias("range")
        )
    )
    periods = (
        each.group_by("symbol", "place", maintain_order=True)
        .agg(
            pl.len().alias("bars"), pl.col("occurred_at_ms").last(), pl.col("close").last(),
            (pl.col("move") ** 2).sum().alias("squares"), pl.col("move").count().alias("moves"),
            (pl.col("range").last() ** 2 * _PARKINSON).alias("of_range"),
        )
        .with_columns(pl.col("bars").median().over("symbol").alias("usual"))
        .filter(pl.col("bars") >= LEAST_SHARE * pl.col("usual"))
        .with_columns(
            (pl.col("close") / pl.col("close").shift(1).over("symbol")).log().alias("log_return"),
            (pl.col("of_range").fill_null(0).gt(0).mean().over("symbol") > LEAST_SHARE).alias("ranged"),
        )
    )  # fmt: skip
    of_one = pl.when("ranged").then("of_range").otherwise(pl.when(pl.col("moves") > 0).then("squares"))
    variance = pl.when(pl.col("usual") > 1).then("squares").otherwise(of_one)
    return periods.select(
        (pl.col("symbol") + "-" + pl.col("place").cast(pl.String)).alias("event_id"), "occurred_at_ms", "symbol",
        variance.alias("variance"), "log_return", pl.lit(period).alias("period"),
    ).filter(pl.col("variance").is_not_null())  # fmt: skip


def main(arguments: Sequence[str]) -> None:
    """Writes the realised variance of every period of someone's bars as events."""
    parser = argparse.ArgumentParser(prog="python -m training.market.realised", description=main.__doc__)
    parser.add_argument("--events", type=Path, action="append", required=True, help="file of bars or ticks; repeat")
    parser.add_argument("--map", required=True, help="mapping that reads them: a shipped name or a TOML file")
    parser.add_argument("--period", default="1d", help="length of a period: 1h, 1d, 7d")
    parser.add_argument("--out", type=Path, required=True, help="Parquet file of events, for `riskstream feed`")
    given = parser.parse_args(arguments)
    found = read_variances(given.events, read_mapping(given.map), Span(given.period))
    found.write_parquet(given.out)
    print(f"{found.height} realised variances of {found['symbol'].n_unique()} symbols in {given.out.name}")


if __name__ == "__main__":
    main(sys.argv[1:])
