"""Series in one pass: no group is judged by what has seen it, later rows change no past score, truth matters."""

from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
import pytest

from scoring.catalog import scorers
from scoring.files import read_events, read_mapping
from training.dataset import collect
from training.errors import TrainingRefused
from training.protocols.methods.nab import FROZEN, OPTIMISED, Nab
from training.protocols.protocol import Ground, read_protocol

pytestmark = pytest.mark.training

SCORER = scorers()["series_anomaly"]
ROWS, AT, LENGTH = 600, 400, 60


def drawn(groups: tuple[str, ...], seed: int = 4, height: float = 12.0) -> pl.DataFrame:
    """Two series a group: noise about a level, and one window in which it jumps a few rows after the beginning."""
    generator, frames = np.random.default_rng(seed), []
    for group in groups:
        for number in range(2):
            values = generator.normal(50, 2, ROWS)
            values[AT + 5 : AT + 15] += height
            times = [datetime(2015, 1, 1) + timedelta(minutes=5 * row) for row in range(ROWS)]
            marked = (np.arange(ROWS) >= AT) & (np.arange(ROWS) < AT + LENGTH)
            frames.append(
                pl.DataFrame(
                    {
                        "series": [f"{group}/{number}.csv"] * ROWS, "timestamp": times, "value": values,
                        "in_anomaly_window": marked,
                    }
                )
            )  # fmt: skip
    return pl.concat(frames)


def protocol(development: Path, **changes: object) -> Nab:
    """The shipped protocol with rules for models, which need no training."""
    shipped = read_protocol("nab").protocol
    assert isinstance(shipped, Nab)
    given = {"candidates": ("record",), "baselines": ("windowed_gaussian",), "resamples": 50, "seeds": (7,)} | changes
    return msgspec.structs.replace(shipped, development=str(development), **given)


def written(frame: pl.DataFrame, path: Path) -> Path:
    frame.write_parquet(path)
    return path


def test_jumps_are_found_by_the_rule_of_records_in_groups_nobody_has_seen(tmp_path: Path):
    """The same code path as the shipped protocol, on names and groups that are new to it."""
    known = written(drawn(("a", "b")), tmp_path / "known.parquet")
    tested = written(drawn(("x", "y")), tmp_path / "new.parquet")
    outcomes = protocol(known).run(Ground((tested,), "nab_series"), "nab", "0")
    assert [each.metric for each in outcomes] == [OPTIMISED, FROZEN]
    for each in outcomes:
        assert each.value > 80
        assert each.statistics["windows"] == 4
        assert each.statistics["found"] == 4
        assert set(each.statistics) >= {"x", "y", "baseline_alarms"}
        assert each.n == 4 * ROWS * 0.85


def test_the_fixed_threshold_of_a_group_comes_from_the_others(tmp_path: Path):
    """Whatever the judged group's own development rows say: a threshold that has seen them would be no promise."""
    tested = written(drawn(("a",)), tmp_path / "tested.parquet")
    found = []
    for height in (12.0, 0.0):
        frames = [drawn(("a",), seed=5, height=height), drawn(("b",), seed=6)]
        known = written(pl.concat(frames), tmp_path / f"known{height}.parquet")
        found.append(protocol(known).run(Ground((tested,), "nab_series"), "nab", "0")[1].value)
    assert found[0] == found[1]


def test_a_model_is_judged_through_its_graph_and_beside_its_rivals(tmp_path: Path):
    """Trained models and rules go through the very same lines; every seed has a figure."""
    known = written(drawn(("a", "b")), tmp_path / "known.parquet")
    tested = written(drawn(("b", "c")), tmp_path / "new.parquet")
    given = protocol(known, candidates=("isolation_forest",), baselines=("zscore",), metrics=(OPTIMISED,), seeds=(7, 8))
    outcome = given.run(Ground((tested,), "nab_series"), "nab", "0")[0]
    assert outcome.value > 60
    assert len(outcome.values) == 2
    assert outcome.ci95[0] <= outcome.value <= outcome.ci95[1]


def test_shuffled_windows_destroy_the_figure(tmp_path: Path):
    """What stays without the truth was never skill."""
    frame = drawn(("x", "y", "z"))
    moved = frame.with_columns(pl.Series("in_anomaly_window", np.roll(frame["in_anomaly_window"].to_numpy(), 80)))
    known = written(drawn(("a", "b")), tmp_path / "known.parquet")
    value = protocol(known).run(Ground((written(moved, tmp_path / "moved.parquet"),), "nab_series"), "nab", "0")[1].value
    assert value < 10


def test_later_readings_change_no_earlier_vector(tmp_path: Path):
    """One pass: what a worker would have said then."""
    frame = drawn(("x",))
    half = frame.filter(pl.col("timestamp") < datetime(2015, 1, 2))
    whole, part = (
        collect(
            SCORER.view,
            read_events([written(each, tmp_path / f"{each.height}.parquet")], read_mapping("nab_series"), SCORER.event),
            with_history=True,
        )
        for each in (frame, half)
    )
    early = np.flatnonzero(whole.occurred_at_ms <= part.occurred_at_ms.max())
    np.testing.assert_array_equal(whole.rows.features[early], part.rows.features)
    np.testing.assert_array_equal(whole.rows.history[early], part.rows.history)


def test_a_series_multiplied_and_shifted_has_the_same_vectors(tmp_path: Path):
    """Inputs are in units of the series itself, so that one model serves them all."""
    frame = drawn(("x",))
    other = frame.with_columns(pl.col("value") * 1_024 - 4_096)
    first, second = (
        collect(
            SCORER.view,
            read_events([written(each, tmp_path / f"{name}.parquet")], read_mapping("nab_series"), SCORER.event),
            with_history=False,
        ).rows.features
        for name, each in (("as_it_is", frame), ("other", other))
    )
    beyond = [place for place, name in enumerate(SCORER.view.feature_names) if "beyond" in name]
    np.testing.assert_allclose(first[:, beyond], second[:, beyond], rtol=1e-4, atol=1e-5)


def test_what_cannot_be_judged_is_refused_in_words(tmp_path: Path):
    """A figure over no window would be nothing over nothing."""
    quiet = drawn(("x",)).with_columns(pl.lit(False).alias("in_anomaly_window"))
    known = written(drawn(("a", "b")), tmp_path / "known.parquet")
    with pytest.raises(TrainingRefused, match="no series has a marked window"):
        protocol(known).run(Ground((written(quiet, tmp_path / "quiet.parquet"),), "nab_series"), "nab", "0")
    with pytest.raises(TrainingRefused, match="metric auc is unknown"):
        protocol(known, metrics=("auc",)).run(Ground((known,), "nab_series"), "nab", "0")
