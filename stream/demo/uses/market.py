"""Market risk: what the next day may bring to symbols and portfolios, how often it was worse, surprises."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import polars as pl
from rich.markup import escape

from schemas.score import Score
from stream.demo.inputs import CLOSES_FILE, DemoInputs, shipped, write_input
from stream.demo.use import Judged, Returned, Shown, Use, columns
from stream.printable import printable

SCORER, PORTFOLIO_SCORER = "bar_volatility", "portfolio_risk"
TOPIC, PORTFOLIO_TOPIC = "market-bars", "portfolio-returns"
PORTFOLIOS_FILE = "portfolios.parquet"
LIVE_FROM = datetime(2008, 7, 1, tzinfo=UTC)
UNTIL = datetime(2009, 1, 1, tzinfo=UTC)
"""Later closes are kept for judging: nothing here has looked at them."""

PROMISED = (0.05, 0.01)
MOST_EXCEEDED = (0.10, 0.04)
"""Pooled over symbols, and over portfolios. At 99 %: 10 of 250 days, where Basel's red zone begins (BIS 1996,
"Supervisory framework for the use of backtesting"); at 95 %: twice what is promised. 2007 and 2008 were hard years."""

SURPRISES_SHOWN = 5


@dataclass(frozen=True)
class Forecast:
    """Named outputs of one score about the next day, in percent; losses are negative, each pair at 95 and 99 %."""

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
    """A bar, or a day of a portfolio, with what the one before it let expect: `forecast` was made without it.

    Attributes:
        event: its id.
        change: percent; of a bar the log return, of a portfolio the simple one.
    """

    event: str
    change: float
    forecast: Forecast
    score: float


@dataclass(frozen=True)
class Judging:
    """What one scorer said of its entities, by name: the days that had a warm forecast, and the last forecast."""

    days: Mapping[str, Sequence[Day]]
    last: Mapping[str, Forecast | None]

    @property
    def together(self) -> list[Day]:
        """The days of all entities."""
        return [day for each in self.days.values() for day in each]


def inputs(folder: Path) -> DemoInputs:
    """Daily bars of the 20 shipped shares, 2007 and 2008, of which the closes are known, and three portfolios of them."""
    bars = (
        shipped("closes_demo")
        .rename({"price": "close"})
        .with_columns(period=pl.lit("1d"))
        .filter(pl.col("occurred_at_ms") < round(UNTIL.timestamp() * 1_000))
        .select("event_id", "occurred_at_ms", "symbol", "close", "period")
    )
    return DemoInputs(
        inputs=(
            write_input(folder / CLOSES_FILE, TOPIC, bars, LIVE_FROM),
            write_input(folder / PORTFOLIOS_FILE, PORTFOLIO_TOPIC, shipped("portfolios_demo"), LIVE_FROM),
        )
    )


def judge(returned: Returned) -> Judged:
    """Each last forecast and how often its value at risk was exceeded, and the greatest surprises."""
    bars, portfolios = (pl.read_parquet(each.file) for each in returned.inputs.inputs)
    moved = (pl.col("close") / pl.col("close").shift(1)).log().over("symbol")
    judged = {
        SCORER: _judging(bars.with_columns(change=100 * moved), "symbol", returned.scores.get(SCORER, {})),
        PORTFOLIO_SCORER: _judging(
            portfolios.with_columns(change=100 * pl.col("simple_return")), "portfolio_id",
            returned.scores.get(PORTFOLIO_SCORER, {}),
        ),
    }  # fmt: skip
    figures: dict[str, float] = {}
    problems: list[str] = []
    for scorer, prefix in ((SCORER, ""), (PORTFOLIO_SCORER, "portfolio_")):
        together = judged[scorer].together
        shares = _exceeded(together)
        crossed = sum(day.forecast.crosses for day in together)
        problems += [
            f"{scorer}: value at risk at {1 - promised:.0%} was exceeded on {share:.1%} of {len(together):,} days, "
            f"expected at most {most:.0%}; train the shipped model anew: make train"
            for promised, most, share in zip(PROMISED, MOST_EXCEEDED, shares, strict=True)
            if not share <= most
        ]
        if crossed:
            problems.append(f"{crossed:,} forecasts contradict themselves; look at the card of {scorer}")
        figures |= {
            f"{prefix}days": len(together), f"{prefix}exceeded_share_95": round(shares[0], 4),
            f"{prefix}exceeded_share_99": round(shares[1], 4), f"{prefix}crossed": crossed,
        }  # fmt: skip
    together = [day for each in judged.values() for day in each.together]
    return Judged(
        shown=(_forecasts(judged[SCORER], judged[PORTFOLIO_SCORER]), _surprises(together)),
        figures=figures,
        checked="no forecast contradicts itself, and value at risk was exceeded on at most 10 and 4 % of days",
        problems=problems,
    )


def _judging(events: pl.DataFrame, entity: str, scores: Mapping[str, Score]) -> Judging:
    """What was said of these events, which have a `change` in percent."""
    parts = events.partition_by(entity, as_dict=True, maintain_order=True)
    return Judging(
        {str(name): list(_days(rows, scores)) for (name,), rows in parts.items()},
        {str(name): _forecast(scores.get(rows["event_id"][-1])) for (name,), rows in parts.items()},
    )


def _days(rows: pl.DataFrame, scores: Mapping[str, Score]) -> Iterator[Day]:
    """The events of one entity that a warm forecast was made for."""
    for (before, _), (event_id, change) in pairwise(rows.select("event_id", "change").iter_rows()):
        forecast, score = _forecast(scores.get(before)), scores.get(event_id)
        if forecast is not None and score is not None:
            yield Day(event_id, change, forecast, score.value)


def _forecast(score: Score | None) -> Forecast | None:
    """What a score says of the next day; None with too little history, or when an output is missing."""
    if score is None or score.outputs is None or "cold" in score.flags:
        return None
    named = {name: [value for value in values if value is not None] for name, values in score.outputs.items()}
    forecast = (named["volatility"], named["value_at_risk"], named["expected_shortfall"])
    return Forecast(forecast[0][0], *forecast[1:]) if [len(each) for each in forecast] == [1, 2, 2] else None


def _exceeded(days: Sequence[Day]) -> list[float]:
    """Share of days below the value at risk at 95 and at 99 %; NaN without days."""
    if not days:
        return [float("nan")] * 2
    return [sum(day.change < day.forecast.value_at_risk[level] for day in days) / len(days) for level in (0, 1)]


def _forecasts(symbols: Judging, portfolios: Judging) -> Shown:
    names = ("volatility", "VaR 95", "VaR 99", "ES 95", "ES 99", "days", "below VaR 95", "below VaR 99")
    table = columns("", right=names)
    for judging, all_of in ((symbols, "all shares"), (portfolios, "portfolios")):
        for name, each in judging.days.items():
            told, forecast = ["–"] * 5, judging.last[name]
            if forecast is not None:
                figures = (forecast.volatility, *forecast.value_at_risk, *forecast.expected_shortfall)
                told = [f"{value:.2f}" for value in figures]
            own = (f"{share:.1%}" for share in _exceeded(each))
            table.add_row(escape(printable(name)), *told, f"{len(each):,}", *own)
        together = judging.together
        own = (f"{share:.1%}" for share in _exceeded(together))
        table.add_row(all_of, *[""] * 5, f"{len(together):,}", *own, style="bold", end_section=True)
    table.add_row("promised", *[""] * 6, *(f"{share:.1%}" for share in PROMISED), style="dim")
    return Shown(
        "what the next day may bring as of the last one, in percent (value at risk, expected shortfall), and how often "
        "it was worse",
        table,
    )


def _surprises(days: Sequence[Day]) -> Shown:
    table = columns("day", right=("return", "volatility expected", "VaR 99", "score"))
    for day in sorted(days, key=lambda day: (day.score, abs(day.change)), reverse=True)[:SURPRISES_SHOWN]:
        forecast = day.forecast
        table.add_row(
            escape(printable(day.event)), f"{day.change:+.1f}", f"{forecast.volatility:.1f}",
            f"{forecast.value_at_risk[1]:.1f}", f"{day.score:.6f}",
        )  # fmt: skip
    return Shown("the returns that the day before let expect least, in percent", table)


USE = Use(
    about="market risk: what the next day may bring to 20 shares and three portfolios, through a real Kafka and Redis",
    scorers=(SCORER, PORTFOLIO_SCORER),
    inputs=inputs,
    judge=judge,
    replayed=CLOSES_FILE,
)
