"""Batches read whole: what aiokafka's own reader finds in them, or an error; never something else."""

import asyncio
from collections.abc import Sequence

import numpy as np
import pytest
from aiokafka.errors import CorruptRecordException, UnsupportedCodecError
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.util import calc_crc32c
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.wire.packed import Packed, pack
from scoring.wire.read_records import header_values, like_the_one_before, locate_records, numbers_after
from stream.worker.batches import CODECS
from stream.worker.record_batches import joined, visible_batches

Headers = Sequence[tuple[str, bytes | None]]
NAMES = st.sampled_from(["ce_id", "ce_source", "ce_", "ce_idx", "", "ä"])
RECORDS = st.lists(
    st.tuples(
        st.none() | st.binary(max_size=200),
        st.none() | st.binary(max_size=200),
        st.lists(st.tuples(NAMES, st.none() | st.binary(max_size=200)), max_size=4),
    ),
    max_size=70,
)
CONTROL, TRANSACTIONAL, MAGIC_AT, CHECKED_FROM, CRC_AT, ATTRIBUTES_AT = 0x20, 0x10, 16, 21, 17, 22


def batch_of(records: Sequence[tuple[bytes | None, bytes | None, Headers]], codec: str = "none") -> bytes:
    """The records as aiokafka's producer batches them."""

    async def build() -> bytes:
        builder = BatchBuilder(10_000_000, CODECS[codec])
        for key, value, headers in records:
            builder.append(timestamp=1_700_000_000_000, key=key, value=value, headers=headers)
        return bytes(builder._build())

    return asyncio.run(build())


def at_offset(
    offset: int, *headers: tuple[str, bytes], producer: int = -1, attributes: int = 0
) -> bytes:
    """A batch of one record as it lies in the log."""
    builder = DefaultRecordBatchBuilder(2, 0, attributes & TRANSACTIONAL, producer, 0, 0, 1_000)
    builder.append(0, 1, b"key", b"value", list(headers))
    raw = bytearray(builder.build())
    raw[0:8] = offset.to_bytes(8, "big")
    raw[ATTRIBUTES_AT] |= attributes & CONTROL
    raw[CRC_AT:CHECKED_FROM] = calc_crc32c(bytes(raw[CHECKED_FROM:])).to_bytes(4, "big")
    return bytes(raw)


def visible(raw: bytes, aborted: Sequence[tuple[int, int]] = ()) -> dict[int, bool]:
    """Whether each batch may be seen, by the offset behind it."""
    return {offset: batch is not None for offset, batch in visible_batches(raw, aborted)}


def texts(packed: Packed) -> list[bytes]:
    """Each of them."""
    return [packed.one(row) for row in range(len(packed.starts))]


@settings(deadline=None)  # the first call compiles
@given(RECORDS, st.sampled_from(sorted(CODECS)), st.sampled_from([b"ce_id", b"ce_source", b""]))
def test_the_value_of_a_header_is_found_in_every_record(records, codec, name):
    """Whatever else is in a record, of any size, null or twice, in any codec."""
    ((_, batch),) = visible_batches(batch_of(records, codec), ())
    expected = [
        next((value or b"" for known, value in reversed(headers) if known.encode() == name), b"")
        for _, _, headers in records
    ]
    assert batch is not None
    assert batch.count == len(records)
    assert texts(header_values(joined([batch]).raw, batch.count, name)) == expected


@settings(deadline=None)  # the first call compiles
@given(RECORDS.filter(bool), st.data())
def test_records_that_are_cut_short_or_changed_are_an_error_and_nothing_else(records, data):
    """The checksum is looked at first; behind it, no byte outside the batch is read."""
    raw = batch_of(records)
    at = data.draw(st.integers(CRC_AT, len(raw) - 1))
    changed = raw[:at] + bytes([raw[at] ^ 1 << data.draw(st.integers(0, 7))]) + raw[at + 1 :]
    with pytest.raises(CorruptRecordException, match="offset 0"):
        list(visible_batches(changed, ()))
    ((_, batch),) = visible_batches(raw, ())
    whole = joined([batch])
    end = data.draw(st.integers(0, len(whole.raw) - 1))
    short = whole._replace(raw=whole.raw[:end].copy())
    for read in (lambda: header_values(short.raw, batch.count, b"ce_id"), lambda: locate_records(short)):
        with pytest.raises(ValueError, match="expected"):
            read()


