"""What the decoder refuses, with which reason code and at which JSON path."""

import json
from typing import Any

import pytest

from schemas.codec import (
    LARGEST_VALUE,
    LONGEST_DETAIL,
    MOST_UNKNOWN_NAMES,
    OTHER_NAMES,
    EventDecoder,
    Refused,
)
from schemas.dead_letter import Reason
from schemas.events import tick, transaction

GOOD: dict[str, Any] = {
    "event_id": "e-1",
    "occurred_at_ms": 1_600_000_000_000,
    "account_id": "a-1",
    "amount": 12.5,
}
MADE_OUTSIDE_THE_DECODER = {
    Reason.FAR_FUTURE,
    Reason.NO_KEY,
    Reason.KEY_MISMATCH,
    Reason.WRONG_PARTITION,
    Reason.DUPLICATE,
    Reason.CONFLICT,
    Reason.MODEL_FAILED,
    Reason.BAD_SCORE,
}


def raw(**changes: Any) -> bytes:
    return json.dumps(GOOD | changes).encode()


def with_text(text: bytes) -> bytes:
    """The good event with one more member written as it stands."""
    return raw()[:-1] + b", " + text + b"}"


def without(field: str) -> bytes:
    return json.dumps({name: value for name, value in GOOD.items() if name != field}).encode()


REFUSED: dict[str, tuple[bytes | None, Reason, str]] = {
    "no value": (None, Reason.EMPTY_VALUE, "$"),
    "empty value": (b"", Reason.EMPTY_VALUE, "$"),
    "oversized value": (raw(event_id="x" * LARGEST_VALUE), Reason.OVERSIZED_VALUE, "$"),
    "other encoding": (json.dumps(GOOD).encode("utf-16"), Reason.NOT_UTF8, "$"),
    "bad byte in a known field": (raw().replace(b"e-1", b"e\xff1"), Reason.NOT_UTF8, "$"),
    "bad byte in an unknown field": (with_text(b'"x": "\xff"'), Reason.NOT_UTF8, "$"),
    "bad byte in a name": (with_text(b'"\xff": 1'), Reason.NOT_UTF8, "$"),
    "blank": (b"  ", Reason.BROKEN_JSON, "$"),
    "cut off": (raw()[:-4], Reason.BROKEN_JSON, "$"),
    "more after the object": (raw() + b" {}", Reason.BROKEN_JSON, "$"),
    "byte order mark": (b"\xef\xbb\xbf" + raw(), Reason.BROKEN_JSON, "$"),
    "half a surrogate pair": (raw().replace(b"e-1", b"\\ud800"), Reason.BROKEN_JSON, "$"),
    "half a surrogate pair in a name": (with_text(b'"\\ud800": 1'), Reason.BROKEN_JSON, "$"),
    "control character": (with_text(b'"x": "a\x01"'), Reason.BROKEN_JSON, "$"),
    "bare word": (with_text(b'"x": information'), Reason.BROKEN_JSON, "$"),
    "deep unknown list": (with_text(b'"x": ' + b"[" * 30_000 + b"]" * 30_000), Reason.BROKEN_JSON, "$"),
    "deep unknown object": (
        with_text(b'"x": ' + b'{"a":' * 9_000 + b"1" + b"}" * 9_000),
        Reason.BROKEN_JSON,
        "$",
    ),
    "not a number": (raw(amount=float("nan")), Reason.NOT_FINITE, "$.amount"),
    "infinity": (raw(amount=float("inf")), Reason.NOT_FINITE, "$.amount"),
    "minus infinity": (raw(amount=float("-inf")), Reason.NOT_FINITE, "$.amount"),
    "optional not a number": (raw(balance=float("nan")), Reason.NOT_FINITE, "$.balance"),
    "unknown field not a number": (with_text(b'"x": NaN'), Reason.NOT_FINITE, "$.x"),
    "list": (b"[]", Reason.WRONG_TYPE, "$"),
    "deep list": (b"[" * 60_000, Reason.WRONG_TYPE, "$"),
    "null": (b"null", Reason.WRONG_TYPE, "$"),
    "amount as text": (raw(amount="12.5"), Reason.WRONG_TYPE, "$.amount"),
    "required amount null": (raw(amount=None), Reason.WRONG_TYPE, "$.amount"),
    "time with a fraction": (raw(occurred_at_ms=1.6e12), Reason.WRONG_TYPE, "$.occurred_at_ms"),
    "time true": (raw(occurred_at_ms=True), Reason.WRONG_TYPE, "$.occurred_at_ms"),
    "optional of the wrong type": (raw(currency=7), Reason.WRONG_TYPE, "$.currency"),
    "deep list in a known field": (
        with_text(b'"currency": ' + b"[" * 60_000),
        Reason.WRONG_TYPE,
        "$.currency",
    ),
    "no id": (without("event_id"), Reason.MISSING_FIELD, "$.event_id"),
    "no time": (without("occurred_at_ms"), Reason.MISSING_FIELD, "$.occurred_at_ms"),
    "no account": (without("account_id"), Reason.MISSING_FIELD, "$.account_id"),
    "no amount": (without("amount"), Reason.MISSING_FIELD, "$.amount"),
    "amount too large": (raw(amount=1e16), Reason.OUT_OF_RANGE, "$.amount"),
    "amount too small": (raw(amount=-1e16), Reason.OUT_OF_RANGE, "$.amount"),
    "amount beyond float": (raw(amount=10**400), Reason.OUT_OF_RANGE, "$.amount"),
    "balance beyond float": (with_text(b'"balance": 1e400'), Reason.OUT_OF_RANGE, "$.balance"),
    "empty id": (raw(event_id=""), Reason.EMPTY_ID, "$.event_id"),
    "empty account": (raw(account_id=""), Reason.EMPTY_ID, "$.account_id"),
    "long id": (raw(event_id="x" * 129), Reason.LONG_ID, "$.event_id"),
    "long code": (raw(currency="x" * 65), Reason.LONG_ID, "$.currency"),
    "seconds": (raw(occurred_at_ms=1_600_000_000), Reason.TIME_IN_SECONDS, "$.occurred_at_ms"),
    "microseconds": (raw(occurred_at_ms=1_600_000_000_000_000), Reason.TIME_OUT_OF_RANGE, "$.occurred_at_ms"),
    "far past": (raw(occurred_at_ms=-(10**14)), Reason.TIME_OUT_OF_RANGE, "$.occurred_at_ms"),
    "time beyond 64 bits": (raw(occurred_at_ms=10**30), Reason.TIME_OUT_OF_RANGE, "$.occurred_at_ms"),
}


