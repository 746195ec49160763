"""Forecasts of returns: right in closed form, never crossing, blind to the future, equal as graph and as torch."""

from dataclasses import replace

import msgspec
import numpy as np
import polars as pl
import pytest
import torch
from scipy.integrate import quad

from scoring.catalog import scorers
from scoring.files import Mapping, read_events
from scoring.files.mapping import IDENTITY
from scoring.model.rows import Rows
from tests.training.conftest import QUIET, ticks
from training.dataset import Dataset, collect
from training.errors import TrainingRefused
from training.making import Made, Origin, make_bundle
from training.networks.johnson import Johnson
from training.networks.wide import minus_log_erfc
from training.trainer import trainer_named

pytestmark = pytest.mark.training

SCORER = scorers()["bar_volatility"]
BARS = Mapping(fields=("close=price", "period='1d'"), same_names=True, time=IDENTITY.time)
SHAPES = [(0.0, 1.2), (0.5, 1.6), (-1.0, 2.5), (1.2, 6.0)]
VOLATILITY, RISK_95, RISK_99, SHORTFALL_95, SHORTFALL_99 = range(5)


def bars(frame: pl.DataFrame, folder) -> Dataset:
    """The data set of ticks read as daily bars."""
    frame.write_parquet(folder / "bars_train.parquet")
    return collect(SCORER.view, read_events([folder / "bars_train.parquet"], BARS, SCORER.event), with_history=True)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Dataset:
    """Four symbols, 900 days each, whose volatility wanders."""
    return bars(ticks(days=900), tmp_path_factory.mktemp("bars"))


@pytest.fixture(scope="module")
def made(dataset, tmp_path_factory) -> Made:
    """A bundle of them; parity of all three graphs is checked while it is made."""
    config = msgspec.structs.replace(trainer_named(SCORER.trainer).defaults, epochs=4, batch_rows=128)
    return make_bundle(
        SCORER, dataset, Origin(("bars_train.parquet",), "made up"), config, QUIET, tmp_path_factory.mktemp("bundles")
    )


def outputs(made: Made, rows: Rows) -> np.ndarray:
    return made.bundle.session.outputs(rows.features, rows.history, rows.lengths)


@pytest.mark.parametrize(("skew", "peak"), SHAPES)
def test_the_distribution_has_mean_zero_and_variance_one_and_its_parts_are_its_integrals(skew, peak):
    """Quantile and mean below it are in closed form; the integrals of the density say the same."""
    shape = Johnson(torch.tensor([skew], dtype=torch.float64), torch.tensor([peak], dtype=torch.float64))

    def density(value: float) -> float:
        nats = shape.nats(torch.tensor([value], dtype=torch.float64))
        return float(torch.exp(-nats)) / np.sqrt(2 * np.pi)

    for power, expected in ((0, 1.0), (1, 0.0), (2, 1.0)):
        parts = [quad(lambda x, p=power: x**p * density(x), *span, limit=400)[0] for span in ((-200, 0), (0, 200))]
        assert sum(parts) == pytest.approx(expected, abs=2e-3)
    for level in (0.95, 0.99):
        quantile, below = float(shape.quantile(level)), float(shape.mean_below(level))
        assert quad(density, -200, quantile, limit=400)[0] == pytest.approx(1 - level, rel=1e-4)
        tail = quad(lambda x: x * density(x), -200, quantile, limit=400)[0] / (1 - level)
        assert below == pytest.approx(tail, rel=1e-3)
        assert below < quantile


def test_the_logarithm_of_a_small_tail_is_exact_far_out():
    """Contributions of a crash are read from it, where the score itself is 1."""
    from scipy.special import log_ndtr

    value = torch.tensor([0.0, 0.3, 1.0, 4.0, 12.0, 60.0], dtype=torch.float64)
    expected = -(np.log(2) + log_ndtr(-value.numpy() * np.sqrt(2)))
    assert minus_log_erfc(value).numpy() == pytest.approx(expected, rel=1e-6, abs=1e-6)


def test_forecasts_never_cross_whatever_the_input(made):
    """The first bar, a price in the wrong unit, a history that was lost, prices that stood still."""
    generator = np.random.default_rng(1)
    steps, width = made.bundle.manifest.history_length, len(made.bundle.manifest.history_features)
    drawn = generator.standard_t(2, (600, steps, width)) * 10.0 ** generator.integers(-9, 9, (600, 1, 1))
    odd = np.array([np.full((steps, width), value) for value in (np.nan, 0.0, 1e30, -1e30, 1e-30)])
    history = np.concatenate([drawn, odd]).astype(np.float32)
    history[:600][generator.random((600, steps, width)) < 0.1] = np.nan
    lengths = generator.integers(0, steps + 1, len(history)).astype(np.int32)
    rows = Rows(np.zeros((len(history), len(made.bundle.manifest.features)), np.float32), history, lengths)
    said = outputs(made, rows)
    assert np.isfinite(said).all() and (said[:, VOLATILITY] > 0).all()
    assert (said[:, RISK_99] < said[:, RISK_95]).all()
    assert (said[:, SHORTFALL_95] < said[:, RISK_95]).all()
    assert (said[:, SHORTFALL_99] < said[:, RISK_99]).all()
    assert (said[:, SHORTFALL_99] < said[:, SHORTFALL_95]).all()


