"""Attention that judges only what an event itself brings: its exported graph, what moves its score and what does not."""

from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from scoring.catalog import scorers
from scoring.views.account_activity import VIEW
from scoring.views.company_ratios import VIEW as RATIOS
from tests.training.conftest import QUIET, dataset_of
from training.errors import TrainingRefused
from training.making import Made, Origin, make_bundle
from training.sequence import train_sequence
from training.trainer import Part, trainer_named
from training.trainers import attention
from training.trainers.attention_own import own

pytestmark = pytest.mark.training


@pytest.fixture(scope="module")
def made(payments_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A quickly trained challenger of `payment_attention`."""
    config = msgspec.structs.replace(trainer_named("attention_own").defaults, epochs=6, batch_rows=128, widths=(16,))
    scorer, dataset = scorers()["payment_attention"], dataset_of("payment_attention", payments_file)
    home, origin = tmp_path_factory.mktemp("own"), Origin(("payments",), "made up")
    return make_bundle(scorer, dataset, origin, config, QUIET, home, trainer_name="attention_own")


def test_its_graphs_are_the_model_and_do_not_depend_on_the_batch(made):
    """Decision 3 holds for a model with a second tail as for the others."""
    assert made.bundle.session.batch_invariant
    assert made.bundle.manifest.metrics["parity"] <= 1e-5


def test_a_large_payment_scores_high_and_a_busy_day_does_not(made, payments_file):
    """Counts and totals are read from the past; the event's own are extreme long after what made them so."""
    dataset = dataset_of("payment_attention", payments_file)
    rows = dataset.rows.take(np.flatnonzero(dataset.rows.lengths == VIEW.history.length)[:400])
    names, session = VIEW.history.features, made.bundle.session

    def scored(**changed: float) -> np.ndarray:
        history = rows.history.copy()
        for name, times in changed.items():
            history[:, -1, names.index(name)] *= times
        return session.run(rows.features, history, rows.lengths)

    usual = scored()
    assert np.median(scored(amount=8.0, charge_ratio_30d=8.0)) > 0.98 > np.median(usual)
    np.testing.assert_array_equal(scored(count_1d=30.0, charge_total_1d=30.0, charge_zscore_30d=30.0), usual)


def test_its_contributions_are_of_what_it_judges_and_sum_up(made, payments_file):
    """A reason that did not move the score would be a false one."""
    rows = dataset_of("payment_attention", payments_file).rows.take(slice(500, 900))
    parts = made.bundle.session.explain(rows.features, rows.history, rows.lengths)
    judged = np.isin(VIEW.feature_names, sorted(own(VIEW)))
    assert np.abs(parts[:, judged]).max() > 0.1
    assert np.abs(parts[:, ~judged]).max() < 1e-4


def test_a_view_without_history_or_without_anything_to_judge_is_refused(payments_file):
    """The message says what to declare."""
    with pytest.raises(TrainingRefused, match="keeps no vector history"):
        trainer_named("attention_own").fit(RATIOS, Part(None, None), trainer_named("attention_own").defaults, QUIET)  # type: ignore[arg-type]
    rows = dataset_of("payment_attention", payments_file).rows.take(slice(0, 200))
    blind = replace(VIEW, history=replace(VIEW.history, features=("count_1h", "hour_sine")))
    columns = [VIEW.history.features.index(name) for name in blind.history.features]
    few = replace(rows, history=rows.history[:, :, columns])
    config = trainer_named("attention_own").defaults
    with pytest.raises(TrainingRefused, match="in its history; add one"):
        train_sequence(blind, Part(few, few), config, QUIET, build=attention.build, judged=own)
