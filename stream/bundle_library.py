"""The bundles at hand: shipped ones and those of the settings, by scorer and digest."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

import scoring.bundles
from schemas.activation import Activation
from scoring.engine import InForce
from scoring.model.bundle import Bundle, find_bundles, load_bundle, require_view
from scoring.policy import Policy
from scoring.scorer import Scorer
from stream.errors import JobFailed

SHIPPED = Path(next(iter(scoring.bundles.__path__)))


class BundleLibrary:
    """Loads bundles once.

    Args:
        folders: looked in before the shipped ones, in order.
    """

    def __init__(self, folders: Sequence[Path] = ()) -> None:
        self._folders = (*folders, SHIPPED)
        self._loaded: dict[tuple[str, str], Bundle] = {}
        self._in_force: dict[tuple[str, str, Policy, bool], InForce] = {}

    def digests(self, scorer: str) -> dict[str, Path]:
        """The folder of every bundle of a scorer by digest; the first folder that has any leads."""
        return find_bundles(self._folders, scorer)

    def champion(self, scorer: Scorer) -> Bundle:
        """The bundle to begin with: the only one in the first folder that has any.

        Raises:
            JobFailed: none, or several without a recorded choice.
            RefusedBundle: it fails a check.
        """
        return self.load(scorer, self.champion_digest(scorer))

    def champion_digest(self, scorer: Scorer) -> str:
        """The digest of the bundle to begin with, which is not loaded.

        Raises:
            JobFailed: none, or several without a recorded choice.
        """
        for folder in self._folders:
            found = find_bundles([folder], scorer.name)
            if len(found) > 1:
                raise JobFailed(
                    f"scorer {scorer.name}: {len(found)} bundles in {folder} ({', '.join(sorted(found))}); "
                    f"choose with: riskstream activate {scorer.name} DIGEST"
                )
            if found:
                return next(iter(found))
        raise JobFailed(
            f"scorer {scorer.name}: no bundle in {', '.join(map(str, self._folders))}; "
            f"make one with: riskstream train {scorer.name} --events FILE"
        )

    def load(self, scorer: Scorer, digest: str) -> Bundle:
        """The bundle with this digest.

        Raises:
            JobFailed: no folder has it.
            RefusedBundle: it fails a check, or was made for another view.
        """
        known = self._loaded.get((scorer.name, digest))
        if known is not None:
            return known
        path = self.digests(scorer.name).get(digest)
        if path is None:
            at_hand = ", ".join(self.digests(scorer.name)) or "none"
            raise JobFailed(
                f"scorer {scorer.name}: bundle {digest} is recorded as active but not at hand (there: {at_hand}); "
                f"restore its folder, or choose with: riskstream activate {scorer.name} DIGEST"
            )
        bundle = load_bundle(path)
        require_view(bundle, scorer.view)
        self._loaded[scorer.name, digest] = bundle
        return bundle

    def in_force(self, scorer: Scorer, activation: Activation) -> InForce | None:
        """What an activation puts in force; None when it is of another view than the code has: folded, not scored.

        The same content gives the same object, so that one call of the model scores all partitions it is in force on.

        Raises:
            JobFailed, RefusedBundle: as `load`.
        """
        if activation.view != scorer.view.digest:
            return None
        policy = msgspec.convert(activation.policy_content, Policy)
        bundle = self.load(scorer, activation.bundle)
        content = (scorer.name, activation.bundle, policy, activation.live)
        made = InForce(scorer=scorer, bundle=bundle, policy=policy, live=activation.live)
        return self._in_force.setdefault(content, made)
