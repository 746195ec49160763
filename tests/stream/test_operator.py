"""What may be put in force: alerts need reasons, and reasons need to hold."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

import scoring.bundles
from scoring.catalog import scorers
from scoring.model.bundle import Bundle, load_bundle
from stream.errors import JobFailed
from stream.operator import require_reasons

LIVE = replace(scorers()["payment_anomaly"], shadow=False)


@pytest.fixture(scope="module")
def shipped() -> Bundle:
    return load_bundle(Path(next(iter(scoring.bundles.__path__))) / LIVE.name)


def measured(bundle: Bundle, found: dict[str, Any]) -> Bundle:
    """The bundle with another measurement of its explanations."""
    return replace(bundle, manifest=msgspec.structs.replace(bundle.manifest, metrics=found))


def test_the_shipped_live_scorers_give_reasons_that_hold() -> None:
    """What the demo shows as the reason of an alert is one."""
    for scorer in scorers().values():
        if not scorer.shadow:
            bundle = load_bundle(Path(next(iter(scoring.bundles.__path__))) / scorer.name)
            require_reasons(scorer, bundle)
            assert bundle.manifest.metrics["faithfulness"]["holds"], scorer.name


def test_a_live_scorer_is_refused_reasons_that_do_not_hold(shipped: Bundle) -> None:
    """Who was refused a payment is told why; the why must be what moved the score."""
    denied = measured(shipped, {"faithfulness": {"holds": False}})
    with pytest.raises(JobFailed, match="do not hold"):
        require_reasons(LIVE, denied)
    require_reasons(replace(LIVE, shadow=True), denied)
    require_reasons(LIVE, measured(shipped, {}))


def test_a_live_scorer_is_refused_a_bundle_without_reasons(shipped: Bundle) -> None:
    """An alert without a reason helps nobody."""
    silent: Any = replace(shipped, session=SimpleNamespace(explains=False))
    with pytest.raises(JobFailed, match="explains nothing"):
        require_reasons(LIVE, silent)
