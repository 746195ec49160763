"""What all histories share."""

import pytest

from scoring.catalog import selected
from stream.bundle_library import BundleLibrary
from stream.settings import load
from tests.simulation.history import Stage
from tests.simulation.world import NAMESPACE
from tests.support.small_bundles import write_all

SCORERS = ("payment_anomaly", "payment_merchant")


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """Two scorers, over an account and over account and merchant, with small bundles that are loaded."""
    scorers = selected(SCORERS)
    library = BundleLibrary((write_all(tmp_path_factory.mktemp("bundles")),))
    for scorer in scorers.values():
        library.champion(scorer)
    return Stage(load({}, namespace=NAMESPACE, cache_entities=8), scorers, library)
