"""Returns of portfolios at current weights: what they are made of, what is refused, and that a protocol can use them."""

from pathlib import Path

import msgspec
import numpy as np
import polars as pl
import pytest

from scoring.catalog import scorers
from scoring.files import read_mapping
from training.dataset import collect
from training.errors import TrainingRefused
from training.market.drawn_portfolios import Drawn, drawn_weights
from training.market.panel import read_panel
from training.market.portfolios import main, read_portfolio_returns, read_weights, returns_of, weights_in
from training.market.prices import Span, chunk_of
from training.protocols.protocol import Ground, read_protocol

pytestmark = pytest.mark.training

DAY_MS = 86_400_000
Prices = dict[str, list[float | None]]
PRICES: Prices = {
    "A": [10.0, 11.0, None, 12.0, 12.0, 9.0],
    "B": [None, 50.0, 55.0, 55.0, None, 44.0],
    "C": [8.0, 8.0, 8.0, 4.0, None, 6.0],
}
DRAWN = Drawn(seed=5, long_only=4, long_short=3, members=(2, 4))


def bars(prices: Prices) -> pl.DataFrame:
    """One bar per symbol and day with a price, known at the end of the day."""
    rows = [
        ((day + 1) * DAY_MS, symbol, close)
        for symbol, closes in prices.items()
        for day, close in enumerate(closes)
        if close is not None
    ]
    return pl.DataFrame(rows, schema=["occurred_at_ms", "symbol", "close"], orient="row")


def naive(prices: Prices, weights: dict[str, float]) -> dict[int, tuple[float, float]]:
    """Return and priced share by day, by walking through the days with the last known prices in hand."""
    gross = sum(abs(weight) for weight in weights.values())
    last: dict[str, float] = {}
    before: dict[str, float] | None = None
    found: dict[int, tuple[float, float]] = {}
    for day in range(len(next(iter(prices.values())))):
        here = {symbol: prices[symbol][day] for symbol in weights}
        last |= {symbol: close for symbol, close in here.items() if close is not None}
        priced = sum(abs(weights[symbol]) for symbol, close in here.items() if close is not None) / gross
        if len(last) < len(weights) or priced < 0.5:
            continue
        if before is not None:
            moves = {symbol: last[symbol] / before[symbol] - 1 for symbol in weights}
            found[day] = (sum(weights[symbol] * moves[symbol] for symbol in weights), priced)
        before = dict(last)
    return found


def made(prices: Prices, weights: dict[str, float]) -> dict[int, tuple[float, float]]:
    frame = returns_of(bars(prices), weights_in([f"{symbol}={share}" for symbol, share in weights.items()], "p"), "1d")
    return {
        at // DAY_MS - 1: (value, priced)
        for at, value, priced in frame.select("occurred_at_ms", "simple_return", "priced").iter_rows()
    }


def test_a_return_is_the_sum_of_weights_times_simple_returns_by_hand():
    """Two shares, half and a fifth short, the rest in cash: weights are those of today on every day."""
    found = made({"A": [10.0, 11.0, 11.0], "B": [50.0, 50.0, 40.0]}, {"A": 0.5, "B": -0.2})
    assert {day: value for day, (value, _) in found.items()} == pytest.approx({1: 0.5 * 0.1, 2: -0.2 * -0.2})


def test_a_symbol_without_a_price_is_unmoved_and_moves_wholly_when_it_has_one():
    """A gap loses no move: from 11 to 12 over the day without A; and the record says how much had a price."""
    found = made(PRICES, {"A": 0.4, "B": 0.6})
    assert found[2] == pytest.approx((0.6 * 0.1, 0.6))
    assert found[3] == pytest.approx((0.4 * (12 / 11 - 1), 1.0))
    assert 1 not in found, "on day 1 B has its first price, which is no move yet"
    assert 4 not in found, "only 40 % had a price"
    assert found[5] == pytest.approx((0.4 * (9 / 12 - 1) + 0.6 * (44 / 55 - 1), 1.0)), "the moves of both days"


@pytest.mark.parametrize("seed", range(20))
def test_returns_are_those_of_a_walk_through_the_days(seed):
    """Drawn prices with gaps and drawn weights, longs and shorts, against a dictionary and a loop."""
    chance = np.random.default_rng(seed)
    symbols = [f"S{number}" for number in range(int(chance.integers(1, 6)))]
    prices: Prices = {
        symbol: [None if chance.random() < 0.3 else float(value) for value in 20 * np.exp(chance.normal(0, 0.1, 40))]
        for symbol in symbols
    }
    weights = {symbol: round(float(chance.normal(0, 1)), 3) or 0.5 for symbol in symbols}
    found, expected = made(prices, weights), naive(prices, weights)
    assert set(found) == set(expected)
    assert all(found[day] == pytest.approx(expected[day], rel=1e-9, abs=1e-12) for day in expected)


