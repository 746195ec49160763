"""The recurrent model of months: it finds what only the order of the months tells, and keeps to the rules of a bundle."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from scoring.catalog import scorers, views
from scoring.metrics import Ranking
from scoring.model.rows import Rows
from training.dataset import Dataset
from training.errors import TrainingRefused
from training.loop import seed_everything
from training.making import Origin, make_bundle, part_of
from training.trainer import Trained, trainer_named

pytestmark = pytest.mark.training

SCORER = scorers()["card_default"]
FEATURES, STEPS = len(SCORER.view.feature_names), 6
TRAINER = trainer_named("months")
QUICK = msgspec.structs.replace(TRAINER.defaults, epochs=15, widths=(32, 32), batch_rows=128)


def labelled(rows: int) -> Dataset:
    """Features that say nothing; label 1 where the third column of the history rises from its first half to its last."""
    generator = np.random.default_rng(5)
    features = generator.normal(size=(rows, FEATURES)).astype(np.float32)
    history = generator.normal(size=(rows, STEPS, 6)).astype(np.float32)
    labels = (history[:, 3:, 2].mean(axis=1) > history[:, :3, 2].mean(axis=1)).astype(np.int8)
    lengths = np.full(rows, STEPS, np.int32)
    history[::50, 4:], lengths[::50] = np.nan, 4
    return Dataset(
        rows=Rows(features, history, lengths), occurred_at_ms=1_700_000_000_000 + 60_000 * np.arange(rows),
        entity=np.arange(rows), labels=labels, entities=rows, skipped=0,
    )  # fmt: skip


def trained_on(dataset: Dataset, train: np.ndarray, validation: np.ndarray) -> Trained:
    """A small model of these rows."""
    seed_everything(7)
    return TRAINER.fit(SCORER.view, part_of(dataset, train, validation, TRAINER, QUICK), QUICK, lambda *_: None)


def area_of(made: Trained, dataset: Dataset, rows: slice) -> float:
    """Area under the curve on these rows."""
    scores = made.model.scores(dataset.rows.take(rows)).astype(np.float64)
    return Ranking(scores, dataset.labels[rows]).auc(np.ones(len(scores)))


@pytest.fixture(scope="module")
def trained() -> tuple[Dataset, Trained]:
    """A model and the rows it comes from."""
    dataset, rows = labelled(3_500), np.arange(3_500)
    return dataset, trained_on(dataset, rows[:2_500], rows[2_500:3_000])


def test_what_only_the_order_of_the_months_tells_is_found(trained):
    """The features are noise here, so without its history the model knows nothing."""
    dataset, made = trained
    assert area_of(made, dataset, slice(3_000, None)) > 0.85
    without = replace(
        dataset, rows=Rows(dataset.rows.features, np.full_like(dataset.rows.history, np.nan), 0 * dataset.rows.lengths)
    )
    assert abs(area_of(made, without, slice(3_000, None)) - 0.5) < 0.1


def test_shuffled_labels_leave_nothing_to_find():
    """A figure that stays when labels are shuffled comes from a leak."""
    dataset, rows = labelled(3_500), np.arange(3_500)
    shuffled = replace(dataset, labels=np.random.default_rng(1).permutation(dataset.labels))
    made = trained_on(shuffled, rows[:2_500], rows[2_500:3_000])
    assert abs(area_of(made, dataset, slice(3_000, None)) - 0.5) < 0.12


def test_contributions_of_months_count_for_their_feature_and_sum_up(trained):
    """A reason names a feature, so what its past adds is its own; nothing is left over."""
    dataset, made = trained
    rows = dataset.rows.take(slice(3_000, 3_300))
    module, parts = made.model.module, made.model.contributions(rows).astype(np.float64)
    usual = module.ablation.usual.numpy()
    history = np.where(np.isnan(rows.history), rows.history, usual[module.past.numpy()])
    bare = Rows(np.broadcast_to(usual, rows.features.shape), history, rows.lengths)
    given, left = (-np.log1p(-made.model.scores(each).astype(np.float64)) for each in (rows, bare))
    assert np.abs(parts.sum(axis=1) - (given - left)).max() < 1e-4
    assert np.argmax(np.abs(parts).mean(axis=0)) == SCORER.view.feature_names.index("repayment_status")


def test_its_bundle_says_what_the_model_says_in_every_batch(tmp_path):
    """Making a bundle checks graphs against model and batches against rows, with histories of every length."""
    made = make_bundle(
        SCORER, labelled(2_500), Origin(("drawn",), "made up"), msgspec.structs.replace(QUICK, epochs=3),
        lambda *_: None, tmp_path, trainer_name="months",
    )  # fmt: skip
    assert made.bundle.session.batch_invariant and made.bundle.session.explains
    assert made.bundle.manifest.score_kind == "probability"
    assert made.bundle.manifest.metrics["parity"] <= 1e-5


def test_a_view_without_history_is_refused_with_the_remedy():
    """A recurrent model of nothing would train all the same, and say nothing more than the other one."""
    view = views()["company_ratios"]
    with pytest.raises(TrainingRefused, match="keeps no vector history"):
        TRAINER.fit(view, part_of(labelled(200), np.arange(150), np.arange(150, 200), TRAINER, QUICK), QUICK, print)
