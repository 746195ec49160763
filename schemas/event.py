"""What an inbound event type declares, and the annotated field types all of them share."""

from dataclasses import dataclass
from typing import Annotated, Protocol

import msgspec

from schemas.topics import OUTPUT_TOPICS

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=128, description="identifier, 1 to 128 characters")]
Code = Annotated[str, msgspec.Meta(min_length=1, max_length=64, description="short code, 1 to 64 characters")]
Amount = Annotated[float, msgspec.Meta(ge=-1e15, le=1e15)]
Positive = Annotated[float, msgspec.Meta(gt=0, le=1e15)]
NonNegative = Annotated[float, msgspec.Meta(ge=0, le=1e15)]
OccurredAt = Annotated[
    int, msgspec.Meta(description="event time in integer milliseconds since 1970-01-01 UTC; may be negative")
]


class Event(Protocol):
    """What every inbound event has: an identity and its own time."""

    @property
    def event_id(self) -> str: ...
    @property
    def occurred_at_ms(self) -> int: ...


@dataclass(frozen=True, kw_only=True)
class EventType:
    """One event type: the struct, the topic it comes on, and the field that is the topic's key.

    An internal topic has a type of its own: the same struct by another key, which workers pass on from `origin`.

    Args:
        struct: a frozen msgspec struct with at least `event_id` and `occurred_at_ms`.
        topic: default name of the input topic.
        key: name of the struct's field that is the record key; also the entity of the views on this topic.
        passed_on: of an internal topic, the struct of its records: a `Sequenced` with the field `event`.
        origin: of an internal topic, the type whose events it carries.

    Raises:
        ValueError: the key is not a field of the struct, the topic is one of the output topics, or only one of
            `passed_on` and `origin` is given.
    """

    struct: type[msgspec.Struct]
    topic: str
    key: str
    passed_on: type[msgspec.Struct] | None = None
    origin: "EventType | None" = None

    def __post_init__(self) -> None:
        fields = self.struct.__struct_fields__
        for name in ("event_id", "occurred_at_ms", self.key):
            if name not in fields:
                raise ValueError(
                    f"event type {self.struct.__name__}: field {name!r} is required, "
                    f"found {', '.join(fields)}; add it to the struct"
                )
        if self.topic in OUTPUT_TOPICS:
            raise ValueError(
                f"event type {self.struct.__name__}: topic {self.topic!r} is an output topic; rename it"
            )
        if (self.passed_on is None) != (self.origin is None):
            raise ValueError(
                f"event type of topic {self.topic!r}: an internal topic has both passed_on and origin; give both or none"
            )

    @property
    def name(self) -> str:
        """Name of the struct of the topic's records, for example `Transaction`."""
        return (self.passed_on or self.struct).__name__
