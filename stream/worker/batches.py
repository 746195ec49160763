"""Outputs as closed batches for the producer: blocks by compiled code, the few others one by one."""

from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
from aiokafka import AIOKafkaProducer
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.default_records import DefaultRecordBase
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy as PythonBatchBuilder

from schemas.cloudevents import Kind, headers
from scoring.blocks import RecordBlock
from scoring.clock import now_ms
from scoring.publish import Output
from scoring.wire.kafka_records import Records, around, most_bytes, write_records
from scoring.wire.packed import Bytes

MOST_BATCH_BYTES = 1_000_000
"""What Kafka takes as it is shipped (max.message.bytes 1,048,588). Each batch of a partition is one round trip."""

HEADER_BYTES = DefaultRecordBase.HEADER_STRUCT.size
CODECS = {
    "none": DefaultRecordBase.CODEC_NONE,
    "snappy": DefaultRecordBase.CODEC_SNAPPY,
    "lz4": DefaultRecordBase.CODEC_LZ4,
    "zstd": DefaultRecordBase.CODEC_ZSTD,
}
Batches = Iterator[tuple[BatchBuilder, int]]


class WrittenBatch(BatchBuilder):  # type: ignore[misc]  # aiokafka is not followed
    """A closed batch of records that are written already; aiokafka adds the header, and compresses.

    Its builder in Python is used, because that in C takes records one by one only. A test holds the bytes of the two
    against each other.

    Args:
        buffer: room for the header, then the records.
        count: how many.
        codec: of `CODECS`, by number.
    """

    def __init__(self, buffer: bytearray, count: int, codec: int) -> None:
        super().__init__(0, codec)
        builder = PythonBatchBuilder(2, codec, 0, -1, -1, 0, len(buffer))
        builder._buffer, builder._num_records, builder._last_offset = buffer, count, count - 1
        builder._first_timestamp = builder._max_timestamp = now_ms()
        self._builder, self._relative_offset = builder, count
        self.close()

    def _set_producer_state(self, producer_id: int, producer_epoch: int, base_sequence: int) -> None:
        self._builder.set_producer_state(producer_id, producer_epoch, base_sequence)


def block_batches(blocks: Sequence[RecordBlock], compression: str, most: int = MOST_BATCH_BYTES) -> Batches:
    """The records in batches of at most `most` bytes before compression, made when asked for, with their number.

    Raises:
        ValueError: one record is larger than a batch may be.
    """
    waiting = [_records_of(block) for block in blocks]
    while waiting:
        room = HEADER_BYTES + sum(most_bytes(records, first) for records, first in waiting)
        buffer = bytearray(min(room, most))
        out, at, count = np.frombuffer(buffer, np.uint8), HEADER_BYTES, 0
        while waiting:
            records, first = waiting[0]
            following, at = write_records(records, first, out, at, count)
            count += following - first
            if following < len(records.key_of):
                waiting[0] = (records, following)
                break
            del waiting[0]
        if not count:
            raise ValueError(f"expected records of at most {most} bytes, was one larger")
        del out  # the buffer cannot be cut while an array looks at it
        del buffer[at:]
        yield WrittenBatch(buffer, count, CODECS[compression]), count


def single_batches(producer: AIOKafkaProducer, outputs: Sequence[Output]) -> Batches:
    """The outputs in closed batches of at most the producer's size, made when asked for, with their number."""
    batch, count = producer.create_batch(), 0
    for output in outputs:
        headers = output.headers
        if batch.append(key=output.key, value=output.value, timestamp=None, headers=headers) is None:
            batch.close()
            yield batch, count
            batch, count = producer.create_batch(), 0
            batch.append(key=output.key, value=output.value, timestamp=None, headers=headers)
        count += 1
    batch.close()
    yield batch, count


def _records_of(block: RecordBlock) -> tuple[Records, int]:
    before, after = _headers_around(block.kind, block.origin)
    return Records(block.keys, block.key_of, block.values, block.identities, before, after), 0


@lru_cache(maxsize=4_096)
def _headers_around(kind: Kind, origin: str) -> tuple[Bytes, Bytes]:
    return around(headers(kind, "", origin), "ce_id")
