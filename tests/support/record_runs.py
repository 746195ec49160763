"""Records as they come over the wire: batches as a broker has them, and the run that is read from these."""

from collections.abc import Sequence

from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.util import calc_crc32c

from scoring.record_run import LOG_APPEND_TIME, InputRecord, RecordRun
from stream.worker.runs import runs_of, visible_from

CRC_AT, CHECKED_FROM, ATTRIBUTES_AT, APPEND_TIME = 17, 21, 22, 0x08


def batch_bytes(records: Sequence[InputRecord], codec: int = 0) -> bytes:
    """One batch of records whose times are of one type."""
    builder = DefaultRecordBatchBuilder(2, codec, False, -1, -1, -1, 10_000_000)
    first = records[0].offset
    for record in records:
        headers = [*getattr(record, "headers", ())]
        assert builder.append(record.offset - first, record.timestamp, record.key, record.value, headers)
    raw = bytearray(builder.build())
    raw[0:8] = first.to_bytes(8, "big")
    if records[0].timestamp_type == LOG_APPEND_TIME:
        raw[ATTRIBUTES_AT] |= APPEND_TIME
    raw[CRC_AT:CHECKED_FROM] = calc_crc32c(bytes(raw[CHECKED_FROM:])).to_bytes(4, "big")
    return bytes(raw)


def run_of(records: Sequence[InputRecord]) -> RecordRun:
    """The records, each read from a batch of its own."""
    return read_run(b"".join(batch_bytes([record]) for record in records))


def run_of_batch(records: Sequence[InputRecord]) -> RecordRun:
    """The records, all read from one batch."""
    return read_run(batch_bytes(records))


def read_run(raw: bytes, position: int = 0) -> RecordRun:
    """The records of batches from that offset on."""
    (run,) = runs_of([visible_from(raw, (), position)])
    return run