def test_graphs_do_not_depend_on_their_batch_and_name_what_they_say(made):
    """Live and replay cut batches differently; readers find a number by its name."""
    assert made.bundle.session.batch_invariant and made.bundle.session.has_outputs
    names = {each.name: each.labels for each in made.bundle.manifest.outputs}
    assert names == {"volatility": ("",), "value_at_risk": ("0.95", "0.99"), "expected_shortfall": ("0.95", "0.99")}


def test_the_score_is_the_tail_of_the_return_under_the_forecast_of_the_day_before(made, dataset):
    """What is published of tomorrow and what tomorrow is judged by are one forecast: violations score at least 0.9."""
    said = outputs(made, dataset.rows)
    scores = made.bundle.session.run(dataset.rows.features, dataset.rows.history, dataset.rows.lengths)
    returns = 100 * dataset.rows.features[:, SCORER.view.feature_names.index("log_return")]
    for entity in range(4):
        own = np.flatnonzero(dataset.entity == entity)
        before, after = own[:-1], own[1:]
        fell = returns[after] < said[before, RISK_95]
        below = returns[after] < 0
        assert fell.sum() > 10
        assert (scores[after][fell] >= 0.9 - 1e-4).all()
        assert (scores[after][below & ~fell] <= 0.9 + 1e-4).all()


def test_scores_of_usual_bars_are_spread_evenly_and_violations_are_as_many_as_promised(made):
    """A tail score is uniform where nothing is unusual."""
    tail = made.evaluation.tail
    assert 0.42 < tail["0.5"][0] < 0.58 and 0.06 < tail["0.9"][0] < 0.14
    assert made.bundle.manifest.score_kind == "tail"


def test_cutting_off_the_future_changes_no_past_forecast(made, dataset, tmp_path):
    """A leak would make every figure of the evaluation a lie."""
    frame = ticks(days=900)
    kept = frame.filter(pl.col("occurred_at_ms") < frame["occurred_at_ms"][2_000])
    cut = bars(kept, tmp_path)
    assert 1_900 < len(cut) < 2_100
    assert outputs(made, cut.rows).tobytes() == outputs(made, dataset.rows.take(slice(0, len(cut)))).tobytes()


def test_without_the_past_the_forecast_knows_little(made, dataset):
    """The history carries the forecast: without it volatility is that of the average symbol, whatever went before."""
    none = replace(dataset.rows, lengths=np.zeros_like(dataset.rows.lengths))
    assert np.ptp(outputs(made, none)[:, VOLATILITY]) == 0
    assert np.ptp(outputs(made, dataset.rows)[:, VOLATILITY]) > 1


def test_too_few_bars_are_refused_with_their_number(dataset):
    """A model of a handful of bars would look like any other."""
    trainer = trainer_named(SCORER.trainer)
    from training.trainer import Part

    few = Part(dataset.rows.take(slice(0, 100)), dataset.rows.take(slice(100, 200)))
    with pytest.raises(TrainingRefused, match="fewer than 200; give more bars"):
        trainer.fit(SCORER.view, few, trainer.defaults, QUIET)


def test_shortfalls_are_stretched_to_what_was_lost_and_values_at_risk_stay(dataset):
    """Where crashes are worse than the fitted distribution says, the mean loss has to say so, and its threshold not."""
    trainer = trainer_named(SCORER.trainer)
    from training.trainer import Part

    crashes = dataset.rows.history.copy()
    place = dataset.rows.lengths - 1
    own = crashes[np.arange(len(crashes)), place, 0]
    hard = own < np.nanquantile(own, 0.003)
    crashes[np.flatnonzero(hard), place[hard], 0] *= 4
    rows = Rows(dataset.rows.features, crashes, dataset.rows.lengths)
    part = Part(rows.take(slice(0, 2_600)), rows.take(slice(2_600, 3_600)))
    config = msgspec.structs.replace(trainer.defaults, epochs=2, batch_rows=128)
    model = trainer.fit(SCORER.view, part, config, QUIET).model
    stretched = model.outputs(rows)
    factors = model.module.beyond.tolist()
    assert 1.05 < factors[0] <= factors[1] <= 2
    model.module.beyond.fill_(1.0)
    plain = model.outputs(rows)
    assert plain[:, : SHORTFALL_95].tobytes() == stretched[:, : SHORTFALL_95].tobytes()
    assert (stretched[:, SHORTFALL_95:] <= plain[:, SHORTFALL_95:]).all()


def test_a_bar_is_explained_by_its_return_less_a_usual_one(made, dataset):
    """The shares are the score's logarithm over that of the same bar with a usual return, and nothing else has any."""
    session, place = made.bundle.session, SCORER.view.feature_names.index("log_return")
    rows = dataset.rows.take(np.arange(1_000, 1_400))
    shares = session.explain(rows.features, rows.history, rows.lengths)
    usual = Rows(rows.features, rows.history.copy(), rows.lengths)
    usual.history[np.arange(400), rows.lengths - 1, 0] = made.bundle.manifest.baseline["log_return"][3]
    scores = [session.run(each.features, each.history, each.lengths).astype(float) for each in (rows, usual)]
    expected = np.log1p(-scores[1]) - np.log1p(-scores[0])
    assert shares[:, place] == pytest.approx(expected, abs=2e-3)
    assert not np.delete(shares, place, axis=1).any()
