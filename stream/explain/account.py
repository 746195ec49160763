"""Why a score is what it is: its features and what each adds, as published or worked out again from the bundle."""

import base64

import msgspec
import numpy as np
from numpy.typing import NDArray

from schemas.score import Score
from scoring.features.spec import FeatureView
from scoring.model.bundle import Bundle
from scoring.model.session import runtime_fingerprint
from scoring.publish import alert_id
from scoring.reasons import Explanation, explain, in_words

TELLING = 5e-7  # half of the last published decimal


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """The account of one score.

    Attributes:
        words: one sentence for people.
        alert: id of the alert it raised; None when it raised none.
        features: by name, what adds most first; None for a missing value.
        contributions: what each feature adds, most first; None when they cannot be had.
        contributions_are: `published` with the score, or `computed` here from its features and bundle.
        explains: what the contributions sum to, as the bundle says; None without the bundle.
        reasons: codes, most important first.
        notes: what could not be said, or needs care, and why.
    """

    words: str
    alert: str | None
    features: dict[str, float | None]
    contributions: dict[str, float] | None
    contributions_are: str | None
    explains: str | None
    reasons: tuple[str, ...]
    notes: tuple[str, ...]


def account_of(
    score: Score, *, bundle: Bundle | None, view: FeatureView | None, adverse_action: bool = False
) -> Account:
    """The account of a score.

    Args:
        bundle: the one that made it, when it is at hand.
        view: the scorer's view as the code has it; used for names when the bundle is not at hand.
        adverse_action: of the score's scorer.

    Raises:
        ValueError: the features are not those of the bundle.
    """
    notes: list[str] = []
    explanation, origin = _explanation(score, bundle, view, notes)
    parts = explanation.contributions if origin else None
    order = sorted(explanation.named_features, key=lambda name: -(parts or {}).get(name, 0.0))
    baseline = bundle.manifest.baseline if bundle else {}
    raised = score.level == "alert" and not score.shadow and score.suppressed_by is None
    told = bundle.manifest.contributions if bundle else None
    return Account(
        words=in_words(explanation, baseline, adverse_action=adverse_action) if origin else "",
        alert=alert_id(score.score_id) if raised else None,
        features={name: explanation.named_features[name] for name in order},
        contributions=parts and dict(sorted(parts.items(), key=lambda part: -part[1])),
        contributions_are=origin,
        explains=told.explains if told else None,
        reasons=explanation.reasons if origin else (),
        notes=tuple(notes),
    )


def packed_features(score: Score) -> NDArray[np.float32]:
    """The features as the score carries them, float32[F]; NaN where missing.

    Raises:
        ValueError: not base64 of whole float32 numbers.
    """
    return np.frombuffer(base64.b64decode(score.features, validate=True), "<f4").astype(np.float32)


def _explanation(
    score: Score, bundle: Bundle | None, view: FeatureView | None, notes: list[str]
) -> tuple[Explanation, str | None]:
    if bundle is None:
        notes.append(
            f"bundle {score.bundle} is not at hand, so what is usual is not said; add its folder to "
            "RISKSTREAM_BUNDLE_DIRS"
        )
    if score.named_features is not None and score.contributions is not None:
        named, parts = score.named_features, score.contributions
        values = np.array([np.nan if value is None else value for value in named.values()])
        added = np.array([parts.get(name, 0.0) for name in named])
        return Explanation(tuple(named), values, added, score.reasons), "published"
    vector = packed_features(score)
    names = _names(score, bundle, view, len(vector), notes)
    contributions = _contributions(score, bundle, vector, notes)
    if contributions is None or bundle is None:
        return Explanation(names, vector, np.zeros(len(names)), ()), None
    return explain(names, vector[None], contributions[None], bundle.manifest.baseline)[0], "computed"


def _names(
    score: Score, bundle: Bundle | None, view: FeatureView | None, count: int, notes: list[str]
) -> tuple[str, ...]:
    if bundle is not None:
        names = bundle.manifest.features
        if len(names) != count:
            raise ValueError(
                f"score {score.score_id} carries {count} features, its bundle {score.bundle} has {len(names)}; "
                "one of them was changed"
            )
        return names
    if view is not None and view.digest == score.view and len(view.feature_names) == count:
        return view.feature_names
    notes.append(f"the features have no names here: view {score.view} is not that of the code either")
    return tuple(f"feature_{place}" for place in range(count))


def _contributions(
    score: Score, bundle: Bundle | None, vector: NDArray[np.float32], notes: list[str]
) -> NDArray[np.float32] | None:
    """float32[F], or None with a note that says why."""
    if bundle is None:
        return None
    if "history" in bundle.manifest.inputs:
        notes.append(
            "no contributions: the model reads past vectors too, which a score below watch does not carry; "
            "riskstream replay scores its events again"
        )
        return None
    if not bundle.session.explains:
        notes.append("no contributions: the bundle has no graph that explains")
        return None
    rows = vector[np.newaxis]
    again = float(bundle.session.run(rows)[0])
    if abs(again - score.value) > TELLING:
        where = (
            "" if score.runtime == runtime_fingerprint() else f", whose arithmetic is {runtime_fingerprint()}"
        )
        notes.append(
            f"scored again here{where} it is {again:.6f}; published {score.value:.6f} by {score.runtime}"
        )
    contributions: NDArray[np.float32] = bundle.session.explain(rows)[0]
    return contributions
