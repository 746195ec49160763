"""Bytes to events and back: strict where it matters, with a reason code and a JSON path for whatever is refused."""

import re
from collections import Counter
from functools import cache
from typing import Any

import msgspec

from schemas.dead_letter import Reason
from schemas.event import EventType

LARGEST_VALUE = 64 * 1024
SECONDS = (100_000_000, 10_000_000_000)  # 1973 to 2286 if seconds; the first months of 1970 if milliseconds
WIDEST_TIME_MS = 10_000_000_000_000  # year 2286; beyond it someone sent microseconds

_MALFORMED = re.compile(r"\(byte (\d+)\)")
_PATH = re.compile(r" - at `(\$[^`]*)`")
_KEY_BEFORE = re.compile(rb'"((?:[^"\\]|\\.)*)"\s*:\s*-?$')
_FIELD = re.compile(r"field `([^`]*)`")
_NOT_FINITE = (b"NaN", b"Infinity", b"nan", b"inf")


class Refused(Exception):
    """A record that cannot be an event.

    Attributes:
        reason: stable code; path: JSON path of the offending value; detail: expected and found, without the value.
    """

    def __init__(self, reason: Reason, path: str, detail: str) -> None:
        super().__init__(f"{reason} at {path}: {detail}")
        self.reason, self.path, self.detail = reason, path, detail


class EventDecoder:
    """Decodes the records of one event type.

    Args:
        event_type: the declaration.
        strict: refuse unknown fields instead of counting them.

    Attributes:
        unknown_fields: how often each unknown field was met (not kept when strict).
    """

    def __init__(self, event_type: EventType, *, strict: bool = False) -> None:
        self.event_type = event_type
        self.strict = strict
        self.unknown_fields: Counter[str] = Counter()
        self._exact = msgspec.json.Decoder(_refusing_unknown(event_type.struct))
        self._lenient = msgspec.json.Decoder(event_type.struct)

    def decode(self, raw: bytes | None) -> Any:
        """The event of these bytes, a struct of the event type.

        Raises:
            Refused: the bytes are not such an event.
        """
        if raw is None or len(raw) == 0:
            raise Refused(Reason.EMPTY_VALUE, "$", "expected a JSON object, was empty")
        if len(raw) > LARGEST_VALUE:
            raise Refused(Reason.OVERSIZED_VALUE, "$", f"expected at most {LARGEST_VALUE} bytes, was {len(raw)}")
        try:
            event = self._exact.decode(raw)
        except msgspec.ValidationError as error:
            if self.strict or "unknown field" not in str(error):
                raise refusal(error, raw) from None
            event = self._decode_counting(raw)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise refusal(error, raw) from None
        check_time(event.occurred_at_ms)
        return event

    def _decode_counting(self, raw: bytes) -> Any:
        try:
            event = self._lenient.decode(raw)
        except msgspec.ValidationError as error:
            raise refusal(error, raw) from None
        known = self.event_type.struct.__struct_fields__
        self.unknown_fields.update(name for name in msgspec.json.decode(raw) if name not in known)
        return event


@cache
def _refusing_unknown(struct: type[msgspec.Struct]) -> type[msgspec.Struct]:
    return msgspec.defstruct(
        struct.__name__, [], bases=(struct,), forbid_unknown_fields=True, frozen=True, kw_only=True, gc=False
    )


def check_time(occurred_at_ms: int) -> None:
    """Nothing; refuses an event time that looks like another unit.

    Raises:
        Refused: seconds (1973 to 2286) or more than year 2286 in milliseconds.
    """
    if SECONDS[0] < occurred_at_ms < SECONDS[1]:
        raise Refused(
            Reason.TIME_IN_SECONDS, "$.occurred_at_ms", "expected milliseconds, was of the size of seconds; multiply by 1000"
        )
    if not -WIDEST_TIME_MS < occurred_at_ms < WIDEST_TIME_MS:
        raise Refused(
            Reason.TIME_OUT_OF_RANGE, "$.occurred_at_ms", "expected milliseconds, was of the size of microseconds"
        )


def refusal(error: Exception, raw: bytes) -> Refused:
    """The reason code and JSON path of a decoding error of msgspec."""
    text = str(error)
    if isinstance(error, UnicodeDecodeError) or "utf-8" in text.lower():
        return Refused(Reason.NOT_UTF8, "$", "expected UTF-8 text, was other bytes")
    if not isinstance(error, msgspec.ValidationError):
        return _malformed(text, raw)
    at = _PATH.search(text)
    path = at.group(1) if at else "$"
    said = text[: at.start()] if at else text
    field = _FIELD.search(said)
    if "missing required" in said:
        return Refused(Reason.MISSING_FIELD, _child(path, field), said)
    if "unknown field" in said:
        return Refused(Reason.UNKNOWN_FIELD, _child(path, field), said)
    if "length" in said:
        empty = ">=" in said
        return Refused(Reason.EMPTY_ID if empty else Reason.LONG_ID, path, said)
    if "Expected `float`" in said and ("<=" in said or ">" in said) or "out of range" in said:
        return Refused(Reason.OUT_OF_RANGE, path, said)
    return Refused(Reason.WRONG_TYPE, path, said)


def _child(path: str, field: re.Match[str] | None) -> str:
    return f"{path}.{field.group(1)}" if field else path


def _malformed(text: str, raw: bytes) -> Refused:
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        return Refused(Reason.NOT_UTF8, "$", f"expected UTF-8 text, was other bytes from byte {error.start}")
    at = _MALFORMED.search(text)
    if at is None:
        return Refused(Reason.BROKEN_JSON, "$", text)
    place = int(at.group(1))
    before = raw[:place].rstrip(b"-")
    for token in _NOT_FINITE:
        # msgspec points at the token, or one or two characters into it
        for shift in range(3):
            start = place - shift
            if start >= 0 and raw[start : start + len(token)] == token:
                before = raw[:start].rstrip(b"-")
                key = _KEY_BEFORE.search(before)
                path = f"$.{key.group(1).decode()}" if key else "$"
                return Refused(Reason.NOT_FINITE, path, f"expected a finite number, was {token.decode()}")
    return Refused(Reason.BROKEN_JSON, "$", text)
