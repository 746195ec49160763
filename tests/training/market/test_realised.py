"""Realised variances: what they are made of, that the classical models are right, and what the protocol says."""

from pathlib import Path

import msgspec
import numpy as np
import polars as pl
import pytest

from scoring.catalog import scorers
from scoring.files import read_mapping
from training.dataset import collect
from training.errors import TrainingRefused
from training.market.prices import Span, chunk_of
from training.market.realised import read_variances, variances_of
from training.market.variance_rivals import VARIANCE_RIVALS, VarianceSeries, log_har
from training.protocols.methods.realised_variance import RealisedVarianceProtocol, _judged, _learned
from training.protocols.protocol import Ground, read_protocol

pytestmark = pytest.mark.training

DAY_MS, HOUR_MS = 86_400_000, 3_600_000
PROTOCOL = RealisedVarianceProtocol(
    about="simulated", data="none", map="daily_variances", scorer="realised_variance", candidates=("variance_forecast",),
    baselines=("log_har", "ewma"), metrics=("qlike",), unit="day", seeds=(7,), resamples=200, window=500, refit=400,
)  # fmt: skip


def bars(closes: list[float], step_ms: int, **columns: list[float]) -> pl.DataFrame:
    """Bars of one symbol, each known at the end of its step."""
    times = [(place + 1) * step_ms for place in range(len(closes))]
    return pl.DataFrame({"symbol": "X", "occurred_at_ms": times, "close": closes, **columns})


def wandering(days: int, seed: int) -> np.ndarray:
    """Variances whose logarithm is the sum of a quick and a slow wave of noise, float64[days]."""
    generator = np.random.default_rng(seed)
    quick, slow, found = 0.0, 0.0, np.empty(days)
    for day in range(days):
        quick, slow = 0.6 * quick + 0.4 * generator.normal(), 0.98 * slow + 0.12 * generator.normal()
        found[day] = 1e-4 * np.exp(quick + slow)
    return found


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> Path:
    """Daily variances of two symbols, as events in a file."""
    dates = pl.date_range(pl.date(2000, 1, 1), pl.date(2003, 7, 23), "1d", eager=True).cast(pl.String)
    frames = [
        pl.DataFrame({"Date": dates, "symbol": name, "variance": wandering(1_300, seed)})
        for seed, name in enumerate("AB")
    ]
    path = tmp_path_factory.mktemp("variances") / "variances.parquet"
    pl.concat(frames).write_parquet(path)
    return path


