"""When a score becomes a level, and a level an alert: thresholds and a cool-down per entity and top reason."""

import hashlib
from typing import Annotated, Any

import msgspec

Threshold = Annotated[float, msgspec.Meta(ge=0, le=1)]
LEVELS = ("none", "watch", "alert")
NONE, WATCH, ALERT = 0, 1, 2
LATE = "late"


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """Thresholds on the published score, and how long an alert holds back its like.

    Attributes:
        watch, alert: a score at or above gets the level.
        cooldown_ms: event time after an alert in which scores of the same entity and top reason are held back.
    """

    watch: Threshold
    alert: Threshold
    cooldown_ms: Annotated[int, msgspec.Meta(ge=0)] = 3_600_000

    def __post_init__(self) -> None:
        if self.watch > self.alert:
            raise ValueError(f"policy: watch {self.watch} is above alert {self.alert}; lower watch")

    @property
    def content(self) -> dict[str, Any]:
        """The policy as plain values, for the activation record."""
        return msgspec.structs.asdict(self)

    @property
    def digest(self) -> str:
        """16 hex digits over the content."""
        return hashlib.sha256(msgspec.json.encode(self.content, order="deterministic")).hexdigest()[:16]


class Raised(msgspec.Struct, frozen=True, array_like=True):
    """An alert that still holds back others: its top reason, event time and id."""

    reason: str
    occurred_at_ms: int
    alert_id: str


AlertState = tuple[Raised, ...]
_decode = msgspec.msgpack.Decoder(tuple[Raised, ...]).decode
_encode = msgspec.msgpack.Encoder().encode


def read_alert_state(raw: bytes | None) -> AlertState:
    """The alert state of stored bytes; empty for none."""
    return _decode(raw) if raw else ()


def write_alert_state(state: AlertState) -> bytes:
    """The bytes to store."""
    return _encode(state)


def decide(
    policy: Policy, state: AlertState, *, alert_id: str, reason: str, occurred_at_ms: int, late: bool
) -> tuple[str | None, AlertState]:
    """Which alert holds this one back (None: it is raised), and the state after it.

    Late events neither raise nor extend: they are held back by `late` and leave the state as it is.
    """
    if late:
        return LATE, state
    for raised in state:
        if raised.reason == reason and abs(occurred_at_ms - raised.occurred_at_ms) < policy.cooldown_ms:
            return raised.alert_id, state
    kept = tuple(
        raised
        for raised in state
        if raised.reason != reason and occurred_at_ms - raised.occurred_at_ms < policy.cooldown_ms
    )
    return None, (*kept, Raised(reason, occurred_at_ms, alert_id))
