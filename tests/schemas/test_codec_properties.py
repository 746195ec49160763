"""Any bytes at all either are an event or are refused; events survive the way there and back."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schemas.catalog import input_types
from schemas.codec import EventDecoder, Refused, encode
from schemas.event import EventType

TYPES = list(input_types().values())
EXAMPLES = {
    "Transaction": {
        "event_id": "e",
        "occurred_at_ms": 0,
        "account_id": "a",
        "amount": 1.5,
        "currency": "GBP",
    },
    "RealisedVariance": {"event_id": "e", "occurred_at_ms": 0, "symbol": "KO", "variance": 0.0001, "log_return": -0.01},
    "PortfolioReturn": {
        "event_id": "e",
        "occurred_at_ms": 0,
        "portfolio_id": "p",
        "simple_return": -0.01,
        "priced": 1.0,
        "weights_at_ms": 0,
    },
    "Bar": {"event_id": "e", "occurred_at_ms": 0, "symbol": "KO", "close": 1.5, "period": "1d"},
    "Measurement": {"event_id": "e", "occurred_at_ms": 0, "series_id": "s", "value": -1.5},
    "AccountMonth": {
        "event_id": "e",
        "occurred_at_ms": 0,
        "account_id": "a",
        "credit_limit": 1000.0,
        "billed": -1.5,
        "repayment_status": 2,
    },
    "CompanyStatement": {"event_id": "e", "occurred_at_ms": 0, "company_id": "c", "sales_growth": 1.5},
    "Tick": {"event_id": "e", "occurred_at_ms": 0, "symbol": "KO", "price": 1.5, "volume": 10},
}
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


def decodes_or_refuses(event_type: EventType, value: bytes) -> None:
    for strict in (False, True):
        try:
            event = EventDecoder(event_type, strict=strict).decode(value)
        except Refused as refused:
            assert refused.path.startswith("$")
        else:
            assert isinstance(event, event_type.struct)


@pytest.mark.parametrize("event_type", TYPES, ids=lambda event_type: event_type.name)
@given(value=st.binary(max_size=400))
@example(value=b'{"x":')
@example(value=b"[" * 60_000)
def test_any_bytes_decode_or_are_refused(event_type: EventType, value: bytes) -> None:
    """One record that raises anything else would stop the worker, and again after every restart."""
    decodes_or_refuses(event_type, value)


@pytest.mark.parametrize("event_type", TYPES, ids=lambda event_type: event_type.name)
@given(changes=st.dictionaries(st.text(max_size=8), ANY_JSON, max_size=4), data=st.data())
def test_any_json_object_decodes_or_is_refused(
    event_type: EventType, changes: dict[str, Any], data: Any
) -> None:
    """Near misses are likelier than noise: known fields with strange values, unknown fields of any depth."""
    known = EXAMPLES[event_type.name]
    odd = data.draw(st.dictionaries(st.sampled_from(sorted(known)), ANY_JSON, max_size=2))
    decodes_or_refuses(event_type, json.dumps(known | odd | changes).encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize("event_type", TYPES, ids=lambda event_type: event_type.name)
@given(place=st.integers(0, 120), put=st.binary(max_size=6), cut=st.integers(0, 6), extra=st.booleans())
def test_a_damaged_event_decodes_or_is_refused(
    event_type: EventType, place: int, put: bytes, cut: int, extra: bool
) -> None:
    """Bytes overwritten in the middle reach the parser's odd corners that whole noise does not."""
    whole = json.dumps(EXAMPLES[event_type.name] | ({"unknown": ["é", 1e5]} if extra else {})).encode()
    decodes_or_refuses(event_type, whole[:place] + put + whole[place + cut :])


def events_of(event_type: EventType) -> st.SearchStrategy[msgspec.Struct]:
    """Valid events of a type, from the constraints of its own JSON Schema."""
    schema = msgspec.json.schema(event_type.struct)["$defs"][event_type.name]
    fields = {name: values_of(field, name) for name, field in schema["properties"].items()}
    return st.fixed_dictionaries(
        {name: fields[name] for name in schema["required"]},
        optional={name: field for name, field in fields.items() if name not in schema["required"]},
    ).map(lambda given: event_type.struct(**given))


def values_of(field: dict[str, Any], name: str) -> st.SearchStrategy[Any]:
    if "anyOf" in field:
        return st.one_of([values_of(part, name) for part in field["anyOf"]])
    match field["type"]:
        case "null":
            return st.none()
        case "string":
            readable = st.characters(exclude_categories=["Cs"])
            return st.text(readable, min_size=field["minLength"], max_size=field["maxLength"])
        case "integer":
            return st.integers(10_000_000_000, 9_999_999_999_999) | st.integers(
                -9_999_999_999_999, 100_000_000
            )
        case _:
            above = field.get("exclusiveMinimum")
            least = field.get("minimum", above)
            return st.floats(least, field["maximum"], exclude_min=above is not None)


@pytest.mark.parametrize("event_type", TYPES, ids=lambda event_type: event_type.name)
@given(data=st.data())
def test_an_event_survives_the_way_there_and_back(event_type: EventType, data: Any) -> None:
    """What a feed writes is what the worker reads, to the last bit of every number."""
    event = data.draw(events_of(event_type))
    for strict in (False, True):
        back = EventDecoder(event_type, strict=strict).decode(encode(event))
        assert msgspec.structs.asdict(back) == msgspec.structs.asdict(event)
        assert encode(back) == encode(event)
