"""Flat JSON objects of known fields as columns, without an object per record; what is unusual is left to the decoder.

Usual is: every field once at most and of its type, texts without escapes, numbers and lengths within their limits.
Whatever is not usual - a missing field, an unknown one, an escape, a wrong type, bytes that are no UTF-8 - stops the
reading, and the caller has msgspec decode the records one by one, which tells what is wrong and what is merely rare.
So this file decides nothing: what it takes, msgspec takes, with the same values. A test holds the two against each other.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from scoring.compiled import compiled, entry, lent
from scoring.wire.packed import Bytes, Packed

TEXT, NUMBER, TIME = 0, 1, 2
ABSENT = -1
ALL_USUAL = -1

_UNUSUAL = -1
_QUOTE, _BACKSLASH, _COMMA, _COLON = ord('"'), ord("\\"), ord(","), ord(":")
_OPEN, _CLOSE, _MINUS, _PLUS, _POINT = ord("{"), ord("}"), ord("-"), ord("+"), ord(".")
_ZERO, _NINE, _E, _SMALL_E, _N = ord("0"), ord("9"), ord("E"), ord("e"), ord("n")
_EXACT_DIGITS, _TIME_DIGITS, _MOST_POWER = 15, 18, 22
_POWERS = np.array([float(f"1e{power}") for power in range(_MOST_POWER + 1)])


class Fields(NamedTuple):
    """The fields of an object, f of them.

    Attributes:
        names: as they stand between the quotes.
        kind: `TEXT`, `NUMBER` or `TIME`, int64[f]; at most one is a time.
        column: place among the fields of the kind, int64[f].
        required, nullable: whether it must be there, and may be null, bool[f].
        low, high: limits of a number, or of a text's length in characters, float64[f].
    """

    names: Packed
    kind: NDArray[np.int64]
    column: NDArray[np.int64]
    required: NDArray[np.bool_]
    nullable: NDArray[np.bool_]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


class Columns(NamedTuple):
    """What was read of n objects.

    Attributes:
        starts, ends: where each text lies between its quotes, int64[texts, n]; `ABSENT` where missing.
        numbers: float64[numbers, n], NaN where missing.
        times: int64[n].
    """

    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    numbers: NDArray[np.float64]
    times: NDArray[np.int64]


def read_objects(fields: Fields, raws: Packed) -> Columns | None:
    """The columns of all objects; None when one is unusual."""
    n = len(raws.starts)
    texts, numbers = int((fields.kind == TEXT).sum()), int((fields.kind == NUMBER).sum())
    columns = Columns(
        np.full((texts, n), ABSENT), np.full((texts, n), ABSENT), np.full((numbers, n), np.nan), np.zeros(n, np.int64)
    )
    # numbers of many digits are left to Python, which rounds them right: where they lie and whose they are
    long = np.empty((max(1, n * numbers), 4), np.int64)
    row, count = _read(fields, raws, columns, long)
    if row != ALL_USUAL:
        return None
    for field, row, start, end in long[:count].tolist():
        number = float(raws.raw[start:end].tobytes())
        if not fields.low[field] <= number <= fields.high[field]:
            return None
        columns.numbers[fields.column[field], row] = number
    return columns


@entry
def _read(fields: Fields, raws: Packed, columns: Columns, long: NDArray[np.int64]) -> tuple[int, int]:
    """The first unusual object, or `ALL_USUAL`, and how many numbers are left to be parsed."""
    fields, raws, columns, long = lent(fields), lent(raws), lent(columns), lent(long)
    raw, count = raws.raw, 0
    for row in range(len(raws.starts)):
        at, end = _space(raw, raws.starts[row], raws.ends[row]), raws.ends[row]
        if at >= end or raw[at] != _OPEN:
            return row, count
        at = _space(raw, at + 1, end)
        seen, guess = 0, 0
        while True:
            field, at = _name(fields.names, raw, at, end, guess)
            if field < 0 or seen >> field & 1:
                return row, count
            seen |= 1 << field
            guess = field + 1
            column = fields.column[field]
            if fields.nullable[field] and _null(raw, at, end):
                at += 4
            elif fields.kind[field] == TEXT:
                start = at + 1
                at, characters = _text(raw, at, end)
                if at < 0 or not fields.low[field] <= characters <= fields.high[field]:
                    return row, count
                columns.starts[column, row], columns.ends[column, row] = start, at - 1
            elif fields.kind[field] == NUMBER:
                start = at
                at, exact, number = _number(raw, at, end)
                if at < 0:
                    return row, count
                if not exact:
                    long[count, 0], long[count, 1], long[count, 2], long[count, 3] = field, row, start, at
                    count += 1
                elif fields.low[field] <= number <= fields.high[field]:
                    columns.numbers[column, row] = number
                else:
                    return row, count
            else:
                at, time = _time(raw, at, end)
                if at < 0:
                    return row, count
                columns.times[row] = time
            at = _space(raw, at, end)
            if at >= end:
                return row, count
            if raw[at] == _CLOSE:
                break
            if raw[at] != _COMMA:
                return row, count
            at = _space(raw, at + 1, end)
        for field in range(len(fields.kind)):
            if fields.required[field] and not seen >> field & 1:
                return row, count
        if _space(raw, at + 1, end) != end:
            return row, count
    return ALL_USUAL, count


@compiled
def _space(raw: Bytes, at: int, end: int) -> int:
    while at < end and (raw[at] == 32 or raw[at] == 10 or raw[at] == 13 or raw[at] == 9):
        at += 1
    return at


@compiled
def _name(names: Packed, raw: Bytes, at: int, end: int, guess: int) -> tuple[int, int]:
    """Which field is named, and where its value begins; fields mostly come in the order in which they are declared."""
    if at >= end or raw[at] != _QUOTE:
        return _UNUSUAL, at
    start = at + 1
    at = start
    while at < end and raw[at] != _QUOTE:
        at += 1
    for tried in range(len(names.starts)):
        field = (guess + tried) % len(names.starts)
        first = names.starts[field]
        same = names.ends[field] - first == at - start
        for place in range(at - start if same else 0):
            if raw[start + place] != names.raw[first + place]:
                same = False
                break
        if same:
            at = _space(raw, at + 1, end)
            if at >= end or raw[at] != _COLON:
                return _UNUSUAL, at
            return field, _space(raw, at + 1, end)
    return _UNUSUAL, at


@compiled
def _null(raw: Bytes, at: int, end: int) -> bool:
    return at + 4 <= end and raw[at] == _N and raw[at + 1] == 117 and raw[at + 2] == 108 and raw[at + 3] == 108


@compiled
def _text(raw: Bytes, at: int, end: int) -> tuple[int, int]:
    """The place behind the closing quote and the number of characters; UTF-8 by the Unicode standard, table 3-7."""
    if at >= end or raw[at] != _QUOTE:
        return _UNUSUAL, 0
    at += 1
    characters = 0
    while at < end:
        byte = raw[at]
        if byte == _QUOTE:
            return at + 1, characters
        if byte < 32 or byte == _BACKSLASH:
            return _UNUSUAL, 0
        size = _size_of_character(raw, at, end) if byte > 127 else 1
        if size == 0:
            return _UNUSUAL, 0
        at += size
        characters += 1
    return _UNUSUAL, 0


@compiled
def _size_of_character(raw: Bytes, at: int, end: int) -> int:
    """Bytes of a character beyond ASCII; 0 when it is none."""
    first, low, high = raw[at], 128, 191
    if 194 <= first <= 223:
        size = 2
    elif 224 <= first <= 239:
        size = 3
        low, high = 160 if first == 224 else 128, 159 if first == 237 else 191
    elif 240 <= first <= 244:
        size = 4
        low, high = 144 if first == 240 else 128, 143 if first == 244 else 191
    else:
        return 0
    if at + size > end or not low <= raw[at + 1] <= high:
        return 0
    for place in range(2, size):
        if not 128 <= raw[at + place] <= 191:
            return 0
    return size


@compiled
def _digits(raw: Bytes, at: int, end: int) -> int:
    while at < end and _ZERO <= raw[at] <= _NINE:
        at += 1
    return at


@compiled
def _number(raw: Bytes, at: int, end: int) -> tuple[int, bool, float]:
    """The place behind a number, whether it was exact to compute, and if so the number.

    Up to 15 digits and a power of ten up to 22 are exact in float64, and so is one operation on them.

    Source: Clinger 1990, "How to read floating point numbers accurately", the fast path.
    """
    negative = at < end and raw[at] == _MINUS
    at += negative
    start = at
    at = _digits(raw, at, end)
    if at == start or (raw[start] == _ZERO and at > start + 1):
        return _UNUSUAL, False, 0.0
    mantissa, power, significant = 0, 0, 0
    for place in range(start, at):
        significant += significant > 0 or raw[place] > _ZERO
        mantissa = mantissa * 10 + (raw[place] - _ZERO) if significant <= _EXACT_DIGITS else mantissa
    if at < end and raw[at] == _POINT:
        start = at + 1
        at = _digits(raw, start, end)
        if at == start:
            return _UNUSUAL, False, 0.0
        for place in range(start, at):
            significant += significant > 0 or raw[place] > _ZERO
            mantissa = mantissa * 10 + (raw[place] - _ZERO) if significant <= _EXACT_DIGITS else mantissa
        power = start - at
    if at < end and (raw[at] == _E or raw[at] == _SMALL_E):
        at += 1
        minus = at < end and raw[at] == _MINUS
        at += at < end and (raw[at] == _MINUS or raw[at] == _PLUS)
        start = at
        at = _digits(raw, at, end)
        if at == start or at - start > 3:
            return _UNUSUAL, False, 0.0
        given = 0
        for place in range(start, at):
            given = given * 10 + (raw[place] - _ZERO)
        power += -given if minus else given
    if mantissa == 0:
        # the sign of nought is the decoder's affair
        return (_UNUSUAL, False, 0.0) if negative else (at, True, 0.0)
    if significant > _EXACT_DIGITS or power > _MOST_POWER or power < -_MOST_POWER:
        return at, False, 0.0
    found = mantissa * _POWERS[power] if power >= 0 else mantissa / _POWERS[-power]
    return at, True, -found if negative else found


@compiled
def _time(raw: Bytes, at: int, end: int) -> tuple[int, int]:
    """The place behind an integer of 18 digits at most, and the integer."""
    negative = at < end and raw[at] == _MINUS
    at += negative
    start = at
    at = _digits(raw, at, end)
    if at == start or at - start > _TIME_DIGITS or (raw[start] == _ZERO and at > start + 1):
        return _UNUSUAL, 0
    if at < end and (raw[at] == _POINT or raw[at] == _E or raw[at] == _SMALL_E):
        return _UNUSUAL, 0
    found = 0
    for place in range(start, at):
        found = found * 10 + (raw[place] - _ZERO)
    return at, -found if negative else found
