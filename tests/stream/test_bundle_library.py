"""What a worker has in force, by the recorded activations."""

from pathlib import Path

from schemas.activation import Activation
from scoring.catalog import scorers
from scoring.policy import Policy
from stream.bundle_library import BundleLibrary
from tests.support.small_bundles import write_small_bundle

SCORER = scorers()["payment_anomaly"]


def test_what_is_in_force_on_several_partitions_is_one_thing(tmp_path: Path):
    """The model is called once for all partitions that it scores by the same policy: a small poll has records of many."""
    write_small_bundle(tmp_path, SCORER)
    library = BundleLibrary((tmp_path,))
    bundle = library.champion_digest(SCORER)

    def in_force(partition: int, policy: Policy, *, live: bool = True):
        return library.in_force(
            SCORER,
            Activation(
                scorer=SCORER.name, topic=SCORER.topic, partition=partition, from_offset=100 * partition, bundle=bundle,
                policy=policy.digest, view=SCORER.view.digest, policy_content=policy.content, live=live,
            ),
        )  # fmt: skip

    usual = in_force(0, SCORER.policy)
    assert usual is not None
    assert in_force(3, SCORER.policy) is usual
    others = [in_force(3, Policy(watch=0.5, alert=0.9)), in_force(3, SCORER.policy, live=False)]
    assert usual not in others
    assert [(other.policy.watch, other.live) for other in others] == [(0.5, True), (SCORER.policy.watch, False)]
