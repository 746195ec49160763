"""The protocol of market risk on simulated shares: what it reads, what it says, and the models it compares with."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from training.errors import TrainingRefused
from training.market import garch
from training.market.forecasts import LEVELS, Forecasts
from training.market.garch import ewma, historical_simulation
from training.market.losses import coverage, joint_loss
from training.market.panel import read_panel
from training.protocols.methods.value_at_risk import RiskOutcome, ValueAtRisk
from training.protocols.protocol import Ground, read_protocol
from training.protocols.reading import scorer_of
from training.protocols.rivals import said_by

pytestmark = pytest.mark.training

PROTOCOL = ValueAtRisk(
    about="simulated shares", data="none", map="sp500_bars", scorer="bar_volatility", candidates=("return_forecast",),
    baselines=("ewma", "historical_simulation"), metrics=("qlike", "fz0_95", "coverage_95", "coverage_99"), unit="day",
    seeds=(7,), resamples=200, through="2003-12-31", first_days=700, refit_days=200,
)  # fmt: skip


def simulated(days: int, series: int, seed: int = 8) -> np.ndarray:
    """Percent returns of GARCH(1,1) processes with normal errors, float64[days, series]."""
    generator = np.random.default_rng(seed)
    noise, variance = generator.normal(size=(days, series)), np.full(series, 2.0)
    returns = np.empty((days, series))
    for day in range(days):
        returns[day] = np.sqrt(variance) * noise[day]
        variance = 0.05 + 0.1 * returns[day] ** 2 + 0.875 * variance
    return returns


@pytest.fixture(scope="module")
def shares(tmp_path_factory) -> Path:
    """Closes of four shares from 2000-01-01 on, every day, two weeks longer than the protocol reads."""
    returns = simulated(1_475, 4)
    closes = 50 * np.exp(np.vstack([np.zeros(4), returns]).cumsum(axis=0) / 100)
    dates = pl.date_range(pl.date(2000, 1, 1), pl.date(2004, 1, 15), "1d", eager=True)
    path = tmp_path_factory.mktemp("shares") / "closes.parquet"
    pl.DataFrame({"Date": dates.cast(pl.String)} | {f"S{k}": closes[:, k] for k in range(4)}).write_parquet(path)
    return path


@pytest.fixture(scope="module")
def outcomes(shares) -> list[RiskOutcome]:
    """What the protocol says of them."""
    return PROTOCOL.run(Ground((shares,), ""), "simulated", "0" * 64)


def test_what_comes_after_the_last_date_is_not_read(shares, tmp_path):
    """The shipped protocol stops at the end of 2008, and nobody may look further."""
    scorer = scorer_of(PROTOCOL, "simulated")
    panel = read_panel(Ground((shares,), ""), "sp500_bars", scorer, "2003-12-31")
    assert panel.returns.shape == (1_460, 4)
    frame = pl.read_parquet(shares)
    frame.filter(pl.col("Date") <= "2003-12-31").write_parquet(tmp_path / "closes.parquet")
    cut = read_panel(Ground((tmp_path / "closes.parquet",), ""), "sp500_bars", scorer, "2003-12-31")
    assert cut.returns.tobytes() == panel.returns.tobytes()
    assert panel.returns == pytest.approx(simulated(1_475, 4)[:1_460], abs=1e-4)
    assert read_protocol("equity-var").protocol.through == "2008-12-31"


def test_a_forecast_comes_from_the_row_of_the_day_before(shares):
    """One row further would be the day itself: a leak that makes any model look brilliant."""
    panel = read_panel(Ground((shares,), ""), "sp500_bars", scorer_of(PROTOCOL, "simulated"), "2003-12-31")
    own = panel.dataset.rows.features[:, 0].astype(float) * 100
    assert own[panel.said_by[1:]] == pytest.approx(panel.returns[:-1])


def test_the_network_is_ahead_of_historical_simulation_and_covers_what_it_should(outcomes):
    """Where volatility clusters, one that follows it must win; every metric is there with its statistics."""
    found = {(each.metric, each.baseline): each for each in outcomes}
    assert set(found) == {(m, b) for m in PROTOCOL.metrics for b in PROTOCOL.baselines}
    qlike = found["qlike", "historical_simulation"]
    assert qlike.verdict == "ahead" and qlike.statistics["dm_statistic"] < -2 and qlike.statistics["p_behind"] > 0.97
    assert qlike.n == 760 * 4
    covered = found["coverage_95", "ewma"]
    assert 0.03 < covered.value < 0.07
    assert covered.statistics["series_joint_passed"] >= 3
    assert {"green", "yellow", "red"} <= set(found["coverage_99", "ewma"].statistics)


def test_unknown_names_are_refused_before_anything_is_read(shares):
    """A protocol runs for minutes; a typing error should not."""
    import msgspec

    wrong = msgspec.structs.replace(PROTOCOL, baselines=("garch_x",))
    with pytest.raises(TrainingRefused, match="garch_x is unknown; known are gjr_skew_t"):
        wrong.run(Ground((shares,), ""), "wrong", "0" * 64)


@pytest.mark.parametrize("rival", [ewma, historical_simulation])
def test_a_baseline_knows_nothing_of_the_day_it_forecasts(rival):
    """Changing the last day, and cutting it off, changes no forecast before it."""
    returns = simulated(900, 1)[:, 0]
    changed = returns.copy()
    changed[-1] = -30
    first, second, cut = (rival(each, [600, 800]) for each in (returns, changed, returns[:-1]))
    for name in ("variance", "value_at_risk", "shortfall"):
        assert np.array_equal(getattr(first, name), getattr(second, name), equal_nan=True)
        assert np.array_equal(getattr(first, name)[:-1], getattr(cut, name), equal_nan=True)
    assert np.isnan(first.variance[:600]).all() and not np.isnan(first.variance[600:]).any()


def test_garch_of_the_arch_package_finds_the_process_that_made_the_returns():
    """The baselines have to be good ones: near the true variance, passing the tests, and blind to the future."""
    pytest.importorskip("arch")
    returns = simulated(2_000, 1, seed=9)[:, 0]
    variance = np.empty(2_000)
    last = 2.0
    for day, value in enumerate(returns):
        variance[day] = last
        last = 0.05 + 0.1 * value**2 + 0.875 * last
    refits = [1_000, 1_500]
    for rival in (garch.garch_t, garch.gjr_skew_t):
        found = rival(returns, refits)
        assert np.median(np.abs(np.log(found.variance[1_000:] / variance[1_000:]))) < 0.15
        hits = returns[1_000:] < found.value_at_risk[1_000:, LEVELS.index(0.95)]
        assert coverage(hits, 0.95).joint_p > 0.01
        assert (found.shortfall[1_000:] < found.value_at_risk[1_000:]).all()
        cut = rival(returns[:-1], refits)
        assert np.array_equal(cut.value_at_risk, found.value_at_risk[:-1], equal_nan=True)
        blunt = historical_simulation(returns, refits)
        assert loss(returns, found) < loss(returns, blunt)


def loss(returns: np.ndarray, forecasts: Forecasts) -> float:
    """Mean joint loss at 95 % of the days with forecasts."""
    rows = slice(1_000, None)
    return float(joint_loss(returns[rows], forecasts.value_at_risk[rows, 0], forecasts.shortfall[rows, 0], 0.95).mean())


def test_what_is_judged_is_what_a_bundle_of_these_rows_would_publish(shares):
    """Figures of torch would be figures of another program than the live one."""
    scorer = scorer_of(PROTOCOL, "simulated")
    panel = read_panel(Ground((shares,), ""), "sp500_bars", scorer, "2003-12-31")
    spans = slice(0, 600), slice(600, 700), slice(700, 720)
    train, validation, test = (np.sort(panel.said_by[span].ravel()) for span in spans)
    said = said_by(scorer, "return_forecast", panel.dataset, train=train, validation=validation, test=test, seed=7)
    assert said.shape == (80, 5) and np.array_equal(said, np.round(said, 6))
    alone = said_by(scorer, "return_forecast", panel.dataset, train=train, validation=validation, test=test[:3], seed=7)
    assert alone.tobytes() == said[:3].tobytes()
    with pytest.raises(TrainingRefused, match="gru has no named outputs"):
        said_by(scorer, "gru", panel.dataset, train=train, validation=validation, test=test, seed=7)
