"""The view of bars: what it says of a symbol is what a few lines of numpy say."""

import numpy as np
import pytest

from schemas.events.bar import EVENT, Bar
from scoring.features.batch import EventBatch
from scoring.features.table import fold_table
from scoring.views.bar_activity import VIEW

DAY_MS = 86_400_000
DAYS = 400
DECAY = 0.94


@pytest.fixture(scope="module")
def closes() -> np.ndarray:
    """A random walk of daily closes."""
    return 50 * np.exp(np.cumsum(np.random.default_rng(5).normal(0, 0.02, DAYS)))


@pytest.fixture(scope="module")
def table(closes):
    """The vectors of those closes."""
    bars = [
        Bar(event_id=str(day), occurred_at_ms=day * DAY_MS, symbol="X", close=float(close), high=float(close) * 1.02,
            low=float(close), period="1d")
        for day, close in enumerate(closes)
    ]  # fmt: skip
    return fold_table(VIEW, EventBatch.from_events(EVENT, bars), [None])


def column(table, name: str) -> np.ndarray:
    return table.vectors[:, VIEW.feature_names.index(name)].astype(float)


def test_daily_weekly_and_monthly_volatility_are_those_of_the_returns(closes, table):
    """The lags of the heterogeneous autoregression; the quarter is wider than the ring, so a tile may be off."""
    squares = np.diff(np.log(closes)) ** 2
    assert column(table, "log_return")[1:] == pytest.approx(np.diff(np.log(closes)), abs=1e-7)
    assert np.isnan(column(table, "log_return")[0])
    for name, days in (("7d", 7), ("30d", 30)):
        expected = np.sqrt([squares[max(0, day - days) : day].sum() for day in range(1, DAYS)])
        assert column(table, f"realised_volatility_{name}")[1:] == pytest.approx(expected, rel=1e-5)
        assert column(table, f"log_return_count_{name}")[100] == days


def test_the_exponentially_weighted_volatility_is_that_of_the_ring(closes, table):
    """RiskMetrics, over the bars that are kept."""
    squares = np.diff(np.log(closes)) ** 2
    last = squares[-65:][::-1]
    weights = DECAY ** np.arange(len(last))
    assert column(table, "ewma_volatility")[-1] == pytest.approx(np.sqrt(weights @ last / weights.sum()), rel=0.02)


def test_the_year_of_returns_is_followed_within_one_tile(closes, table):
    """The unit of every forecast; a year is far more than the ring holds."""
    returns = np.diff(np.log(closes))
    assert column(table, "log_return_spread_365d")[-1] == pytest.approx(returns[-365:].std(), rel=0.05)


def test_the_history_is_of_the_bars_before_in_order(closes, table):
    """What the forecast reads; a bar's own vector comes last."""
    assert table.lengths[-1] == 64
    assert table.history[-1, :, 0].astype(float) == pytest.approx(np.diff(np.log(closes))[-64:], abs=1e-7)


def test_the_range_of_a_bar_is_seen_and_a_close_alone_leaves_it_out(table):
    """Daily closes have no range; missing must not look like none."""
    assert column(table, "high_to_low")[3] == pytest.approx(1.02)
    assert np.isnan(column(table, "close_to_open")).all()
