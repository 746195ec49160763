"""Questions on the wire: told from events by one field, refused with what is wrong."""

import math

import msgspec
import pytest

from schemas.as_of import AsOf, question_struct
from schemas.catalog import input_types
from schemas.codec import EventDecoder, Refused, encode
from schemas.dead_letter import Reason
from schemas.events.transaction import EVENT

ASKED = AsOf(event_id="q1", entity="a7", occurred_at_ms=1_700_000_000_000)


@pytest.mark.parametrize("event_type", input_types().values(), ids=lambda each: each.name)
@pytest.mark.parametrize("strict", [False, True])
def test_a_question_is_read_on_every_topic(event_type, strict: bool):
    """Silence can be scored wherever there are entities."""
    event = EventDecoder(event_type, strict=strict).decode(encode(ASKED))
    assert type(event) is question_struct(event_type)
    assert (event.event_id, event.occurred_at_ms) == ("q1", ASKED.occurred_at_ms)
    assert getattr(event, (event_type.origin or event_type).key) == "a7"
    rest = {name: getattr(event, name) for name in event.__struct_fields__ if getattr(event, name) is not None}
    missing = [value for value in rest.values() if isinstance(value, float)]
    assert all(map(math.isnan, missing))
    assert len(rest) - len(missing) == 3


@pytest.mark.parametrize(
    ("changed", "reason", "path"),
    [
        ({"as_of": False}, Reason.WRONG_TYPE, "$.as_of"),
        ({"as_of": 1}, Reason.WRONG_TYPE, "$.as_of"),
        ({"entity": ""}, Reason.EMPTY_ID, "$.entity"),
        ({"amount": 3.0}, Reason.UNKNOWN_FIELD, "$.amount"),
        ({"occurred_at_ms": 1_700_000_000}, Reason.TIME_IN_SECONDS, "$.occurred_at_ms"),
    ],
)
def test_a_broken_question_is_refused_and_the_field_is_named(changed: dict, reason: Reason, path: str):
    """It must not be taken for a broken event, whose fields nobody meant to send."""
    raw = msgspec.json.encode(msgspec.to_builtins(ASKED) | changed)
    with pytest.raises(Refused) as refused:
        EventDecoder(EVENT).decode(raw)
    assert (refused.value.reason, refused.value.path) == (reason, path)


def test_an_event_with_a_text_of_that_name_stays_an_event():
    """A merchant may be called anything."""
    raw = b'{"event_id":"e","occurred_at_ms":1700000000000,"account_id":"a","amount":1.5,"merchant_id":"as_of"}'
    event = EventDecoder(EVENT).decode(raw)
    assert event.merchant_id == "as_of"
    with pytest.raises(Refused) as refused:
        EventDecoder(EVENT).decode(raw.replace(b'"amount":1.5,', b""))
    assert (refused.value.reason, refused.value.path) == (Reason.MISSING_FIELD, "$.amount")
