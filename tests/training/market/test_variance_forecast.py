"""Forecasts of realised variance: what is published is what is judged by, in order, blind to the future, as graphs."""

from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
import pytest
import torch

from scoring.catalog import scorers
from scoring.files import read_events
from scoring.files.mapping import IDENTITY
from scoring.model.rows import Rows
from tests.training.conftest import QUIET
from tests.training.market.test_realised import DAY_MS, wandering
from training.dataset import Dataset, collect
from training.errors import TrainingRefused
from training.making import Made, Origin, make_bundle
from training.networks.variance_surprise import _minus_log_above
from training.trainer import Part, trainer_named

pytestmark = pytest.mark.training

SCORER = scorers()["realised_variance"]
VOLATILITY, EXCEEDED_95, EXCEEDED_99 = range(3)


def variances(days: int = 1_000) -> pl.DataFrame:
    """Events of three symbols, one of them of moves a hundred times as large."""
    times = 946_684_800_000 + np.arange(1, days + 1) * DAY_MS
    frames = [
        pl.DataFrame(
            {"symbol": f"S{seed}", "occurred_at_ms": times, "variance": wandering(days, seed) * 10.0 ** (2 * seed)}
        )
        for seed in range(3)
    ]
    frame = pl.concat(frames).sort("occurred_at_ms", "symbol").with_row_index("event_id")
    return frame.with_columns(pl.col("event_id").cast(pl.String), log_return=pl.col("variance").sqrt())


def dataset_of(frame: pl.DataFrame, folder: Path) -> Dataset:
    frame.write_parquet(folder / "variances_train.parquet")
    chunks = read_events([folder / "variances_train.parquet"], IDENTITY, SCORER.event)
    return collect(SCORER.view, chunks, with_history=True)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Dataset:
    """1,000 days of them."""
    return dataset_of(variances(), tmp_path_factory.mktemp("variances"))


@pytest.fixture(scope="module")
def made(dataset, tmp_path_factory) -> Made:
    """A bundle of them; parity of all three graphs is checked while it is made."""
    config = msgspec.structs.replace(trainer_named(SCORER.trainer).defaults, epochs=4)
    origin = Origin(("variances_train.parquet",), "made up")
    return make_bundle(SCORER, dataset, origin, config, QUIET, tmp_path_factory.mktemp("bundles"))


def outputs(made: Made, rows: Rows) -> np.ndarray:
    return made.bundle.session.outputs(rows.features, rows.history, rows.lengths)


def test_whatever_the_input_there_is_a_forecast_in_order(made):
    """The first period, a variance of zero, one in the wrong unit, a history that was lost."""
    generator = np.random.default_rng(1)
    steps, width = made.bundle.manifest.history_length, len(made.bundle.manifest.history_features)
    drawn = generator.lognormal(-9, 3, (400, steps, width)) * 10.0 ** generator.integers(-9, 9, (400, 1, 1))
    odd = np.array([np.full((steps, width), value) for value in (np.nan, 0.0, 1e30, -1e30, 1e-30)])
    history = np.concatenate([drawn, odd]).astype(np.float32)
    history[:400][generator.random((400, steps, width)) < 0.1] = np.nan
    lengths = generator.integers(0, steps + 1, len(history)).astype(np.int32)
    rows = Rows(np.zeros((len(history), len(made.bundle.manifest.features)), np.float32), history, lengths)
    said = outputs(made, rows)
    assert np.isfinite(said).all() and (said > 0).all()
    assert (said[:, EXCEEDED_99] > said[:, EXCEEDED_95]).all()
    assert made.bundle.session.batch_invariant


def test_a_period_above_what_was_exceeded_in_one_of_twenty_scores_above_nineteen_of_twenty(made, dataset):
    """What is published of the next period and what it is judged by are one forecast."""
    said, column = outputs(made, dataset.rows), SCORER.view.feature_names.index("variance")
    scores = made.bundle.session.run(dataset.rows.features, dataset.rows.history, dataset.rows.lengths)
    volatility = 100 * np.sqrt(dataset.rows.features[:, column])
    for entity in range(3):
        own = np.flatnonzero(dataset.entity == entity)[30:]
        above = volatility[own[1:]] > said[own[:-1], EXCEEDED_95]
        assert 20 < above.sum() < 90
        assert (scores[own[1:]][above] >= 0.95 - 1e-4).all() and (scores[own[1:]][~above] <= 0.95 + 1e-4).all()


def test_forecasts_follow_the_size_of_a_symbols_moves(made, dataset):
    """One network serves symbols of any size: the mean forecast is near the mean of what came, for each of them."""
    said, column = outputs(made, dataset.rows), SCORER.view.feature_names.index("variance")
    for entity in range(3):
        own = np.flatnonzero(dataset.entity == entity)[60:]
        came = dataset.rows.features[own[1:], column].mean()
        assert 0.8 < (said[own[:-1], VOLATILITY].astype(float) ** 2).mean() / (1e4 * came) < 1.25


def test_without_the_past_every_forecast_is_the_same(made, dataset):
    """The history carries the forecast."""
    none = replace(dataset.rows, lengths=np.zeros_like(dataset.rows.lengths))
    assert np.ptp(outputs(made, none)[:, VOLATILITY]) == 0


def test_cutting_off_the_future_changes_no_past_score(made, dataset, tmp_path):
    """A leak would make every figure of the evaluation a lie."""
    cut = dataset_of(variances().head(1_500), tmp_path)
    kept = dataset.rows.take(slice(0, 1_500))
    for graph in (made.bundle.session.run, made.bundle.session.outputs, made.bundle.session.explain):
        found, expected = (graph(rows.features, rows.history, rows.lengths) for rows in (cut.rows, kept))
        assert found.tobytes() == expected.tobytes()


def test_the_logarithm_of_the_share_above_is_exact_far_out():
    """Explanations of a crash are read from it, where the score itself is 1."""
    from scipy.special import log_ndtr

    value = torch.tensor([-40.0, -8.0, -1.0, 0.0, 0.5, 3.0, 9.0], dtype=torch.float64)
    assert _minus_log_above(value).numpy() == pytest.approx(-log_ndtr(-value.numpy()), rel=1e-6, abs=2e-7)


def test_too_few_periods_are_refused_with_their_number(dataset):
    """A model of a handful of days would look like any other."""
    few = Part(dataset.rows.take(slice(0, 100)), dataset.rows.take(slice(100, 150)))
    with pytest.raises(TrainingRefused, match="fewer than 50; give more periods"):
        trainer_named(SCORER.trainer).fit(SCORER.view, few, trainer_named(SCORER.trainer).defaults, QUIET)
