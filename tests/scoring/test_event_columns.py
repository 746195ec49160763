"""Records read as columns: either what the decoder makes of them, to the bit, or nothing at all."""

import json
import math
import random
from typing import Annotated

import msgspec
import numpy as np
import pytest
import xxhash
from hypothesis import example, given, settings
from hypothesis import strategies as st

from schemas.catalog import event_types
from schemas.codec import EventDecoder, Refused
from schemas.event import EventType
from schemas.events import tick, transaction
from scoring.event_columns import EventColumns, fields_of
from scoring.features.batch import EventBatch
from scoring.features.hashing import SEED
from scoring.features.text_columns import hash_texts
from scoring.wire.packed import pack
from tests.support.batch_contents import contents

NOW_MS = 1_700_000_000_000
NAMES = [*transaction.EVENT.struct.__struct_fields__, "price", "amoun", ""]
ODD = ["A", "A", "B", "ä", "\u2028", "\x7f", "/", "\U0001f600", "\ud7ff", "\ue000"]
WORDS = st.text(max_size=140) | st.sampled_from(ODD)
# what a careless or hostile producer writes: as texts, so that every way of writing a number comes
NUMBERS = st.sampled_from(
    ["0", "-0", "-0.0", "1", "-1", "12.5", "0.1", "1e5", "1E+5", "2e-7", "1e22", "1e23", "123456789012345",
     "1234567890123456", "0.30000000000000004", "1e400", "1e15", "1.0000000000000001e15", "01", "1.", ".5", "1e", "+1",
     "--1", "1_0", "NaN", "Infinity", "0.000000000000000000000000000001", "123456789012345678901234567890", "5e-324"]
) | st.floats(allow_nan=False, allow_infinity=False).map(repr) | st.integers(-(10**20), 10**20).map(str)  # fmt: skip
TIMES = st.sampled_from(
    [str(NOW_MS), f"-{NOW_MS}", str(NOW_MS // 1000), "1.7e12", "9999999999999", "10000000000000", "017"]
)
VALUES = st.one_of(WORDS.map(json.dumps), WORDS.map(lambda text: json.dumps(text, ensure_ascii=False)), NUMBERS, TIMES,
                   st.sampled_from(["null", "true", "{}", "[1]", '"a\\n"', '"', "nul", '"\t"', ""]))  # fmt: skip
WITH_CHECK = {"namespace": {"__post_init__": lambda self: None}}
AS_ARRAY = {"array_like": True}
WITH_LIMIT = {"time": Annotated[int, msgspec.Meta(ge=0)]}
MANY = {"more": [(f"field_{number}", float | None, None) for number in range(70)]}
SPACE = st.sampled_from(["", "", "", " ", "\n\t", "\r"])


@st.composite
def objects(draw: st.DrawFn) -> bytes:
    """Something like a transaction, mostly one, written in some way."""
    fields = {
        "event_id": draw(WORDS.map(json.dumps)), "occurred_at_ms": str(NOW_MS),
        "account_id": draw(WORDS.map(json.dumps)), "amount": draw(NUMBERS),
    }  # fmt: skip
    for name in draw(st.lists(st.sampled_from(NAMES), max_size=5)):
        fields[name] = draw(VALUES)
    items = list(fields.items())
    if draw(st.booleans()):
        items = draw(st.permutations(items))
    if draw(st.integers(0, 20)) == 0:
        items += items[:1]
    space = draw(SPACE)
    written = f",{space}".join(f"{json.dumps(name)}{space}:{space}{value}" for name, value in items)
    raw = f"{space}{{{space}{written}{space}}}{space}".encode(errors="surrogatepass")
    if draw(st.integers(0, 15)) == 0:
        at = draw(st.integers(0, len(raw)))
        raw = raw[:at] + draw(st.binary(max_size=3)) + raw[at + draw(st.integers(0, 2)) :]
    return raw


def decoded(values: list[bytes]) -> EventBatch | None:
    """What the decoder makes of them; None when it refuses one."""
    decoder = EventDecoder(transaction.EVENT)
    try:
        return EventBatch.from_events(transaction.EVENT, [decoder.decode(value) for value in values])
    except Refused:
        return None


@settings(deadline=None, max_examples=600)
@given(st.lists(objects(), min_size=1, max_size=6))
@example([b'{"event_id":"a","occurred_at_ms":1700000000000,"account_id":"b","amount":1.5,"currency":null}'])
@example([b'{"event_id":"\xed\xa0\x80","occurred_at_ms":1700000000000,"account_id":"b","amount":1}'])
def test_what_is_read_as_columns_is_what_the_decoder_reads(values):
    """Two readers of the same bytes: were they to differ, a score would depend on which of them was taken."""
    columns = EventColumns.read(transaction.EVENT, pack(values))
    if columns is None:
        return  # the decoder decides
    expected = decoded(values)
    assert expected is not None, "the decoder refuses what was taken"
    assert contents(columns.batch(slice(0, len(values)))) == contents(expected)
    for name in ("merchant_id", "account_id"):
        events = [EventDecoder(transaction.EVENT).decode(value) for value in values]
        assert columns.texts(name, slice(0, len(values))) == [getattr(event, name) for event in events]


@pytest.mark.parametrize("event_type", [transaction.EVENT, tick.EVENT], ids=lambda event_type: event_type.name)
def test_what_usual_producers_write_is_read_as_columns(event_type):
    """Compact or with spaces, in any order, numbers of all digits: the quick way must not be for the benchmark only."""
    chance = random.Random(3)
    kinds = msgspec.inspect.type_info(event_type.struct).fields
    values = []
    for number in range(500):
        event = {}
        for field in chance.sample(kinds, len(kinds)):
            text = "StrType" in repr(field.type)
            event[field.name] = f"{field.name}-{number % 50}ä" if text else chance.lognormvariate(3, 2)
            if not field.required and chance.random() < 0.3:
                event[field.name] = None
            if not field.required and chance.random() < 0.3:
                del event[field.name]
        event["occurred_at_ms"] = NOW_MS + number
        spaced = chance.choice([(",", ":"), (", ", ": ")])
        values.append(json.dumps(event, ensure_ascii=False, separators=spaced).encode())
    columns = EventColumns.read(event_type, pack(values))
    assert columns is not None
    decoder = EventDecoder(event_type)
    for piece in (slice(0, 500), slice(0, 1), slice(120, 333)):
        events = [decoder.decode(value) for value in values[piece]]
        assert contents(columns.batch(piece)) == contents(EventBatch.from_events(event_type, events))


@settings(deadline=None)
@given(st.lists(st.binary(max_size=300), min_size=1))
def test_hashes_are_those_of_the_library(strings):
    """States hold them: another hash would be another event. Longer ones are left to the library."""
    packed = pack(strings)
    found = hash_texts(packed.raw if len(packed.raw) else np.zeros(1, np.uint8), packed.starts[None], packed.ends[None])
    expected = [xxhash.xxh3_64_intdigest(each, SEED) if 0 < len(each) <= 240 else 0 for each in strings]
    assert found[0].tolist() == expected


def test_hashes_of_every_length_are_those_of_the_library():
    """The algorithm goes another way at 4, 9, 17, 129 and 241 bytes."""
    chance = random.Random(9)
    for size in range(1, 241):
        raw = chance.randbytes(size)
        found = hash_texts(np.frombuffer(bytearray(raw + b"x"), np.uint8), np.array([[0]]), np.array([[size]]))
        assert int(found[0, 0]) == xxhash.xxh3_64_intdigest(raw, SEED)


def test_types_of_other_fields_are_left_to_the_decoder():
    """A declaration may hold anything; only flat ones have the quick way, and the two inputs of today do."""
    known = {name: fields_of(event_type) is not None for name, event_type in event_types().items()}
    assert known["transactions"]
    assert known["market-ticks"]
    limits = fields_of(tick.EVENT)
    assert limits is not None
    for odd in (WITH_CHECK, AS_ARRAY, WITH_LIMIT, MANY):
        fields = [("event_id", str), ("occurred_at_ms", odd.get("time", int)), ("account_id", str)]
        struct = msgspec.defstruct(
            "Odd", [*fields, *odd.get("more", ())],
            namespace=odd.get("namespace"), kw_only=True, array_like=odd.get("array_like", False),
        )  # fmt: skip
        assert fields_of(EventType(struct=struct, topic="odd", key="account_id")) is None
    price = tick.EVENT.struct.__struct_fields__.index("price")
    assert 0 < limits.low[price] < 1e-300
    assert math.isclose(limits.high[price], 1e15)
