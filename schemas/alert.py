"""A published decision to look, as published on `alerts`."""

import msgspec

from schemas.score import ScoreKind, Unit
from schemas.source import Source


class Alert(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An alert with its reasons; `alert_id` is derived from the score, so a repeated run gives the same."""

    alert_id: str
    score_id: str
    scorer: str
    event_id: str
    entity: str
    source: Source
    occurred_at_ms: int
    value: Unit
    score_kind: ScoreKind
    reasons: tuple[str, ...]
    explanation: str
    named_features: dict[str, float | None]
    contributions: dict[str, float]
    bundle: str
    policy: str
    view: str
    flags: tuple[str, ...] = ()
