"""The page that compares ways to train: the same rows for all, and differences that are there."""

import numpy as np
import pytest

from scoring.catalog import scorers
from tests.training.conftest import dataset_of
from training import variants
from training.variants import DEFAULT, VARIANTS, cross_validated, page_of, try_variants

pytestmark = pytest.mark.training


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few passes and resamples."""
    monkeypatch.setattr(variants, "EPOCHS", 3)
    monkeypatch.setattr(variants, "RESAMPLES", 50)


def test_variants_change_settings_that_there_are():
    """A misspelt setting would be refused only after the others were trained."""
    assert VARIANTS[0].name == DEFAULT
    assert not VARIANTS[0].changes
    known = set(variants.TrainingConfig.__struct_fields__)
    assert all(set(each.changes) <= known for each in VARIANTS)
    assert len({each.name for each in VARIANTS}) == len(VARIANTS)


def test_a_page_compares_every_variant_with_the_defaults(quick, payments_file):
    """The first row has nothing to be compared with; full-batch descent takes one step a pass and lags behind."""
    scorer, dataset = scorers()["payment_anomaly"], dataset_of("payment_anomaly", payments_file)
    tried = try_variants(scorer, dataset, VARIANTS[:2], lambda _: None)
    entity = np.arange(len(tried[0].errors)) % 40
    page = page_of(tried, [0.2, 0.3], entity, 100)
    rows = [line for line in page.splitlines() if line.startswith(("| defaults", "| plain"))]
    assert rows[0].count("behind") == 0
    assert "| behind |" in rows[1]
    assert tried[1].errors.mean() > tried[0].errors.mean()


def test_cross_validation_tests_each_fold_on_later_rows(quick, payments_file, monkeypatch):
    """Learning from later rows would flatter the folds."""
    seen = []
    real = variants._errors
    monkeypatch.setattr(variants, "_errors", lambda *given: seen.append(given[2]) or real(*given))
    dataset = dataset_of("payment_anomaly", payments_file)
    found = cross_validated(scorers()["payment_anomaly"], dataset, 2)
    times = dataset.occurred_at_ms
    assert len(found) == 2
    assert all(times[split.validation].max() <= times[split.test].min() for split in seen)
    assert all(times[split.train].max() <= times[split.validation].min() for split in seen)
    assert times[seen[0].test].max() <= times[seen[1].test].max()
