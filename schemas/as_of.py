"""A question: how risky is an entity as of a time, without an event. Silence can be scored so."""

from functools import cache
from typing import Any

import msgspec

from schemas.event import EventType, Id, OccurredAt

MARK = b'"as_of"'
"""Every question has these bytes; of the events, those with a text of that name."""


class AsOf(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """Asks for the score of an entity at a time; on any input topic, in place of an event.

    It is scored like an event whose other fields are missing, and never folded: no feature of a later event knows that it
    was asked. Windows end at its time and do not count it. Every record of it has one score, whatever its id.

    Attributes:
        entity: the record's key: an account, a symbol, a company.
        as_of: always true; tells it from an event.
    """

    event_id: Id
    entity: Id
    occurred_at_ms: OccurredAt
    as_of: bool = True


@cache
def question_struct(event_type: EventType) -> type[msgspec.Struct]:
    """The event's struct under another name, by which a decoded question is told from an event."""
    struct = event_type.struct
    return msgspec.defstruct(f"{struct.__name__}AsOf", [], bases=(struct,), frozen=True, kw_only=True, gc=False)


def as_question(event_type: EventType, asked: AsOf) -> Any:
    """The question as an instance of `question_struct`: the entity and the time, everything else missing."""
    first = event_type.origin or event_type  # what people write is keyed by the first entity
    given = {"event_id": asked.event_id, "occurred_at_ms": asked.occurred_at_ms, first.key: asked.entity}
    missing = {
        field.name: float("nan") if _is_number(field.type) else None
        for field in msgspec.structs.fields(event_type.struct)
        if field.required and field.name not in given
    }
    return question_struct(event_type)(**given, **missing)


def _is_number(annotation: Any) -> bool:
    return getattr(annotation, "__origin__", annotation) is float  # Annotated[float, ...] too