def test_bars_within_a_period_add_their_squared_returns():
    """The definition, by hand: two days of four bars; the first bar of a day counts from its open where that is known."""
    closes = [100.0, 101.0, 100.0, 102.0, 103.0, 101.0, 101.0, 104.0]
    made = variances_of(bars(closes, DAY_MS // 4), "1d")
    moves = np.diff(np.log(closes))
    assert made["variance"].to_list() == pytest.approx([(moves[:3] ** 2).sum(), (moves[3:] ** 2).sum()])
    assert made["log_return"].to_list()[1] == pytest.approx(np.log(104 / 102))
    assert made["occurred_at_ms"].to_list() == [DAY_MS, 2 * DAY_MS]
    opened = variances_of(bars(closes, DAY_MS // 4, open=[99.0, *closes[:3], 102.5, *closes[4:-1]]), "1d")
    night = np.log(103 / 102.5) ** 2 + (moves[4:] ** 2).sum()
    assert opened["variance"].to_list()[1] == pytest.approx(night)


def test_one_bar_a_period_counts_its_range_or_its_squared_return():
    """Parkinson's measure where high and low are known, else what is left."""
    closes = [100.0, 101.0, 99.0]
    ranged = variances_of(bars(closes, DAY_MS, high=[102.0] * 3, low=[98.0] * 3), "1d")
    assert ranged["variance"].to_list() == pytest.approx([np.log(102 / 98) ** 2 / (4 * np.log(2))] * 3)
    plain = variances_of(bars(closes, DAY_MS), "1d")
    assert plain["variance"].to_list() == pytest.approx((np.diff(np.log(closes)) ** 2).tolist())


def test_parkinsons_measure_has_the_mean_of_the_variance():
    """Its constant is right: of finely watched random walks it is the variance on average."""
    walk = np.random.default_rng(5).normal(0, 0.01 / np.sqrt(2_000), (400, 2_000)).cumsum(axis=1)
    frame = bars([100.0] * 400, DAY_MS, high=(100 * np.exp(walk.max(axis=1).clip(0))).tolist(),
                 low=(100 * np.exp(walk.min(axis=1).clip(max=0))).tolist())  # fmt: skip
    assert variances_of(frame, "1d")["variance"].mean() == pytest.approx(1e-4, rel=0.1)


def test_a_period_with_few_bars_is_left_out():
    """Half an hour on a Sunday evening is no day."""
    frame = bars([100.0 + (place % 3) for place in range(24 * 3 + 2)], HOUR_MS)
    assert variances_of(frame, "1d").height == 3


def test_log_har_is_least_squares_on_the_window_and_nothing_later():
    """One forecast by hand; and cutting off the future changes none."""
    variance = wandering(900, 3)
    given = VarianceSeries(variance, np.zeros(900), np.zeros(900, np.int64), 500, [500])
    found = log_har(given)
    logs = np.log(variance)
    lags = np.array([[1, logs[t - 1], logs[t - 5 : t].mean(), logs[t - 22 : t].mean()] for t in range(200, 701)])
    weights, *_ = np.linalg.lstsq(lags[:-1], logs[200:700], rcond=None)
    errors = logs[200:700] - lags[:-1] @ weights
    assert found[700] == pytest.approx(np.exp(lags[-1] @ weights + errors @ errors / 496 / 2), rel=1e-9)
    assert np.isnan(found[:500]).all() and np.isfinite(found[500:]).all()


@pytest.mark.parametrize("name", [each for each in VARIANCE_RIVALS if each != "garch_t"])
def test_a_classical_forecast_knows_nothing_of_its_period(name):
    """A leak would make a baseline, and so the verdict, a lie."""
    variance = wandering(700, 4)
    changed = variance.copy()
    changed[-1] *= 100
    first, second, cut = (
        VARIANCE_RIVALS[name](VarianceSeries(each, np.zeros(len(each)), np.arange(len(each)) % 24, 500, [500]))
        for each in (variance, changed, variance[:-1])
    )
    assert np.array_equal(first, second, equal_nan=True)
    assert np.array_equal(first[:-1], cut, equal_nan=True)


def test_the_network_is_level_with_log_har_where_that_is_the_truth_and_ahead_of_a_plain_average(file):
    """It starts as log-HAR: on a process that log-HAR describes it may not be far from it."""
    found = {each.baseline: each for each in PROTOCOL.run(Ground((file,), ""), "simulated", "0" * 64)}
    assert found["log_har"].n == 2 * 800
    assert abs(found["log_har"].difference) < 0.03
    assert found["ewma"].verdict == "ahead" and found["ewma"].statistics["p_behind"] > 0.95


def forecasts(events: pl.DataFrame) -> np.ndarray:
    """What the network says of all periods behind the first 500, float64[n]."""
    scorer = scorers()["realised_variance"]
    dataset = collect(scorer.view, [chunk_of(events)], with_history=True)
    once = msgspec.structs.replace(PROTOCOL, refit=1_000)
    return _learned(once, dataset, _judged(dataset, 0, 500, "cut"), "variance_forecast", 7, Ground((), ""))


def test_cutting_off_the_future_changes_no_forecast(file, tmp_path):
    """Forecasts of the days that stay are the same whatever comes after."""
    mapping = read_mapping("daily_variances")
    events = read_variances([file], mapping, Span("1d"))
    cut = read_variances([file], mapping, Span("1d", through="2002-12-31"))
    assert cut.height == 2 * 1_096 and cut.equals(events.head(cut.height))
    whole, shorter = (forecasts(each) for each in (events, cut))
    assert shorter.tobytes() == whole[: len(shorter)].tobytes()


def test_other_events_and_too_few_periods_are_refused(file):
    """A mapping of payments has no variance; a month of days has no window of 1,000."""
    with pytest.raises(TrainingRefused, match="expected bars, ticks or RealisedVariance"):
        read_variances([file], read_mapping("handbook_cards"), Span("1d"))
    few = msgspec.structs.replace(PROTOCOL, window=2_000)
    with pytest.raises(TrainingRefused, match="more than 2000 periods"):
        few.run(Ground((file,), ""), "few", "0" * 64)
    wrong = msgspec.structs.replace(PROTOCOL, baselines=("har_x",))
    with pytest.raises(TrainingRefused, match="har_x is unknown; known are log_har"):
        wrong.run(Ground((file,), ""), "wrong", "0" * 64)


@pytest.mark.parametrize("name", ["realised-variance", "realised-variance-hourly", "realised-variance-weekly"])
def test_the_shipped_protocols_compare_with_log_har_first(name):
    """The verdict that counts is that against Corsi's model."""
    protocol = read_protocol(name).protocol
    assert protocol.baselines[0] == "log_har" and protocol.metrics == ("qlike",)
