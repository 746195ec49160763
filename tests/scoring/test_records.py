"""Records into chunks: cut by entities and boundaries, refused by key and time."""

from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.codec import LARGEST_VALUE, EventDecoder
from schemas.dead_letter import Reason
from schemas.events.tick import EVENT
from scoring.murmur2 import partition_of
from scoring.record_run import LOG_APPEND_TIME
from scoring.records import RecordReader
from tests.support.batch_contents import contents
from tests.support.record_runs import run_of

NOW_MS = 1_700_000_000_000


@dataclass
class Record:
    """A consumed record."""

    offset: int
    value: bytes | None
    key: bytes | None
    timestamp: int = NOW_MS
    timestamp_type: int = LOG_APPEND_TIME


def tick(offset: int, symbol: str = "A", *, at_ms: int = NOW_MS, **changed) -> Record:
    value = f'{{"event_id":"{offset}","occurred_at_ms":{at_ms},"symbol":"{symbol}","price":1.5}}'.encode()
    return Record(offset, value, changed.pop("key", symbol.encode()), **changed)


def reader(key_check: str = "key", partition: int = 0) -> RecordReader:
    return RecordReader(EventDecoder(EVENT), partition, 4, key_check, skew_ms=60_000)


def only_reason(records, **named) -> Reason:
    (chunk,) = reader(**named).chunks(records, most_entities=10)
    (letter,) = chunk.letters
    return letter.refused.reason


def test_chunks_hold_no_more_entities_than_one_commit_can_take():
    """Redis is stalled by long scripts: a poll is cut, and each cut has its own offset."""
    chunks = reader().chunks([tick(n, f"S{n % 5}") for n in range(10)], most_entities=2)
    assert [chunk.next_offset for chunk in chunks] == [2, 4, 6, 8, 10]
    assert [len(chunk.records) for chunk in chunks] == [2, 2, 2, 2, 2]


def test_chunks_end_at_boundaries_even_where_offsets_have_gaps():
    """A new activation counts from its offset on; compaction and markers leave gaps."""
    chunks = reader().chunks([tick(n) for n in (0, 1, 5, 6, 9)], most_entities=10, boundaries=[3, 4, 6, 20])
    assert [chunk.offsets for chunk in chunks] == [[0, 1], [5], [6, 9]]


def test_refused_records_travel_with_the_chunk_they_lie_in():
    """Their dead letters are committed with their neighbours' scores."""
    (chunk,) = reader().chunks([tick(0), Record(1, b"{", b"A"), tick(2)], most_entities=10)
    assert chunk.offsets == [0, 2]
    assert [letter.record.offset for letter in chunk.letters] == [1]
    assert chunk.next_offset == 3


def test_an_event_of_the_far_future_is_refused_only_by_the_brokers_clock():
    """A producer's own stamp proves nothing."""
    future = NOW_MS + 60_001
    assert only_reason([tick(0, at_ms=future)]) is Reason.FAR_FUTURE
    (chunk,) = reader().chunks([tick(0, at_ms=future, timestamp_type=0)], most_entities=10)
    assert not chunk.letters


@pytest.mark.parametrize(
    ("record", "reason"),
    [(tick(0, key=None), Reason.NO_KEY), (tick(0, key=b"B"), Reason.KEY_MISMATCH)],
)
def test_a_key_that_does_not_belong_to_the_event_is_refused(record, reason):
    """State is kept by partition, and the key decides the partition."""
    assert only_reason([record]) is reason


def test_a_key_in_another_partition_than_murmur2_says_is_refused():
    """An entity in two partitions would have two halves of a history."""
    home = partition_of(b"A", 4)
    (chunk,) = reader("murmur2", home).chunks([tick(0)], most_entities=10)
    assert not chunk.letters
    assert only_reason([tick(0)], key_check="murmur2", partition=(home + 1) % 4) is Reason.WRONG_PARTITION


def test_without_a_key_check_anything_goes():
    """For topics that are keyed otherwise and have one partition."""
    (chunk,) = reader("none").chunks([tick(0, key=None)], most_entities=10)
    assert len(chunk.batch(EVENT)) == 1


GOOD = st.builds(tick, st.just(0), st.sampled_from(["A", "B", "C", "D"]))
BAD = st.sampled_from(
    [
        Record(0, None, b"A"),
        Record(0, b"", b"A"),
        Record(0, b"{", b"A"),
        tick(0, key=None),
        tick(0, key=b"B"),
        tick(0, at_ms=NOW_MS + 60_001),
        tick(0, at_ms=NOW_MS // 1000),
        tick(0, at_ms=10_000_000_000_000),
        Record(0, b" " * LARGEST_VALUE + (tick(0).value or b""), b"A"),
        Record(0, (tick(0).value or b"")[:-1] + b',"new":1}', b"A"),
    ]
)
"""Refused, or with a field nobody knows."""


@settings(deadline=None)  # the first call compiles
@given(
    records=st.lists(GOOD, max_size=12) | st.lists(GOOD | BAD, max_size=12),
    gaps=st.lists(st.integers(1, 3), min_size=12, max_size=12),
    most_entities=st.integers(1, 4),
    boundaries=st.lists(st.integers(0, 40), max_size=3),
)
def test_records_read_all_at_once_and_one_by_one_come_to_the_same(records, gaps, most_entities, boundaries):
    """The quick way is taken only where it makes no difference; every record lands in exactly one chunk, in order."""
    offsets = [sum(gaps[:place]) for place in range(len(records))]
    records = [replace(record, offset=offset) for record, offset in zip(records, offsets, strict=True)]
    one_by_one, as_structs = reader(), reader()
    as_run = run_of(records)
    one_by_one.decoder.decode_all = lambda raws: None
    one_by_one.usual = as_structs.usual = lambda records: None
    quick, from_run, run_one_by_one, all_at_once, slow = (
        [
            (contents(chunk.batch(EVENT)), chunk.offsets, chunk.next_offset,
             [(letter.record.offset, letter.refused.reason, letter.refused.path) for letter in chunk.letters])
            for chunk in (made.chunks(given, most_entities=most_entities, boundaries=boundaries) if records else [])
        ]
        for made, given in (
            (reader(), records), (reader(), as_run), (one_by_one, as_run), (as_structs, records), (one_by_one, records)
        )
    )  # fmt: skip
    assert quick == from_run == run_one_by_one == all_at_once == slow
    found = [sorted([*offsets, *(offset for offset, _, _ in letters)]) for _, offsets, _, letters in quick]
    assert [offset for chunk in found for offset in chunk] == offsets
    for batch, _, _, letters in quick:
        assert len(batch["entities"]) <= most_entities
        assert len(letters) <= most_entities
    for boundary in boundaries:
        assert not any(chunk[0] < boundary <= chunk[-1] for chunk in found)
