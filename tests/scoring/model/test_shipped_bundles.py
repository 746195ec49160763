"""The bundles in the repository are the ones that score."""

from pathlib import Path

import pytest

import scoring.bundles
from scoring.catalog import scorers
from scoring.model import find_bundles, load_bundle, require_view

HOME = Path(next(iter(scoring.bundles.__path__)))


@pytest.mark.parametrize("name", sorted(scorers()))
def test_every_scorer_ships_a_bundle_for_its_view(name):
    """A fresh clone scores without training anything."""
    bundle = load_bundle(HOME / name)
    require_view(bundle, scorers()[name].view)
    assert bundle.session.batch_invariant and bundle.session.explains
    assert find_bundles([HOME], name) == {bundle.digest: HOME / name}


@pytest.mark.parametrize("name", sorted(scorers()))
def test_shipped_bundles_are_small_and_were_not_trained_on_the_demo(name):
    """The demo is a test of the models only if they have not seen its events."""
    bundle = load_bundle(HOME / name)
    assert sum(path.stat().st_size for path in bundle.folder.iterdir()) < 1_500_000
    assert all("train" in data or "simulated" in data for data in bundle.manifest.training.data)
    licence, _, attribution = bundle.manifest.training.licence.partition("; ")
    assert licence in ("CC0-1.0", "BSD-3-Clause", "Apache-2.0", "CC-BY-4.0", "MIT")
    assert bool(attribution) == (licence in ("CC-BY-4.0", "MIT"))
    assert (bundle.folder / "card.html").is_file()
