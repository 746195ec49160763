"""Market risk: what the next day may bring to each symbol, how often that was exceeded, and the greatest surprises."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
from rich.markup import escape

from schemas.score import Score
from stream.demo.inputs import CLOSES_FILE, DemoInputs, shipped, write_input
from stream.demo.use import Judged, Returned, Shown, Use, columns
from stream.printable import printable

SCORER = "bar_volatility"
TOPIC = "market-bars"
LIVE_FROM = datetime(2008, 7, 1, tzinfo=UTC)
UNTIL = datetime(2009, 1, 1, tzinfo=UTC)
"""Later closes are kept for judging: nothing here has looked at them."""

PROMISED = (0.05, 0.01)
MOST_EXCEEDED = (0.10, 0.04)
"""Pooled over symbols. At 99 %: 10 of 250 days, where Basel's red zone begins (BIS 1996, "Supervisory framework for the
use of backtesting"); at 95 %: twice what is promised. 2007 and 2008 were hard years."""

SURPRISES_SHOWN = 5


@dataclass(frozen=True)
class Forecast:
    """Named outputs of one score about the next bar, in percent; losses are negative, each pair at 95 and 99 %."""

    volatility: float
    value_at_risk: Sequence[float]
    expected_shortfall: Sequence[float]

    @property
    def crosses(self) -> bool:
        """Whether it contradicts itself: the rarer loss is the smaller one, or the mean beyond a loss lies before it."""
        (usual, rare), (beyond_usual, beyond_rare) = self.value_at_risk, self.expected_shortfall
        return not (rare <= usual and beyond_rare <= rare and beyond_usual <= usual and beyond_rare <= beyond_usual)


@dataclass(frozen=True)
class Day:
    """A bar with what the one before it let expect: `forecast` was made without it."""

    bar: str
    log_return: float
    forecast: Forecast
    score: float


def inputs(folder: Path) -> DemoInputs:
    """Daily bars of the 20 shipped shares, 2007 and 2008, of which the closes are known."""
    bars = (
        shipped("closes_demo")
        .rename({"price": "close"})
        .with_columns(period=pl.lit("1d"))
        .filter(pl.col("occurred_at_ms") < round(UNTIL.timestamp() * 1_000))
        .select("event_id", "occurred_at_ms", "symbol", "close", "period")
    )
    return DemoInputs(inputs=(write_input(folder / CLOSES_FILE, TOPIC, bars, LIVE_FROM),))


def judge(returned: Returned) -> Judged:
    """Each symbol's last forecast and how often its value at risk was exceeded, and the greatest surprises."""
    bars, scores = pl.read_parquet(returned.inputs.inputs[0].file), returned.scores.get(SCORER, {})
    by_symbol = bars.partition_by("symbol", as_dict=True, maintain_order=True)
    days = {str(symbol): list(_days(rows, scores)) for (symbol,), rows in by_symbol.items()}
    last = {str(symbol): _forecast(scores.get(rows["event_id"][-1])) for (symbol,), rows in by_symbol.items()}
    together = [day for each in days.values() for day in each]
    shares = _exceeded(together)
    crossed = sum(day.forecast.crosses for day in together)
    problems = [
        f"value at risk at {1 - promised:.0%} was exceeded on {share:.1%} of {len(together):,} days, expected at most "
        f"{most:.0%}; train the shipped model anew: make train"
        for promised, most, share in zip(PROMISED, MOST_EXCEEDED, shares, strict=True)
        if not share <= most
    ]
    if crossed:
        problems.append(f"{crossed:,} forecasts contradict themselves; look at the card of {SCORER}")
    return Judged(
        shown=(_forecasts(days, last, shares), _surprises(together)),
        figures={
            "days": len(together), "exceeded_share_95": round(shares[0], 4), "exceeded_share_99": round(shares[1], 4),
            "crossed": crossed,
        },
        checked="no forecast contradicts itself, and value at risk was exceeded on at most 10 and 4 % of days",
        problems=problems,
    )  # fmt: skip


def _days(rows: pl.DataFrame, scores: Mapping[str, Score]) -> Iterator[Day]:
    """The bars of one symbol that a warm forecast was made for."""
    for (before_id, before), (event_id, close) in pairwise(rows.select("event_id", "close").iter_rows()):
        forecast, score = _forecast(scores.get(before_id)), scores.get(event_id)
        if forecast is not None and score is not None:
            yield Day(event_id, 100 * float(np.log(close / before)), forecast, score.value)


def _forecast(score: Score | None) -> Forecast | None:
    """What a score says of the next bar; None with too little history, or when an output is missing."""
    if score is None or score.outputs is None or "cold" in score.flags:
        return None
    named = {name: [value for value in values if value is not None] for name, values in score.outputs.items()}
    forecast = (named["volatility"], named["value_at_risk"], named["expected_shortfall"])
    return Forecast(forecast[0][0], *forecast[1:]) if [len(each) for each in forecast] == [1, 2, 2] else None


def _exceeded(days: Sequence[Day]) -> list[float]:
    """Share of days below the value at risk at 95 and at 99 %; NaN without days."""
    if not days:
        return [float("nan")] * 2
    return [sum(day.log_return < day.forecast.value_at_risk[level] for day in days) / len(days) for level in (0, 1)]


def _forecasts(days: Mapping[str, Sequence[Day]], last: Mapping[str, Forecast | None], shares: Sequence[float]) -> Shown:
    names = ("volatility", "VaR 95", "VaR 99", "ES 95", "ES 99", "days", "below VaR 95", "below VaR 99")
    table = columns("symbol", right=names)
    for symbol, each in days.items():
        told, forecast = ["–"] * 5, last[symbol]
        if forecast is not None:
            figures = (forecast.volatility, *forecast.value_at_risk, *forecast.expected_shortfall)
            told = [f"{value:.2f}" for value in figures]
        table.add_row(escape(printable(symbol)), *told, f"{len(each):,}", *(f"{share:.1%}" for share in _exceeded(each)))
    count = sum(len(each) for each in days.values())
    table.add_section()
    table.add_row("all", *[""] * 5, f"{count:,}", *(f"{share:.1%}" for share in shares), style="bold")
    table.add_row("promised", *[""] * 6, *(f"{share:.1%}" for share in PROMISED), style="dim")
    return Shown(
        "what the next day may bring as of the last bar, in percent (value at risk, expected shortfall), and how often "
        "it was worse",
        table,
    )


def _surprises(days: Sequence[Day]) -> Shown:
    table = columns("bar", right=("return", "volatility expected", "VaR 99", "score"))
    for day in sorted(days, key=lambda day: (day.score, abs(day.log_return)), reverse=True)[:SURPRISES_SHOWN]:
        forecast = day.forecast
        table.add_row(
            escape(printable(day.bar)), f"{day.log_return:+.1f}", f"{forecast.volatility:.1f}",
            f"{forecast.value_at_risk[1]:.1f}", f"{day.score:.6f}",
        )  # fmt: skip
    return Shown("the returns that the day before let expect least, in percent", table)


USE = Use(
    about="market risk: what the next day may bring to 20 shares, through a real Kafka and Redis",
    scorers=(SCORER,),
    inputs=inputs,
    judge=judge,
    replayed=CLOSES_FILE,
)