def test_what_is_cut_off_at_the_end_of_an_answer_is_read_by_the_next():
    """A broker fills an answer up to its limit, in the midst of a batch."""
    whole = at_offset(3) + at_offset(9)
    for missing in range(1, len(at_offset(9)) + 1):
        assert visible(whole[:-missing]) == {4: True}
    assert visible(whole) == {4: True, 10: True}
    assert visible(b"") == {}


def test_aborted_transactions_and_markers_are_not_seen_and_are_passed():
    """By the broker's list, as every reader of committed records does; the marker of one ends it."""
    raw = b"".join([
        at_offset(0, producer=7, attributes=TRANSACTIONAL),
        at_offset(1, producer=8, attributes=TRANSACTIONAL),
        at_offset(2, producer=7, attributes=TRANSACTIONAL | CONTROL),
        at_offset(3, producer=7, attributes=TRANSACTIONAL),
        at_offset(4, producer=9),
    ])  # fmt: skip
    assert visible(raw, [(7, 0)]) == {1: False, 2: True, 3: False, 4: True, 5: True}
    assert visible(raw, [(8, 1), (7, 3)]) == {1: True, 2: False, 3: False, 4: False, 5: True}
    assert visible(raw) == {1: True, 2: True, 3: False, 4: True, 5: True}


def test_messages_older_than_headers_are_passed():
    """Topics of brokers before 0.11 are read past."""
    old = (5).to_bytes(8, "big") + (18).to_bytes(4, "big") + bytes(4) + b"\x01" + bytes(13)
    assert visible(old + at_offset(6)) == {6: False, 7: True}


def test_an_unknown_codec_is_named():
    """A codec of the future is no empty batch."""
    raw = bytearray(at_offset(0))
    raw[ATTRIBUTES_AT] |= 7
    raw[CRC_AT:CHECKED_FROM] = calc_crc32c(bytes(raw[CHECKED_FROM:])).to_bytes(4, "big")
    with pytest.raises(UnsupportedCodecError, match="number 7"):
        list(visible_batches(bytes(raw), ()))


def test_sizes_that_no_batch_has_are_an_error():
    """The size stands before the checksum: believed, it would lead back to the same place for ever."""
    for size, magic in ((-12, 1), (13, 1), (48, 2), (-1, 2)):
        raw = (7).to_bytes(8, "big") + size.to_bytes(4, "big", signed=True) + bytes(4) + bytes([magic]) + bytes(60)
        with pytest.raises(CorruptRecordException, match=f"offset 7: its size is {size}"):
            list(visible_batches(raw, ()))


def test_more_records_than_there_is_room_for_are_not_looked_for():
    """The count is the producer's word."""
    for count in (-1, 3, 2**31 - 1):
        with pytest.raises(ValueError, match=f"expected {count} records"):
            header_values(np.zeros(20, np.uint8), count, b"ce_id")


@settings(deadline=None)  # the first call compiles
@given(st.lists(st.text("ab:01", max_size=9).map(str.encode), max_size=30), st.integers(1, 3), st.integers(-1, 2))
def test_numbers_and_runs_are_those_of_a_split_by_colons(strings, colons, more):
    """Ids are taken apart in compiled code, and nothing else in them is looked at."""
    parts = [string.split(b":") for string in strings]
    most = range(colons + 1, colons + 3) if more < 0 else [colons + more + 1]
    numbers = [int(found[colons]) if len(found) in most and found[colons].isdigit() else -1 for found in parts]
    beginnings = [b":".join(found[:colons]) + b":" * (len(found) > colons) for found in parts]
    same = [at > 0 and beginnings[at] == beginnings[at - 1] for at in range(len(strings))]
    packed = pack(strings)
    assert numbers_after(packed, colons, more).tolist() == numbers
    assert like_the_one_before(packed, colons).tolist() == same
    whole = [at > 0 and strings[at] == strings[at - 1] for at in range(len(strings))]
    assert like_the_one_before(packed, 0).tolist() == whole
    assert numbers_after(packed, colons, more).dtype == np.int64
