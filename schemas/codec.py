"""Bytes to events and back: strict where it matters, a reason code and a JSON path for what is refused."""

import re
from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Any

import msgspec

from schemas.as_of import MARK, AsOf, as_question
from schemas.dead_letter import Reason
from schemas.event import EventType

LARGEST_VALUE = 64 * 1024
SECONDS = (100_000_000, 10_000_000_000)  # 1973 to 2286 if seconds; the first months of 1970 if milliseconds
WIDEST_TIME_MS = 10_000_000_000_000  # year 2286; beyond it someone sent microseconds
MOST_UNKNOWN_NAMES = 1_000
OTHER_NAMES = "(other names)"
LONGEST_DETAIL = 200

_MALFORMED = re.compile(r"\(byte (\d+)\)")
_PATH = re.compile(r" - at `(\$[^`]*)`$")
_KEY_BEFORE = re.compile(rb'"((?:[^"\\]|\\.)*)"\s*:\s*[-+]?$')
_FIELD = re.compile(r"field `(.*)`", re.DOTALL)
_NOT_FINITE = re.compile(rb"(?<![0-9A-Za-z_])(?:nan|inf(?:inity)?)(?![0-9A-Za-z_])", re.IGNORECASE)

_QUESTIONS = msgspec.json.Decoder(AsOf)
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Refused(Exception):
    """A record that cannot be an event.

    Attributes:
        reason: stable code.
        path: JSON path of the offending value, `$` for the whole record.
        detail: what was expected and what was found, without the value; at most 200 characters.
    """

    def __init__(self, reason: Reason, path: str, detail: str) -> None:
        detail, path = detail[:LONGEST_DETAIL], path[:LONGEST_DETAIL]
        super().__init__(f"{reason} at {path}: {detail}")
        self.reason, self.path, self.detail = reason, path, detail


class EventDecoder:
    """Decodes the records of one event type.

    Args:
        event_type: the declaration.
        strict: refuse unknown fields instead of counting them.

    Attributes:
        unknown_fields: how often each unknown field was met (not kept when strict); names beyond the first
            thousand are counted together, so that a flood of invented names cannot fill the memory.
    """

    def __init__(self, event_type: EventType, *, strict: bool = False) -> None:
        self.event_type = event_type
        self.strict = strict
        self.unknown_fields: Counter[str] = Counter()
        self._exact: msgspec.json.Decoder[Any] = msgspec.json.Decoder(_refusing_unknown(event_type.struct))
        self._lenient: msgspec.json.Decoder[Any] = msgspec.json.Decoder(event_type.struct)
        self._names = msgspec.json.Decoder(dict[str, msgspec.Raw])

    def decode(self, raw: bytes | None) -> Any:
        """The event of these bytes, an instance of the struct or of a subclass of it with the same fields.

        A question (`schemas.as_of.AsOf`) is one of `question_struct`.

        Of a field that appears twice the last value counts.

        Raises:
            Refused: the bytes are not such an event; no other error leaves this method.
        """
        if raw is None or len(raw) == 0:
            raise Refused(Reason.EMPTY_VALUE, "$", "expected a JSON object, was empty")
        if len(raw) > LARGEST_VALUE:
            detail = f"expected at most {LARGEST_VALUE} bytes, was {len(raw)}"
            raise Refused(Reason.OVERSIZED_VALUE, "$", detail)
        try:
            event = self._exact.decode(raw)
        except _UNREADABLE as error:
            event = self._question(raw) if MARK in raw else None
            if event is None:
                if self.strict or not str(error).startswith("Object contains unknown field"):
                    raise refusal(error, raw) from None
                event = self._decode_counting(raw)
        check_time(event.occurred_at_ms)
        return event

    def _question(self, raw: bytes) -> Any:
        """The question of these bytes; None where they have no field `as_of`.

        Raises:
            Refused: they have one, and are no question.
        """
        try:
            if "as_of" not in self._names.decode(raw):
                return None
            asked = _QUESTIONS.decode(raw)
        except _UNREADABLE as error:
            raise refusal(error, raw) from None
        if not asked.as_of:
            raise Refused(Reason.WRONG_TYPE, "$.as_of", "expected true, was false; leave the field out of an event")
        return as_question(self.event_type, asked)

    def decode_all(self, raws: Sequence[bytes | None]) -> list[Any] | None:
        """The events of these bytes when there is nothing to say of any of them; else None: decode them one by one.

        0.4 us a record against 0.6 us.
        """
        try:
            events = list(map(self._exact.decode, raws))  # type: ignore[arg-type]
        except (*_UNREADABLE, TypeError):  # TypeError: no value at all
            return None
        if not events:
            return events
        times = [event.occurred_at_ms for event in events]
        first, last, longest = min(times), max(times), max(map(len, raws))  # type: ignore[arg-type]
        usual = SECONDS[1] <= first and last < WIDEST_TIME_MS and longest <= LARGEST_VALUE
        return events if usual else None

    def _decode_counting(self, raw: bytes) -> Any:
        try:
            # what msgspec skips it does not check, and a record that is not UTF-8 is no JSON text
            raw.decode()
            event = self._lenient.decode(raw)
            names = self._names.decode(raw)
        except _UNREADABLE as error:
            raise refusal(error, raw) from None
        known = self.event_type.struct.__struct_fields__
        for name in names:
            if name not in known:
                room = len(self.unknown_fields) < MOST_UNKNOWN_NAMES or name in self.unknown_fields
                self.unknown_fields[name if room else OTHER_NAMES] += 1
        return event


