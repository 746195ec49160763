"""The score of one event by one scorer, as published on `risk-scores`."""

from typing import Annotated, Literal

import msgspec

from schemas.source import Source

Level = Literal["none", "watch", "alert"]
Flag = Literal["approx", "late", "cold"]
ScoreKind = Literal["tail", "probability", "intensity"]
Unit = Annotated[float, msgspec.Meta(ge=0, le=1)]


class Score(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One score, with the features as seen and the versions that made it.

    Attributes:
        score_id: `scorer:topic:partition:offset:hash of event_id`; the same for every re-scoring of the
            record.
        value: risk in [0, 1], rounded to 6 decimals; what it means is `score_kind`.
        score_kind: `tail` (one minus a p-value under normal behaviour), `probability` of a named event, or
            `intensity` (share of a declared cap).
        features: base64 of the little-endian float32 feature vector; the order is that of the bundle; NaN
            is missing.
        depth: how many earlier events of the entity the features could see (bounded by the view's ring).
        flags: `approx` a window is off by at most one tile; `late` beyond grace, state untouched; `cold`
            little history.
        bundle, policy, view: digests of the model bundle, the policy and the feature view (16 hex digits).
        runtime: fingerprint of the arithmetic (onnxruntime version and processor features).
        shadow: a challenger's score, never alerted.
        named_features, contributions, reasons: present from level `watch` on. Contributions are per feature
            and sum to what the bundle's manifest says they explain; reasons are codes, most important
            first.
        suppressed_by: id of the alert whose cool-down holds this one back.
        outputs: named outputs of the model beside the score, as the manifest declares them.
    """

    score_id: str
    scorer: str
    event_id: str
    entity: str
    source: Source
    occurred_at_ms: int
    value: Unit
    score_kind: ScoreKind
    level: Level
    features: str
    depth: int
    bundle: str
    policy: str
    view: str
    runtime: str
    flags: tuple[Flag, ...] = ()
    shadow: bool = False
    named_features: dict[str, float | None] | None = None
    contributions: dict[str, float] | None = None
    reasons: tuple[str, ...] = ()
    suppressed_by: str | None = None
    outputs: dict[str, tuple[float | None, ...]] | None = None
