"""The bundles that the benchmark runs."""

from pathlib import Path

from benchmarks.bench import OWN, find_bundles
from benchmarks.contestants import SCORER, SHADOW_SCORER
from benchmarks.payments import Payments
from benchmarks.plan import Plan
from schemas.events.transaction import EVENT
from scoring.catalog import scorers
from scoring.features.frame import batch_of_frame
from scoring.features.table import fold_table
from stream.bundle_library import BundleLibrary


def test_the_benchmarks_models_are_its_own_and_fit_the_view(tmp_path: Path) -> None:
    """A changed view would leave a stand-in without a network to be timed; run `python -m benchmarks.train_bundles`."""
    folders, told = find_bundles(tmp_path)
    library = BundleLibrary(folders)
    for name in (SCORER, SHADOW_SCORER):
        assert f"{name}@{library.champion(scorers()[name]).digest} ({OWN})" in told


def test_few_payments_of_the_benchmark_are_odd_to_its_model(tmp_path: Path) -> None:
    """A model that alerts on everything times explanations, not scores; one that never does leaves them out."""
    scorer, plan = scorers()[SCORER], Plan()
    bundle = BundleLibrary(find_bundles(tmp_path)[0]).champion(scorer)
    payments = Payments(plan.seed, plan.accounts).block(0)
    table = fold_table(scorer.view, batch_of_frame(EVENT, payments))
    odd = (bundle.session.run(table.vectors) >= scorer.policy.watch).mean()
    assert 0.002 < odd < 0.05
