"""Kafka's record format, version 2, read: where things lie in the records of a batch, no object made for any of them.

Source: the Kafka protocol guide, "Record batch". The writing half is `scoring.wire.kafka_records`.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from scoring.compiled import compiled, entry, lent
from scoring.wire.packed import Bytes, Packed

NO_NUMBER = -1
LEAST_BYTES = 7
"""Of a record: length, attributes, time, offset, sizes of key and value, number of headers."""
_COLON, _ZERO, _NINE = ord(":"), ord("0"), ord("9")
_MOST_DIGITS = 18
_LONGER = "expected a record within its batch, was a longer one"


class Batches(NamedTuple):
    """Record batches one behind the other, unpacked and without their headers.

    Attributes:
        raw: their records, uint8[*].
        starts: where each batch begins, int64[b].
        counts, offsets, times: records of each, offset and time in ms of its first one, int64[b].
        append_times: the broker's time of each, where it stands for those of its records, int64[b]; -1 where it does not.
    """

    raw: Bytes
    starts: NDArray[np.int64]
    counts: NDArray[np.int64]
    offsets: NDArray[np.int64]
    times: NDArray[np.int64]
    append_times: NDArray[np.int64]


class Located(NamedTuple):
    """Where the parts of n records lie in what they were read from, int64[n] each; start and end -1 for null.

    Attributes:
        offsets, times: of each record, in ms.
        by_broker: bool[n], whether the time is the broker's.
        headers: where the number of headers stands.
        ends: where the record ends.
    """

    offsets: NDArray[np.int64]
    times: NDArray[np.int64]
    by_broker: NDArray[np.bool_]
    key_starts: NDArray[np.int64]
    key_ends: NDArray[np.int64]
    value_starts: NDArray[np.int64]
    value_ends: NDArray[np.int64]
    headers: NDArray[np.int64]
    ends: NDArray[np.int64]


def locate_records(batches: Batches) -> Located:
    """Where keys and values of all records of the batches lie.

    Raises:
        ValueError: these are no records, or fewer.
    """
    count, room = int(batches.counts.sum()), len(batches.raw) // LEAST_BYTES
    if batches.counts.min(initial=0) < 0 or count > room:
        raise ValueError(f"expected {count} records, was room for {room}")
    places = [np.empty(count, np.int64) for _ in range(8)]
    located = Located(places[0], places[1], np.empty(count, np.bool_), *places[2:])
    _locate(batches, located)
    return located


@entry
def _locate(batches: Batches, located: Located) -> None:
    batches, located = lent(batches), lent(located)
    raw, row = batches.raw, 0
    for batch in range(len(batches.starts)):
        at = batches.starts[batch]
        end = batches.starts[batch + 1] if batch + 1 < len(batches.starts) else len(raw)
        by_broker = batches.append_times[batch] >= 0
        for _ in range(batches.counts[batch]):
            size, at = _varint(raw, at)
            following = at + size
            if size < 0 or following > end:
                raise ValueError(_LONGER)
            at += 1  # attributes
            later, at = _varint(raw, at)
            further, at = _varint(raw, at)
            located.offsets[row] = batches.offsets[batch] + further
            located.times[row] = batches.append_times[batch] if by_broker else batches.times[batch] + later
            located.by_broker[row] = by_broker
            size, at = _varint(raw, at)
            located.key_starts[row] = at if size >= 0 else -1
            located.key_ends[row] = at + size if size >= 0 else -1
            at += max(size, 0)
            size, at = _varint(raw, at)
            located.value_starts[row] = at if size >= 0 else -1
            located.value_ends[row] = at + size if size >= 0 else -1
            at += max(size, 0)
            if at >= following:
                raise ValueError(_LONGER)
            located.headers[row] = at
            located.ends[row] = following
            at = following
            row += 1


def headers_at(raw: Bytes, at: int) -> list[tuple[str, bytes]]:
    """The headers whose number stands at that place; those without a value have an empty one."""
    count, at = _number(raw, at)
    found = []
    for _ in range(count):
        size, at = _number(raw, at)
        name, at = raw[at : at + size].tobytes().decode(), at + size
        size, at = _number(raw, at)
        found.append((name, raw[at : at + max(size, 0)].tobytes()))
        at += max(size, 0)
    return found


def header_values(records: Bytes, count: int, name: bytes) -> Packed:
    """The value of a header in each of the records, empty where it is missing or null; the last one counts.

    Args:
        records: of one batch, behind its header and unpacked, uint8[*].
        count: how many.

    Raises:
        ValueError: these are no records, or fewer.
    """
    if not 0 <= count <= len(records) // LEAST_BYTES:
        raise ValueError(f"expected {count} records, was room for {len(records) // LEAST_BYTES}")
    starts, ends = _header_values(records, count, np.frombuffer(bytearray(name), np.uint8))
    return Packed(records, starts, ends)


@entry
def _header_values(
    records: Bytes, count: int, name: Bytes
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    records, name = lent(records), lent(name)
    starts, ends = np.zeros(count, np.int64), np.zeros(count, np.int64)
    at = 0
    for row in range(count):
        size, at = _varint(records, at)
        following = at + size
        if size < 0 or following > len(records):
            raise ValueError(_LONGER)
        at += 1  # attributes
        _, at = _varint(records, at)  # time
        _, at = _varint(records, at)  # offset
        for _ in range(2):  # key and value
            size, at = _varint(records, at)
            at += max(size, 0)
        headers, at = _varint(records, at)
        for _ in range(headers):
            size, at = _varint(records, at)
            named = size == len(name) and at + size <= len(records)
            for place in range(size if named else 0):
                if records[at + place] != name[place]:
                    named = False
                    break
            at += max(size, 0)
            size, at = _varint(records, at)
            if named:
                starts[row], ends[row] = at, at + max(size, 0)
            at += max(size, 0)
        if at != following:
            raise ValueError("expected headers up to the end of the record, was another length")
    return starts, ends


@entry
def numbers_after(texts: Packed, colons: int, more: int) -> NDArray[np.int64]:
    """The number behind the given count of colons in each text, if `more` colons follow, or none or one for -1; else -1.

    >>> from scoring.wire.packed import pack
    >>> ids = pack([b"payment_anomaly:transactions:3:17:0011aabb", b"else", b"a:b:c:d:e", b"a:b:c:17"])
    >>> numbers_after(ids, 3, 1).tolist()
    [17, -1, -1, -1]
    """
    texts = lent(texts)
    found = np.full(len(texts.starts), NO_NUMBER)
    for row in range(len(found)):
        at, end = _behind(texts.raw, texts.starts[row], texts.ends[row], colons), texts.ends[row]
        number, digits = 0, 0
        while at < end and digits < _MOST_DIGITS and _ZERO <= texts.raw[at] <= _NINE:
            number = number * 10 + texts.raw[at] - _ZERO
            at += 1
            digits += 1
        following = 0
        for place in range(at, end):
            following += texts.raw[place] == _COLON
        if digits and (at == end or texts.raw[at] == _COLON) and (following == more or (more < 0 and following < 2)):
            found[row] = number
    return found


@entry
def like_the_one_before(texts: Packed, colons: int) -> NDArray[np.bool_]:
    """Whether each text begins as the one before does, up to and with the given count of colons; all of it for none."""
    texts = lent(texts)
    same = np.zeros(len(texts.starts), np.bool_)
    for row in range(1, len(same)):
        start, before = texts.starts[row], texts.starts[row - 1]
        size = _behind(texts.raw, start, texts.ends[row], colons) - start
        equal = size == _behind(texts.raw, before, texts.ends[row - 1], colons) - before
        for place in range(size if equal else 0):
            if texts.raw[start + place] != texts.raw[before + place]:
                equal = False
                break
        same[row] = equal
    return same


@compiled
def _behind(raw: Bytes, start: int, end: int, colons: int) -> int:
    """The place behind that many colons, or the end."""
    if colons == 0:
        return end
    for at in range(start, end):
        if raw[at] == _COLON:
            colons -= 1
            if colons == 0:
                return at + 1
    return end


@compiled
def _varint(raw: Bytes, at: int) -> tuple[int, int]:
    """A zigzag varint and the place behind it."""
    found, shift = 0, 0
    while True:
        if at >= len(raw) or shift > 63:
            raise ValueError("expected a number within the batch, was its end")
        byte = int(raw[at])
        at += 1
        found |= (byte & 127) << shift
        if byte < 128:
            return (found >> 1) ^ -(found & 1), at
        shift += 7


@entry
def _number(raw: Bytes, at: int) -> tuple[int, int]:
    return _varint(raw, at)