@cache
def _refusing_unknown(struct: type[msgspec.Struct]) -> type[msgspec.Struct]:
    return msgspec.defstruct(
        struct.__name__, [], bases=(struct,), forbid_unknown_fields=True, frozen=True, kw_only=True, gc=False
    )


def encode(event: msgspec.Struct) -> bytes:
    """The event as it goes on the wire: compact JSON in UTF-8, fields in the order of the struct."""
    return msgspec.json.encode(event)


def check_time(occurred_at_ms: int) -> None:
    """Nothing; refuses an event time that looks like another unit.

    Raises:
        Refused: seconds (1973 to 2286) or more than year 2286 in milliseconds.
    """
    path = "$.occurred_at_ms"
    if SECONDS[0] < occurred_at_ms < SECONDS[1]:
        detail = "expected milliseconds, was of the size of seconds; multiply by 1000"
        raise Refused(Reason.TIME_IN_SECONDS, path, detail)
    if not -WIDEST_TIME_MS < occurred_at_ms < WIDEST_TIME_MS:
        detail = "expected milliseconds, was of the size of microseconds"
        raise Refused(Reason.TIME_OUT_OF_RANGE, path, detail)


def refusal(error: Exception, raw: bytes) -> Refused:
    """The reason code and JSON path of a decoding error of msgspec."""
    if isinstance(error, RecursionError):
        return Refused(Reason.BROKEN_JSON, "$", "expected a flat object, was nested too deep to read")
    if not isinstance(error, msgspec.ValidationError):
        return _malformed(str(error), raw)
    text = str(error)
    at = _PATH.search(text)
    path = at.group(1) if at else "$"
    said = text[: at.start()] if at else text
    field = _FIELD.search(said)
    if said.startswith("Object missing required field"):
        return Refused(Reason.MISSING_FIELD, _child(path, field), said)
    if said.startswith("Object contains unknown field"):
        return Refused(Reason.UNKNOWN_FIELD, _child(path, field), said)
    if " of length " in said:
        empty = ">=" in said
        return Refused(Reason.EMPTY_ID if empty else Reason.LONG_ID, path, said)
    if said.startswith(("Expected `float` ", "Expected `int` ")) or "out of range" in said:
        return Refused(Reason.OUT_OF_RANGE, path, said)
    return Refused(Reason.WRONG_TYPE, path, said)


def _child(path: str, field: re.Match[str] | None) -> str:
    return f"{path}.{field.group(1)}" if field else path


def _malformed(text: str, raw: bytes) -> Refused:
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        detail = f"expected UTF-8 text, was other bytes from byte {error.start}"
        return Refused(Reason.NOT_UTF8, "$", detail)
    at = _MALFORMED.search(text)
    if at is not None:
        place = int(at.group(1))
        # msgspec points at the token, or one or two characters into it
        token = _NOT_FINITE.search(raw, max(place - 2, 0), place + len(b"infinity"))
        if token is not None and token.start() <= place:
            key = _KEY_BEFORE.search(raw[: token.start()])
            path = f"$.{key.group(1).decode()}" if key else "$"
            return Refused(Reason.NOT_FINITE, path, f"expected a finite number, was {token.group().decode()}")
    return Refused(Reason.BROKEN_JSON, "$", text)
