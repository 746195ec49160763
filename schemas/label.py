"""The truth about an event, which arrives later."""

import msgspec

from schemas.event import Id, OccurredAt


class Label(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What an event turned out to be, and when that became known.

    Attributes:
        event_id: the event this is the truth about.
        entity: the entity of that event.
        label: what it was, for example `fraud` or `normal`.
        known_at_ms: when the label became known; training never uses it before.
    """

    event_id: Id
    entity: Id
    label: Id
    known_at_ms: OccurredAt