def test_what_comes_later_changes_no_return():
    """Weights are of today, prices are not."""
    whole, cut = made(PRICES, {"A": 0.4, "C": 0.6}), made({k: v[:4] for k, v in PRICES.items()}, {"A": 0.4, "C": 0.6})
    assert cut and cut == {day: value for day, value in whole.items() if day in cut}


def test_the_last_close_of_a_period_counts_and_the_record_says_when_its_weights_held():
    """Bars within a day are no returns of days; current weights lie behind the returns that are made with them."""
    closes: Prices = {"A": [10.0, 10.5, 11.0, 12.0, 12.0, 13.2]}
    frame = bars(closes).with_columns(pl.col("occurred_at_ms") // 2)
    found = returns_of(frame, weights_in(["A=1"], "p"), "1d")
    assert found["simple_return"].to_list() == pytest.approx([12 / 10.5 - 1, 13.2 / 12 - 1])
    assert found["occurred_at_ms"].to_list() == [2 * DAY_MS, 3 * DAY_MS]
    assert found["weights_at_ms"].to_list() == [3 * DAY_MS] * 2
    assert found["event_id"].is_unique().all()


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ([("p", "Z", 1.0)], "no price of 'Z'"),
        ([("p", "A", 0.0)], "weight of A is 0.0; expected a share other than 0"),
        ([("p", "A", float("nan"))], "weight of A is nan"),
        ([("p", "A", None)], "weight of A is None"),
        ([("p", "A", 0.5), ("p", "A", 0.5)], "A has two weights; add them up"),
        ([], "there are no weights"),
    ],
)
def test_weights_that_do_not_fit_are_refused_by_name(weights, expected):
    """A symbol that is quietly left out makes another portfolio."""
    frame = pl.DataFrame(
        weights, schema={"portfolio_id": pl.String, "symbol": pl.String, "weight": pl.Float64}, orient="row"
    )
    with pytest.raises(TrainingRefused, match=expected):
        returns_of(bars(PRICES), frame, "1d")


def test_weights_are_read_from_files_and_options(tmp_path):
    """Whatever their form; a file without a column, or an option without a number, says what was expected."""
    (tmp_path / "w.csv").write_text("portfolio_id,symbol,weight\n7,KO,0.6\n7,A=B,-0.4\n")
    read = read_weights(tmp_path / "w.csv")
    assert read.equals(weights_in(["KO=0.6", "A=B=-0.4"], "7"))
    read.write_parquet(tmp_path / "w.parquet")
    assert read_weights(tmp_path / "w.parquet").equals(read)
    (tmp_path / "bad.csv").write_text("symbol,weight\nKO,0.6\n")
    for file in ("bad.csv", "none.csv"):
        with pytest.raises(TrainingRefused, match="expected a CSV or Parquet file of portfolio_id, symbol, weight"):
            read_weights(tmp_path / file)
    with pytest.raises(TrainingRefused, match="expected SYMBOL=SHARE"):
        weights_in(["KO"], "7")


def test_drawn_portfolios_are_what_they_say_and_the_same_again():
    """As many as asked, long ones of 1, long-short ones of 1 and -1 without a symbol on both sides; a seed is a draw."""
    symbols = [f"S{number:02}" for number in range(9)]
    found = drawn_weights(symbols, DRAWN)
    assert found.equals(drawn_weights(symbols[::-1], DRAWN))
    assert not found.equals(drawn_weights(symbols, msgspec.structs.replace(DRAWN, seed=6)))
    sides = found.group_by("portfolio_id", maintain_order=True).agg(
        pl.col("weight").filter(pl.col("weight") > 0).sum().alias("long"),
        pl.col("weight").filter(pl.col("weight") < 0).sum().alias("short"),
        pl.col("symbol").is_unique().all().alias("once"),
    )
    assert sides["portfolio_id"].str.slice(0, 6).to_list() == ["equal"] + ["long-0"] * 4 + ["long-s"] * 3
    assert sides["long"].to_list() == pytest.approx([1.0] * 8, abs=1e-3)
    assert sides["short"].to_list() == pytest.approx([0.0] * 5 + [-1.0] * 3, abs=1e-3)
    assert sides["once"].all()
    with pytest.raises(TrainingRefused, match="5 symbols do not suffice"):
        drawn_weights(symbols[:5], DRAWN)


