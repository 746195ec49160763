"""Kafka's record format, version 2: the records of a batch, without its header.

Source: the Kafka protocol guide, "Record batch". A record is its length, attributes, time and offset relative to the
batch, key, value and headers; lengths are zigzag varints.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from scoring.compiled import compiled, entry, lent
from scoring.wire.packed import Bytes, Packed, copy_bytes, put, size_of


class Records(NamedTuple):
    """Records whose headers are the same but for one value, n of them.

    Attributes:
        key, key_of: the distinct keys, and which one is each record's, int64[n].
        value: of each record.
        identity: the value of the one header that differs.
        before, after: the headers as they are on the wire, up to that value's length and from its end, uint8[*].
    """

    key: Packed
    key_of: NDArray[np.int64]
    value: Packed
    identity: Packed
    before: Bytes
    after: Bytes


def around(headers: Sequence[tuple[str, bytes]], name: str) -> tuple[Bytes, Bytes]:
    """`before` and `after` of `Records`, for headers in which the value of `name` differs.

    Raises:
        ValueError: there is no such header.
    """
    names = [header for header, _ in headers]
    at = names.index(name)
    before = _varint(len(headers)) + b"".join(map(_header, headers[:at])) + _sized(name.encode())
    after = b"".join(map(_header, headers[at + 1 :]))
    return np.frombuffer(before, np.uint8), np.frombuffer(after, np.uint8)


@entry
def most_bytes(records: Records, first: int) -> int:
    """At least what the records from `first` on take."""
    records = lent(records)
    fixed = 32 + len(records.before) + len(records.after)
    total = 0
    for row in range(first, len(records.key_of)):
        total += fixed + size_of(records.value, row) + size_of(records.identity, row)
        total += size_of(records.key, records.key_of[row])
    return total


@entry
def write_records(records: Records, first: int, out: Bytes, at: int, written: int) -> tuple[int, int]:
    """Writes records from `first` on, as many as there is room for: the next record, and the place behind the last.

    Args:
        out, at: where to, uint8[*], and from which place on.
        written: records that the batch has already.
    """
    records, out = lent(records), lent(out)
    for row in range(first, len(records.key_of)):
        key, value = size_of(records.key, records.key_of[row]), size_of(records.value, row)
        identity, offset = size_of(records.identity, row), written + row - first
        size = 2 + _size_of_varint(offset)
        size += _size_of_varint(key) + key + _size_of_varint(value) + value
        size += len(records.before) + _size_of_varint(identity) + identity + len(records.after)
        if at + _size_of_varint(size) + size > len(out):
            return row, at
        at = _put_varint(out, at, size)
        out[at] = 0  # attributes
        out[at + 1] = 0  # after the time of the batch
        at = _put_varint(out, at + 2, offset)
        at = put(out, _put_varint(out, at, key), records.key, records.key_of[row])
        at = put(out, _put_varint(out, at, value), records.value, row)
        at = copy_bytes(out, at, records.before, 0, len(records.before))
        at = put(out, _put_varint(out, at, identity), records.identity, row)
        at = copy_bytes(out, at, records.after, 0, len(records.after))
    return len(records.key_of), at


@compiled
def _put_varint(out: Bytes, at: int, number: int) -> int:
    left = number << 1  # zigzag of what is not negative
    while left > 127:
        out[at] = left & 127 | 128
        left >>= 7
        at += 1
    out[at] = left
    return at + 1


@compiled
def _size_of_varint(number: int) -> int:
    left, size = number << 1, 1
    while left > 127:
        left >>= 7
        size += 1
    return size


def _varint(number: int) -> bytes:
    left, out = number << 1, bytearray()
    while left > 127:
        out.append(left & 127 | 128)
        left >>= 7
    return bytes(out) + bytes([left])


def _sized(raw: bytes) -> bytes:
    return _varint(len(raw)) + raw


def _header(header: tuple[str, bytes]) -> bytes:
    name, value = header
    return _sized(name.encode()) + _sized(value)
