"""Score, bundle and catalogue together."""

from scoring import catalog
from scoring.model.bundle import Bundle, load_bundle
from scoring.model.errors import RefusedBundle
from stream.bundle_library import BundleLibrary
from stream.errors import JobFailed
from stream.explain.account import Account, account_of
from stream.explain.find import FoundScore, find_score
from stream.settings import Settings


async def explain_score(settings: Settings, score_id: str) -> tuple[FoundScore, Account]:
    """The published score of an id, and the account of it.

    Raises:
        JobFailed: it is not there, Kafka does not answer, or score, bundle and declarations contradict.
        ValueError: it is no score id.
    """
    found = await find_score(settings, score_id)
    try:
        scorer = catalog.scorers().get(found.score.scorer)
        account = account_of(
            found.score,
            bundle=_bundle(settings, found),
            view=scorer.view if scorer else None,
            adverse_action=scorer is not None and scorer.adverse_action,
        )
    except (ValueError, RefusedBundle, catalog.BrokenDeclaration) as error:
        raise JobFailed(str(error)) from None
    return found, account


def _bundle(settings: Settings, found: FoundScore) -> Bundle | None:
    score = found.score
    folder = BundleLibrary(settings.bundle_dirs).digests(score.scorer).get(score.bundle)
    return load_bundle(folder) if folder else None