@pytest.fixture(scope="module")
def shares(tmp_path_factory) -> Path:
    """Closes of nine shares on 40 days."""
    moves = np.random.default_rng(3).normal(0, 0.02, (40, 9))
    dates = pl.date_range(pl.date(2003, 12, 1), pl.date(2004, 1, 9), "1d", eager=True).cast(pl.String)
    path = tmp_path_factory.mktemp("shares") / "closes.parquet"
    closes = 50 * np.exp(moves.cumsum(axis=0))
    pl.DataFrame({"Date": dates} | {f"S{k}": closes[:, k] for k in range(9)}).write_parquet(path)
    return path


def test_the_maker_writes_events_and_later_the_newest_alone(shares, tmp_path, capsys):
    """The way of a user: the past once, then each day its own record, equal to that of the whole."""
    whole, newest = tmp_path / "all.parquet", tmp_path / "new.parquet"
    common = ["--events", str(shares), "--map", "sp500_bars", "--weight", "S1=0.5", "--weight", "S2=-0.5"]
    main([*common, "--portfolio", "pair", "--out", str(whole)])
    assert capsys.readouterr().out == "39 returns of 1 portfolios in all.parquet\n"
    main([*common, "--portfolio", "pair", "--since", "2004-01-09", "--out", str(newest)])
    assert pl.read_parquet(newest).equals(pl.read_parquet(whole).tail(1))
    scorer = scorers()["portfolio_risk"]
    dataset = collect(scorer.view, [chunk_of(pl.read_parquet(whole))], with_history=True)
    assert (len(dataset), dataset.skipped, dataset.entities) == (39, 0, 1)


def test_a_panel_of_portfolios_reads_prices_up_to_the_last_date_or_returns_as_they_are(shares, tmp_path):
    """The two ways of a protocol give the same numbers, and neither sees what lies behind the date."""
    scorer = scorers()["portfolio_risk"]
    panel = read_panel(Ground((shares,), ""), "sp500_bars", scorer, "2003-12-31", DRAWN)
    assert panel.returns.shape == (29, 8)
    cut = pl.read_parquet(shares).filter(pl.col("Date") <= "2003-12-31")
    cut.write_parquet(tmp_path / "closes.parquet")
    again = read_panel(Ground((tmp_path / "closes.parquet",), ""), "sp500_bars", scorer, "2003-12-31", DRAWN)
    assert again.returns.tobytes() == panel.returns.tobytes()
    equal = cut.drop("Date").to_numpy()
    assert panel.returns[:, 0] == pytest.approx(100 * (equal[1:] / equal[:-1] - 1).mean(axis=1)[1:], abs=1e-5)
    weights = drawn_weights([f"S{k}" for k in range(9)], DRAWN)
    records = read_portfolio_returns([shares], read_mapping("sp500_bars"), Span("1d"), weights)
    dated = records.with_columns(Date=pl.from_epoch("occurred_at_ms", time_unit="ms").dt.date().cast(pl.String))
    dated.select("event_id", "Date", "portfolio_id", "simple_return").write_parquet(tmp_path / "returns.parquet")
    ground = Ground((tmp_path / "returns.parquet",), "portfolio_returns")
    assert read_panel(ground, "sp500_bars", scorer, "2003-12-31", DRAWN).returns.tobytes() == panel.returns.tobytes()


def test_the_shipped_protocol_is_that_of_shares_but_for_its_series():
    """Same dates, fits, baselines and intervals as `equity-var`; nothing after 2008 is read."""
    shares, portfolios = (read_protocol(name).protocol for name in ("equity-var", "portfolio-var"))
    assert portfolios.through == "2008-12-31" and portfolios.portfolios is not None
    same = msgspec.structs.replace(
        portfolios, portfolios=None, scorer=shares.scorer, about=shares.about, data=shares.data
    )
    assert same == shares


def test_other_events_are_refused(shares):
    """Payments have no price, and a view without returns no panel."""
    with pytest.raises(TrainingRefused, match="expected bars, ticks or PortfolioReturn events"):
        read_portfolio_returns([shares], read_mapping("handbook_cards"), Span("1d"), weights_in(["S1=1"], "p"))
    with pytest.raises(TrainingRefused, match="keeps no history of returns"):
        read_panel(Ground((shares,), ""), "sp500_bars", scorers()["payment_anomaly"], "2003-12-31")
