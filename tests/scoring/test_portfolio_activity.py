"""The view of portfolios: the features of returns that bars have, of a return that comes with the event."""

import numpy as np
import pytest

from schemas.events.bar import EVENT as BAR_EVENT
from schemas.events.bar import Bar
from schemas.events.portfolio_return import EVENT, PortfolioReturn
from scoring.features.batch import EventBatch
from scoring.features.of_returns import return_of
from scoring.features.table import fold_table
from scoring.views.account_activity import VIEW as ACCOUNTS
from scoring.views.bar_activity import VIEW as BARS
from scoring.views.portfolio_activity import VIEW

DAY_MS = 86_400_000
DAYS = 400


@pytest.fixture(scope="module")
def returns() -> np.ndarray:
    """Daily simple returns, float64[days]; one is a loss of more than everything."""
    found = np.random.default_rng(6).normal(0, 0.02, DAYS)
    found[300] = -1.2
    return found


@pytest.fixture(scope="module")
def table(returns):
    """The vectors of those returns."""
    events = [
        PortfolioReturn(event_id=str(day), occurred_at_ms=day * DAY_MS, portfolio_id="fund", simple_return=float(value))
        for day, value in enumerate(returns)
    ]
    return fold_table(VIEW, EventBatch.from_events(EVENT, events), [None])


def column(table, view, name: str) -> np.ndarray:
    return table.vectors[:, view.feature_names.index(name)].astype(float)


def test_volatilities_are_those_of_the_returns_as_they_came(returns, table):
    """A plain loop over the last days says the same; no logarithm is taken, so a loss of more than everything counts."""
    assert column(table, VIEW, "simple_return") == pytest.approx(returns, abs=1e-7)
    for name, days in (("7d", 7), ("30d", 30)):
        naive = [np.sqrt(sum(value**2 for value in returns[max(0, day - days + 1) : day + 1])) for day in range(DAYS)]
        assert column(table, VIEW, f"realised_volatility_{name}") == pytest.approx(naive, rel=1e-5)
    assert column(table, VIEW, "simple_return_spread_365d")[299] == pytest.approx(returns[:300].std(), rel=1e-4)
    assert column(table, VIEW, "simple_return_count_30d")[100] == 30


def test_a_portfolio_of_one_symbol_has_the_features_of_its_bars(returns):
    """Bars and portfolios share the declaration of what is kept of returns: log returns given as such give the same."""
    logs = np.random.default_rng(7).normal(0, 0.02, DAYS)
    closes = 50 * np.exp(np.concatenate([[0.0], logs]).cumsum())
    bars = [
        Bar(event_id=str(day), occurred_at_ms=day * DAY_MS, symbol="X", close=float(close))
        for day, close in enumerate(closes)
    ]
    given = [
        PortfolioReturn(event_id=str(day), occurred_at_ms=day * DAY_MS, portfolio_id="X", simple_return=float(value))
        for day, value in enumerate(np.log(closes[1:] / closes[:-1]), start=1)
    ]
    of_bars = fold_table(BARS, EventBatch.from_events(BAR_EVENT, bars), [None])
    own = fold_table(VIEW, EventBatch.from_events(EVENT, given), [None])
    shared = [name for name in VIEW.feature_names if name.replace("simple_return", "log_return") in BARS.feature_names]
    assert len(shared) >= len(VIEW.feature_names) - 1
    for name in shared:
        if name != "seconds_since_last":
            expected = column(of_bars, BARS, name.replace("simple_return", "log_return"))[1:]
            assert column(own, VIEW, name) == pytest.approx(expected, rel=1e-5, abs=1e-9, nan_ok=True), name


def test_the_history_holds_the_returns_in_order(returns, table):
    """What the forecast reads; its first column is the return and its second the unit."""
    assert VIEW.history is not None and return_of(VIEW) == "simple_return" and return_of(BARS) == "log_return"
    assert return_of(ACCOUNTS) is None
    assert table.history[-1, :, 0].astype(float) == pytest.approx(returns[-64:], abs=1e-7)
