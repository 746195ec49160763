"""What is read of the broker's batches in runs: the records that were written, whichever part of them is asked for."""

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.record_run import CREATE_TIME, LOG_APPEND_TIME, InputRecord, RecordRun, keys_of, values_of
from stream.worker.batches import CODECS
from stream.worker.record_batches import has_old_messages
from stream.worker.runs import runs_of, visible_from
from tests.support.record_runs import batch_bytes, read_run

NOW_MS = 1_700_000_000_000
TEXTS = st.none() | st.binary(max_size=20)


@dataclass
class Written:
    """A record as its producer has it."""

    offset: int = 0
    timestamp: int = NOW_MS
    timestamp_type: int = CREATE_TIME
    key: bytes | None = None
    value: bytes | None = None
    headers: list[tuple[str, bytes]] = field(default_factory=list)


RECORDS = st.builds(
    Written, offset=st.integers(1, 3), timestamp=st.integers(NOW_MS - 10_000, NOW_MS + 10_000), key=TEXTS, value=TEXTS,
    headers=st.lists(st.tuples(st.sampled_from(["a", "ä"]), st.binary(max_size=5)), max_size=2),
)  # fmt: skip
BATCHES = st.lists(
    st.tuples(
        st.lists(RECORDS, min_size=1, max_size=6), st.sampled_from(sorted(CODECS)), st.sampled_from([0, 1])
    ),
    max_size=4,
)


def written(batches: list[tuple[list[Written], str, int]]) -> tuple[bytes, list[Written]]:
    """The batches as they lie in the log, offsets with gaps, and what a reader is to find."""
    raw, expected, offset = b"", [], -1
    for records, codec, time_type in batches:
        newest = max(record.timestamp for record in records)
        for record in records:
            record.offset, record.timestamp_type = offset + record.offset, time_type
            offset = record.offset
        raw += batch_bytes(records, CODECS[codec])
        for record in records:
            record.timestamp = newest if time_type == LOG_APPEND_TIME else record.timestamp
        expected += records
    return raw, expected


def seen(record: InputRecord) -> tuple[object, ...]:
    """All of a record."""
    return (
        record.offset, record.timestamp, record.timestamp_type, record.key, record.value, list(record.headers),
    )  # fmt: skip


@settings(deadline=None)  # the first call compiles
@given(BATCHES, st.data())
def test_a_run_holds_the_records_that_were_written(batches, data):
    """In any codec, with either clock, from any offset on, cut and joined anywhere: one byte makes another event."""
    raw, expected = written(batches)
    position = data.draw(st.integers(0, len(expected) + 2))
    visible = visible_from(raw, (), position)
    (run,) = runs_of([visible])
    expected = [record for record in expected if record.offset >= position]
    assert [seen(record) for record in run] == [seen(record) for record in expected]
    assert visible.following == max([position, *(record.offset + 1 for record in expected)])
    cuts = sorted(data.draw(st.lists(st.integers(0, len(run)), max_size=3)))
    parts = [run[start:end] for start, end in zip([0, *cuts], [*cuts, len(run)], strict=True)]
    whole = RecordRun.joined(parts)
    assert [seen(record) for record in whole] == [seen(record) for record in expected]
    for packed, name in ((keys_of(whole), "key"), (values_of(whole), "value")):
        texts = [None if packed.starts[row] < 0 else packed.one(row) for row in range(len(whole))]
        assert texts == [getattr(record, name) for record in expected]


@settings(deadline=None)
@given(st.lists(BATCHES, min_size=2, max_size=4), st.data())
def test_answers_of_several_partitions_are_read_together_as_each_by_itself(partitions, data):
    """They lie one behind the other then: a record must not end up on another partition, nor lose a byte."""
    raws = [written(batches)[0] for batches in partitions]
    positions = [data.draw(st.integers(0, 8)) for _ in raws]
    runs = runs_of([visible_from(raw, (), position) for raw, position in zip(raws, positions, strict=True)])
    for raw, position, run in zip(raws, positions, runs, strict=True):
        assert [seen(record) for record in run] == [seen(record) for record in read_run(raw, position)]
    parts = [run[data.draw(st.integers(0, len(run))) :] for run in runs]  # some records of all that was fetched
    expected = [seen(record) for part in parts for record in part]
    assert [seen(record) for record in RecordRun.joined(parts)] == expected


def test_an_answer_that_cannot_be_read_does_not_hide_in_those_it_is_read_with():
    """Whose it is must be found out: the others go on, and this partition says what is wrong."""
    good, bad = (visible_from(batch_bytes([Written(key=b"k", value=b"v")]), (), 0) for _ in range(2))
    broken = replace(bad, batches=[replace(bad.batches[0], records=b"\x02" + bytes(3))])
    with pytest.raises(ValueError, match="expected"):
        runs_of([good, broken])
    with pytest.raises(ValueError, match="expected"):
        runs_of([broken])
    assert len(runs_of([good])[0]) == 1


def test_messages_of_old_formats_are_noticed():
    """They have another form, and are left to aiokafka; passed over they would be events that nobody scores."""
    old = (5).to_bytes(8, "big") + (18).to_bytes(4, "big") + bytes(4) + b"\x01" + bytes(13)
    new = batch_bytes([Written()])
    assert has_old_messages(old)
    assert has_old_messages(new + old)
    assert not has_old_messages(new + new)
    assert not has_old_messages(new + new[:30])
