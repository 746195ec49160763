"""From prices and weights to one return per portfolio and period: `python -m training.market.portfolios --help`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from schemas.events.portfolio_return import EVENT
from scoring.features.spec import duration_ms
from scoring.files import Mapping, read_mapping
from training.errors import TrainingRefused
from training.market.prices import Span, day_ms, read_prices

LEAST_PRICED = 0.5
COLUMNS = {"portfolio_id": pl.String, "symbol": pl.String, "weight": pl.Float64}
Matrix = NDArray[np.float64]


def read_portfolio_returns(files: Sequence[Path], mapping: Mapping, span: Span, weights: pl.DataFrame) -> pl.DataFrame:
    """The returns of the files as events in order of time: as they stand there, or made of bars or ticks.

    Args:
        weights: as of `returns_of`; of no use where the files hold returns of portfolios.

    Raises:
        TrainingRefused: there is none, the mapping is of other events, or the weights do not fit.
        BadMapping, UnreadableFile: as they say.
    """
    read = read_prices(files, mapping, span, EVENT)
    found: pl.DataFrame = read.frame if read.own else returns_of(read.frame, weights, span.period)
    return found.sort("occurred_at_ms", "portfolio_id", maintain_order=True)


def returns_of(bars: pl.DataFrame, weights: pl.DataFrame, period: str) -> pl.DataFrame:
    """The return that each portfolio's positions of today would have had in every period, columns as the event's.

    That is the convention of historical simulation: weights are the same in every period, as if the portfolio had been
    brought back to them at each period's start; what was really held then does not matter. A return is the sum of weight
    times simple return over the positions; what weights lack to 1 is cash that earns nothing. Prices are in one currency.

    A portfolio begins in the period after all of its symbols have a price. A symbol without a price in a period counts as
    unmoved there, and with its whole move when it has one again; periods in which less than half of the positions have
    one are left out, and their moves are in the next record.

    Args:
        bars: `symbol`, `occurred_at_ms`, `close`, in any order; a period's last close counts.
        weights: `portfolio_id`, `symbol`, `weight` as a share of the portfolio's value, below 0 for a short position.

    Raises:
        TrainingRefused: a weight of 0 or without a number, a symbol twice in a portfolio or without a price; names it.
    """
    _check(weights, set(bars["symbol"].unique()))
    length = duration_ms(period)
    closes = (
        bars.filter(pl.col("symbol").is_in(weights["symbol"].unique().implode()))
        .sort("occurred_at_ms", maintain_order=True)
        .with_columns(((pl.col("occurred_at_ms") - 1) // length).alias("place"))
        .group_by("place", "symbol")
        .agg(pl.col("occurred_at_ms").last(), pl.col("close").last().cast(pl.Float64))
    )
    times = closes.group_by("place").agg(pl.col("occurred_at_ms").max()).sort("place")
    wide = closes.pivot(on="symbol", index="place", values="close").sort("place")
    held_at = int(bars["occurred_at_ms"].cast(pl.Int64).max())  # type: ignore[arg-type]
    frames = [
        _of_one(str(name), own, wide, times).with_columns(period=pl.lit(period), weights_at_ms=pl.lit(held_at))
        for (name,), own in weights.partition_by("portfolio_id", as_dict=True, maintain_order=True).items()
    ]
    return pl.concat(frames).sort("occurred_at_ms", "portfolio_id")


def _of_one(name: str, weights: pl.DataFrame, wide: pl.DataFrame, times: pl.DataFrame) -> pl.DataFrame:
    """The records of one portfolio."""
    prices: Matrix = wide.select(weights["symbol"].to_list()).to_numpy().astype(np.float64)  # (period, symbol)
    sizes = np.abs(weights["weight"].to_numpy())
    there = ~np.isnan(prices)
    priced = there @ sizes / sizes.sum()  # (period)
    last = np.maximum.accumulate(np.where(there, np.arange(len(prices))[:, None], -1), axis=0)
    kept = np.flatnonzero((last >= 0).all(axis=1) & (priced >= LEAST_PRICED))
    known = np.take_along_axis(prices, last.clip(0), axis=0)[kept]  # (kept, symbol), the last price where there is none
    returns = (known[1:] / known[:-1] - 1) @ weights["weight"].to_numpy()
    records: pl.DataFrame = times[kept[1:].tolist()]
    return records.select(
        pl.format("{}-{}", pl.lit(name), "place").alias("event_id"), "occurred_at_ms", portfolio_id=pl.lit(name),
        simple_return=pl.Series(returns), priced=pl.Series(priced[kept[1:]].clip(0, 1)),
    )  # fmt: skip


def read_weights(file: Path) -> pl.DataFrame:
    """The weights of a CSV or Parquet file with the columns `portfolio_id`, `symbol`, `weight`.

    Raises:
        TrainingRefused: it cannot be read, or a column is missing.
    """
    try:
        frame = pl.read_parquet(file) if file.suffix == ".parquet" else pl.read_csv(file, infer_schema=False)
        return frame.select(pl.col(name).cast(kind) for name, kind in COLUMNS.items())
    except (OSError, pl.exceptions.PolarsError) as error:
        raise TrainingRefused(
            f"{file.name}: {str(error).splitlines()[0]}; expected a CSV or Parquet file of {', '.join(COLUMNS)}"
        ) from None


def weights_in(options: Sequence[str], portfolio: str) -> pl.DataFrame:
    """The weights of one portfolio written as `SYMBOL=SHARE`.

    Raises:
        TrainingRefused: one of them is not written so.

    >>> weights_in(["KO=0.6", "PEP=-0.4"], "pair")["weight"].to_list()
    [0.6, -0.4]
    """
    found: list[tuple[str, str, float]] = []
    for option in options:
        symbol, sign, share = option.rpartition("=")
        try:
            found.append((portfolio, symbol if sign else "", float(share)))
        except ValueError:
            raise TrainingRefused(f"weight {option!r}; expected SYMBOL=SHARE such as KO=0.25 or KO=-0.1") from None
    return pl.DataFrame(found, schema=COLUMNS, orient="row")


def _check(weights: pl.DataFrame, known: set[str]) -> None:
    if not weights.height:
        raise TrainingRefused("there are no weights; give a file of portfolio_id, symbol, weight")
    doubled = weights.filter(pl.struct("portfolio_id", "symbol").is_duplicated())
    for portfolio, symbol, weight in weights.iter_rows():
        if symbol not in known:
            raise TrainingRefused(f"portfolio {portfolio}: no price of {symbol!r} in the files; give it, or leave it out")
        if weight is None or not np.isfinite(weight) or weight == 0:
            raise TrainingRefused(f"portfolio {portfolio}: weight of {symbol} is {weight}; expected a share other than 0")
    if doubled.height:
        raise TrainingRefused(f"portfolio {doubled[0, 0]}: {doubled[0, 1]} has two weights; add them up")


def main(arguments: Sequence[str]) -> None:
    """Writes the return of every period at today's weights, as events, from someone's bars and weights.

    To hand on a new period alone, name its date by --since.
    """
    parser = argparse.ArgumentParser(prog="python -m training.market.portfolios", description=main.__doc__)
    parser.add_argument("--events", type=Path, action="append", required=True, help="file of bars or ticks; repeat")
    parser.add_argument("--map", required=True, help="mapping that reads them: a shipped name or a TOML file")
    held = parser.add_mutually_exclusive_group(required=True)
    held.add_argument("--weights", type=Path, help="CSV or Parquet file: portfolio_id, symbol, weight")
    held.add_argument("--weight", action="append", metavar="SYMBOL=SHARE", help="of one portfolio; repeat")
    parser.add_argument("--portfolio", default="portfolio", help="name of the portfolio that --weight is of")
    parser.add_argument("--period", default="1d", help="length of a period: 1h, 1d, 7d")
    parser.add_argument("--through", default="", help="last date that is read, as 2008-12-31 (UTC)")
    parser.add_argument("--since", default="1970-01-01", help="first date that is written (UTC)")
    parser.add_argument("--out", type=Path, required=True, help="Parquet file of events, for `riskstream feed`")
    given = parser.parse_args(arguments)
    weights = read_weights(given.weights) if given.weights else weights_in(given.weight, given.portfolio)
    made = read_portfolio_returns(given.events, read_mapping(given.map), Span(given.period, given.through), weights)
    found = made.filter(pl.col("occurred_at_ms") >= day_ms(given.since))
    found.write_parquet(given.out)
    print(f"{found.height} returns of {found['portfolio_id'].n_unique()} portfolios in {given.out.name}")


if __name__ == "__main__":
    main(sys.argv[1:])
