"""The tabular ensemble: it finds what labels say, its graphs say the same, and its explanation sums up."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from scoring.catalog import scorers
from scoring.metrics import Ranking
from scoring.model.rows import Rows
from training.dataset import Dataset
from training.errors import TrainingRefused
from training.loop import seed_everything
from training.making import Origin, make_bundle, part_of
from training.trainer import Trained, trainer_named

pytestmark = pytest.mark.training

SCORER = scorers()["payment_anomaly"]
FEATURES = len(SCORER.view.feature_names)
TRAINER = trainer_named("tabular")
QUICK = msgspec.structs.replace(TRAINER.defaults, epochs=12, widths=(32, 32))


def labelled(rows: int) -> Dataset:
    """Drawn vectors with missing values, an empty and a constant column; label 1 where two columns are large."""
    generator = np.random.default_rng(3)
    vectors = generator.lognormal(size=(rows, FEATURES)).astype(np.float32)
    labels = (vectors[:, 0] * vectors[:, 1] > 3).astype(np.int8)
    vectors[generator.random(vectors.shape) < 0.1] = np.nan
    vectors[:, 5], vectors[:, 7] = np.nan, 2.0
    return Dataset(
        rows=Rows(vectors), occurred_at_ms=1_700_000_000_000 + 60_000 * np.arange(rows), entity=np.arange(rows) % 50,
        labels=labels, entities=50, skipped=0,
    )  # fmt: skip


def trained_on(dataset: Dataset, train: np.ndarray, validation: np.ndarray) -> Trained:
    """A small ensemble of these rows."""
    seed_everything(7)
    return TRAINER.fit(SCORER.view, part_of(dataset, train, validation, TRAINER, QUICK), QUICK, lambda *_: None)


@pytest.fixture(scope="module")
def trained() -> tuple[Dataset, Trained]:
    """An ensemble and the rows it comes from."""
    dataset, rows = labelled(4_000), np.arange(4_000)
    return dataset, trained_on(dataset, rows[:2_500], rows[2_500:3_000])


def test_labels_it_learned_from_are_found(trained):
    """On rows it has not seen, with a tenth of the values missing."""
    dataset, made = trained
    scores = made.model.scores(dataset.rows.take(slice(3_000, None)))
    assert Ranking(scores.astype(np.float64), dataset.labels[3_000:]).auc(np.ones(1_000)) > 0.85


def test_shuffled_labels_are_not_found():
    """A figure that stays when labels are shuffled comes from a leak."""
    dataset, rows = labelled(4_000), np.arange(4_000)
    shuffled = replace(dataset, labels=np.random.default_rng(1).permutation(dataset.labels))
    scores = trained_on(shuffled, rows[:2_500], rows[2_500:3_000]).model.scores(dataset.rows.take(slice(3_000, None)))
    assert abs(Ranking(scores.astype(np.float64), dataset.labels[3_000:]).auc(np.ones(1_000)) - 0.5) < 0.1


def test_probabilities_are_as_frequent_as_they_say(trained):
    """A score of this kind is read as a probability, so its mean and its squared error have to be those of one."""
    dataset, made = trained
    scores, labels = made.model.scores(dataset.rows.take(slice(3_000, None))), dataset.labels[3_000:]
    assert scores.mean() == pytest.approx(labels.mean(), abs=0.05)
    brier = made.squared_error(dataset.rows.take(slice(3_000, None)), labels).mean()
    assert brier < 0.8 * labels.mean() * (1 - labels.mean())


def test_contributions_sum_to_the_surprise_over_that_of_usual_values(trained):
    """What is left over is shared out, so nothing is missing from the sum, whatever is missing from the row."""
    dataset, made = trained
    rows = dataset.rows.take(slice(3_000, 3_400))
    usual = np.where(np.isnan(rows.features), rows.features, made.model.module.ablation.usual.numpy())
    given, bare = (-np.log1p(-made.model.scores(each).astype(np.float64)) for each in (rows, Rows(usual)))
    sums = made.model.contributions(rows).astype(np.float64).sum(axis=1)
    assert np.abs(sums - (given - bare)).max() < 1e-4


def test_the_columns_that_decide_explain_most(trained):
    """Labels depend on two columns; they carry most of the explanation, and columns that say nothing carry none."""
    dataset, made = trained
    parts = np.abs(made.model.contributions(dataset.rows.take(slice(3_000, None)))).mean(axis=0)
    assert set(np.argsort(-parts)[:2].tolist()) == {0, 1}
    assert parts[5] == 0 and parts[7] < 0.01 * parts[0]  # what never changes speaks where its group is missing


def test_the_bundle_says_what_the_model_says_in_every_batch(tmp_path):
    """Making a bundle checks graphs against model and batches against rows; both graphs are there."""
    dataset = labelled(3_000)
    made = make_bundle(
        SCORER, dataset, Origin(("drawn",), "made up"), QUICK, lambda *_: None, tmp_path, trainer_name="tabular"
    )
    assert made.bundle.session.batch_invariant and made.bundle.session.explains
    assert made.bundle.manifest.score_kind == "probability"
    assert made.bundle.manifest.metrics["parity"] <= 1e-5


def test_without_labels_it_says_what_is_missing():
    """Whoever trains on a file without labels needs to know what to add."""
    dataset, rows = replace(labelled(200), labels=None), np.arange(200)
    with pytest.raises(TrainingRefused, match="mapping with `label`"):
        trained_on(dataset, rows[:150], rows[150:])
