"""What a record says: its JSON, its kind, its level and its entity; and which records are wanted."""

import base64
from dataclasses import dataclass
from typing import Any, Literal, get_args

import msgspec

from schemas.score import Level
from stream.subscribe.topic import Record

LEVELS: tuple[str, ...] = get_args(Level)
Kind = Literal["score", "alert", "dead_letter", "event", "unreadable"]
_KIND_BY_ID: dict[str, Kind] = {"alert_id": "alert", "score_id": "score", "dead_letter_id": "dead_letter"}


@dataclass(frozen=True)
class Message:
    """A record whose value has been read.

    Attributes:
        kind: what it is, told by its identifier; so other topics, `replay.*` too, are read alike.
        content: its JSON object; empty when unreadable.
    """

    record: Record
    kind: Kind
    content: dict[str, Any]

    @property
    def entity(self) -> str:
        """The entity it is about: the field of that name, else the record's key."""
        found = self.content.get("entity")
        return found if isinstance(found, str) else (self.record.key or b"").decode(errors="replace")

    @property
    def level(self) -> str | None:
        """`none`, `watch` or `alert`; None for what has no level."""
        return "alert" if self.kind == "alert" else self.content.get("level")

    def line(self) -> bytes:
        """The value as one line of JSON; what is no JSON as base64 with its coordinates."""
        value = self.record.value or b""
        if self.kind == "unreadable":
            return msgspec.json.encode(
                {
                    "unreadable_base64": base64.b64encode(value).decode(),
                    "topic": self.record.topic,
                    "partition": self.record.partition,
                    "offset": self.record.offset,
                }
            )
        return msgspec.json.encode(self.content) if b"\n" in value or b"\r" in value else value


@dataclass(frozen=True)
class Wanted:
    """Which messages are shown: from this level on, about this entity; None leaves it open."""

    min_level: str | None = None
    entity: str | None = None

    def __call__(self, message: Message) -> bool:
        """True when the message is wanted."""
        if self.entity is not None and message.entity != self.entity:
            return False
        if self.min_level is None:
            return True
        return message.level in LEVELS and LEVELS.index(message.level) >= LEVELS.index(self.min_level)


def read(record: Record) -> Message:
    """The message of a record; never fails.

    >>> read(Record("t", 0, 0, 0, b"A", b'{"score_id":"x","level":"watch"}')).level
    'watch'
    """
    try:
        content = msgspec.json.decode(record.value or b"")
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Message(record, "unreadable", {})
    if not isinstance(content, dict):
        return Message(record, "unreadable", {})
    kind: Kind = next((kind for name, kind in _KIND_BY_ID.items() if name in content), "event")
    return Message(record, kind, content)