def refused(decoder: EventDecoder, value: bytes | None) -> Refused:
    with pytest.raises(Refused) as caught:
        decoder.decode(value)
    return caught.value


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("strict", [False, True])
def test_a_bad_record_gets_its_reason_code_and_path(case: str, strict: bool) -> None:
    """Operators and programs act on the code; the path says which field to repair at the source."""
    value, reason, path = REFUSED[case]
    found = refused(EventDecoder(transaction.EVENT, strict=strict), value)
    if strict and found.reason is Reason.UNKNOWN_FIELD:
        # strict stops at the unknown name, before its value is looked at
        assert b'"x"' in (value or b"")
        assert found.path == "$.x"
        return
    assert (found.reason, found.path) == (reason, path)


def test_every_code_the_decoder_can_give_is_shown_here() -> None:
    """A new reason code comes with a case, or with the place outside the decoder that makes it."""
    shown = {reason for _, reason, _ in REFUSED.values()} | {Reason.UNKNOWN_FIELD}
    assert shown == set(Reason) - MADE_OUTSIDE_THE_DECODER


def test_unknown_fields_are_ignored_and_counted() -> None:
    """A producer may add fields before we know them; that they come is still to be seen."""
    decoder = EventDecoder(transaction.EVENT)
    for _ in range(3):
        assert decoder.decode(raw(colour="red", shape=[1, {"deep": None}])).amount == 12.5
    assert decoder.unknown_fields == {"colour": 3, "shape": 3}


def test_a_value_we_do_not_read_may_hold_any_number() -> None:
    """Numbers of an ignored field are not ours to judge, however large."""
    decoder = EventDecoder(transaction.EVENT)
    decoder.decode(with_text(b'"x": 1e999, "y": ' + b"9" * 6_000))
    assert decoder.unknown_fields == {"x": 1, "y": 1}


def test_strict_refuses_unknown_fields_by_name() -> None:
    """Strict is for those who want a typing error in a field's name to be found, not ignored."""
    found = refused(EventDecoder(transaction.EVENT, strict=True), raw(acount="x"))
    assert (found.reason, found.path) == (Reason.UNKNOWN_FIELD, "$.acount")


@pytest.mark.parametrize(
    "name", ["missing required field", "length >= 1", "utf-8", "out of range - at `$.amount`"]
)
def test_the_name_of_an_unknown_field_cannot_pose_as_another_reason(name: str) -> None:
    """Reasons are read from the library's words; words of the sender must not be taken for them."""
    assert (
        refused(EventDecoder(transaction.EVENT, strict=True), raw(**{name: 1})).reason is Reason.UNKNOWN_FIELD
    )
    decoder = EventDecoder(transaction.EVENT)
    decoder.decode(raw(**{name: 1}))
    assert decoder.unknown_fields == {name: 1}


def test_invented_field_names_do_not_fill_the_memory() -> None:
    """A sender that puts an id into a field's name would otherwise grow the counter for ever."""
    decoder = EventDecoder(transaction.EVENT)
    for number in range(MOST_UNKNOWN_NAMES + 50):
        decoder.decode(raw(**{f"field-{number}": 1}))
    assert len(decoder.unknown_fields) == MOST_UNKNOWN_NAMES + 1
    assert decoder.unknown_fields[OTHER_NAMES] == 50


def test_a_refusal_is_short_and_does_not_repeat_the_value() -> None:
    """Dead letters must not carry what the setting `nothing` promised to leave out."""
    found = refused(EventDecoder(transaction.EVENT, strict=True), raw(**{"y" * 5_000: 1}))
    assert len(found.detail) <= LONGEST_DETAIL
    assert len(found.path) <= LONGEST_DETAIL
    secret = refused(EventDecoder(transaction.EVENT), raw(amount="secret-4711"))
    assert "secret" not in str(secret)


def test_the_last_of_two_equal_fields_counts() -> None:
    """Documented, and the same with and without unknown fields."""
    twice = with_text(b'"amount": 7')
    assert EventDecoder(transaction.EVENT).decode(twice).amount == 7
    assert EventDecoder(transaction.EVENT).decode(twice[:-1] + b', "x": 1}').amount == 7


@pytest.mark.parametrize("price", [0, -1.0])
def test_a_price_is_positive(price: float) -> None:
    """The logarithm of a price is taken, so zero is refused at the door."""
    value = json.dumps({"event_id": "t", "occurred_at_ms": 0, "symbol": "KO", "price": price}).encode()
    found = refused(EventDecoder(tick.EVENT), value)
    assert (found.reason, found.path) == (Reason.OUT_OF_RANGE, "$.price")


def test_an_event_before_1970_is_an_event() -> None:
    """Rates and prices reach back further than the epoch."""
    assert EventDecoder(transaction.EVENT).decode(raw(occurred_at_ms=-252_460_800_000)).occurred_at_ms < 0
