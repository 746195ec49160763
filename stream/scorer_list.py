"""The declared scorers as one table: what each is for, what it reads, and which bundle would be used."""

from collections.abc import Mapping
from typing import Any

import msgspec

from scoring.scorer import Scorer
from stream.bundle_library import BundleLibrary
from stream.errors import JobFailed


class ScorerRow(msgspec.Struct, frozen=True, kw_only=True):
    """One declared scorer.

    Attributes:
        event, topic: the event type it scores, and where it comes in.
        views: names of its feature views.
        bundle: digest of the bundle a worker without recorded activation would use; None when there is none.
        bundle_problem: why there is none, with the remedy.
        policy: thresholds and cool-down as the code has them.
        policy_digest: what scores carry of it.
    """

    name: str
    use: str
    event: str
    topic: str
    views: tuple[str, ...]
    trainer: str
    bundle: str | None
    bundle_problem: str | None
    shadow: bool
    policy: dict[str, Any]
    policy_digest: str


def scorer_rows(scorers: Mapping[str, Scorer], library: BundleLibrary) -> list[ScorerRow]:
    """A row for every scorer, in the order of the catalogue; bundles are found, not checked."""
    return [_row(scorer, library) for scorer in scorers.values()]


def _row(scorer: Scorer, library: BundleLibrary) -> ScorerRow:
    bundle = problem = None
    try:
        bundle = library.champion_digest(scorer)
    except JobFailed as failed:
        problem = str(failed)
    return ScorerRow(
        name=scorer.name,
        use=scorer.use,
        event=scorer.event.name,
        topic=scorer.topic,
        views=tuple(view.name for view in scorer.views),
        trainer=scorer.trainer,
        bundle=bundle,
        bundle_problem=problem,
        shadow=scorer.shadow,
        policy=scorer.policy.content,
        policy_digest=scorer.policy.digest,
    )
