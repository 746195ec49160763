"""The record of an input that could not be scored, as published on `dead-letters`."""

from enum import StrEnum

import msgspec

from schemas.source import Source


class Reason(StrEnum):
    """Why a record was refused; stable codes for programs."""

    EMPTY_VALUE = "EMPTY_VALUE"
    OVERSIZED_VALUE = "OVERSIZED_VALUE"
    NOT_UTF8 = "NOT_UTF8"
    BROKEN_JSON = "BROKEN_JSON"
    NOT_FINITE = "NOT_FINITE"
    WRONG_TYPE = "WRONG_TYPE"
    MISSING_FIELD = "MISSING_FIELD"
    UNKNOWN_FIELD = "UNKNOWN_FIELD"
    OUT_OF_RANGE = "OUT_OF_RANGE"
    EMPTY_ID = "EMPTY_ID"
    LONG_ID = "LONG_ID"
    TIME_IN_SECONDS = "TIME_IN_SECONDS"
    TIME_OUT_OF_RANGE = "TIME_OUT_OF_RANGE"
    FAR_FUTURE = "FAR_FUTURE"
    NO_KEY = "NO_KEY"
    KEY_MISMATCH = "KEY_MISMATCH"
    WRONG_PARTITION = "WRONG_PARTITION"
    DUPLICATE = "DUPLICATE"
    CONFLICT = "CONFLICT"
    MODEL_FAILED = "MODEL_FAILED"
    BAD_SCORE = "BAD_SCORE"


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One refused input record.

    Attributes:
        dead_letter_id: `dead:topic:partition:offset`, with `:scorer` appended when one scorer refused it.
        reason: code of the refusal.
        stage: `decode`, `fold` or `score`.
        path: JSON path of the offending value, `$` for the whole record.
        detail: what was expected and what was found, without the value itself.
        scorer: the scorer that refused; absent when the record was refused for all of them.
        value_xxh3: 64-bit xxh3 of the record's bytes, hexadecimal; absent by policy `nothing`.
        value_base64: up to 64 kB of the record's bytes; only by policy `bytes`.
    """

    dead_letter_id: str
    reason: Reason
    stage: str
    source: Source
    path: str
    detail: str
    scorer: str | None = None
    event_id: str | None = None
    value_bytes: int = 0
    value_xxh3: str | None = None
    value_base64: str | None = None
