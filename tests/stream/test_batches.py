"""Batches of scores on the wire: what aiokafka would have written, and what its reader finds."""

import asyncio

import numpy as np
import pytest
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.cloudevents import source_of
from scoring.blocks import RecordBlock
from scoring.wire.packed import pack
from stream.worker import batches
from stream.worker.batches import CODECS, block_batches

NOW_MS = 1_700_000_000_000
TEXT = st.text().map(str.encode)
ORIGIN = source_of("tests", "transactions", 3)


def block_of(scores: list[tuple[bytes, bytes, bytes]], origin: str = ORIGIN) -> RecordBlock:
    """A block of scores, each an identity, a key and a value."""
    keys = list(dict.fromkeys(key for _, key, _ in scores))
    return RecordBlock(
        topic="risk-scores", partition=3, kind="score", origin=origin,
        identities=pack([identity for identity, _, _ in scores]),
        values=pack([value for _, _, value in scores]),
        keys=pack(keys),
        key_of=np.array([keys.index(key) for _, key, _ in scores], np.int64),
    )


def some(count: int, size: int = 40) -> list[tuple[bytes, bytes, bytes]]:
    """Scores of which two in a row have the same key."""
    return [(b"s%d" % n, b"k%d" % (n // 2), bytes([65 + n % 26]) * (size + n)) for n in range(count)]


def appended(blocks: list[RecordBlock], compression: str) -> bytes:
    """The batch that aiokafka makes of the same records."""

    async def build() -> bytes:
        batch = BatchBuilder(10_000_000, CODECS[compression])
        for output in (output for block in blocks for output in block.outputs()):
            batch.append(timestamp=NOW_MS, key=output.key, value=output.value, headers=output.headers)
        batch._set_producer_state(7, 1, 40)
        return bytes(batch._build())

    return asyncio.run(build())


def records_in(raw: bytes):
    """The records of batches, as aiokafka's consumer reads them; the checksums are looked at."""
    memory, found = MemoryRecords(raw), []
    while memory.has_next():
        batch = memory.next_batch()
        assert batch.validate_crc()
        found += [(record.offset, record.key, record.value, record.headers) for record in batch]
    return found


@pytest.fixture(autouse=True)
def fixed_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches carry the time at which they were made."""
    monkeypatch.setattr(batches, "now_ms", lambda: NOW_MS)


@pytest.mark.parametrize("compression", ["none", "snappy", "lz4", "zstd"])
@pytest.mark.parametrize("count", [1, 63, 64, 200])
def test_a_batch_is_byte_for_byte_what_aiokafka_makes_of_the_same_records(compression, count):
    """Its own encoder is the reference; 64 is where an offset takes a second byte."""
    blocks = [block_of(some(count)), block_of(some(3, 9_000), source_of("tests", "market-ticks", 3))]
    ((batch, number),) = block_batches(blocks, compression)
    batch._set_producer_state(7, 1, 40)
    assert number == batch.record_count() == count + 3
    assert bytes(batch._build()) == appended(blocks, compression)


@settings(deadline=None)  # the first example compiles the kernel
@given(st.lists(st.tuples(TEXT, st.binary(), st.binary(max_size=300)), min_size=1, max_size=30))
def test_whatever_is_written_is_read_back(scores):
    """Empty keys and values included."""
    block = block_of(scores)
    ((batch, _),) = block_batches([block], "none")
    expected = [
        (place, output.key, output.value, output.headers) for place, output in enumerate(block.outputs())
    ]
    assert [
        (at, key, value, list(headers)) for at, key, value, headers in records_in(bytes(batch._build()))
    ] == expected


def test_more_than_a_batch_holds_goes_on_in_the_next_in_order():
    """A poll of large scores takes several batches; nothing may be lost or doubled where one ends."""
    scores = [some(50), some(1), some(70, 100)]
    made = list(block_batches([block_of(part) for part in scores], "none", most=2_000))
    assert len(made) > 3
    assert all(batch.size() <= 2_000 and batch.closed() for batch, _ in made)
    read = [records_in(bytes(batch._build())) for batch, _ in made]
    assert [len(records) for records in read] == [count for _, count in made]
    assert [(key, value) for records in read for _, key, value, _ in records] == [
        (key, value) for part in scores for _, key, value in part
    ]


def test_a_score_larger_than_a_batch_is_refused_by_name():
    """It cannot be sent; an endless loop would look like a slow broker."""
    with pytest.raises(ValueError, match="at most 1000 bytes"):
        list(block_batches([block_of(some(2, 1_000))], "none", most=1_000))
