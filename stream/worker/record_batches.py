"""Record batches of partitions as the broker has them: fetched and unpacked whole, without an object per record.

For whoever looks through many records for little: aiokafka's consumer takes some 4 us to make one record of a large
batch, what is looked for is found there in 1 us.
"""

import asyncio
import struct
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from aiokafka import TopicPartition
from aiokafka import codec as codecs
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import (
    CorruptRecordException,
    KafkaError,
    LeaderNotAvailableError,
    RequestTimedOutError,
    UnsupportedCodecError,
    for_code,
)
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.record.default_records import DefaultRecordBase as Layout
from aiokafka.record.util import calc_crc32c

from scoring.wire.read_records import Batches
from stream.kafka import client_arguments
from stream.settings import Settings
from stream.worker.clients import ended

READ_COMMITTED = 1
MOST_WAIT_MS = 500
PARTITION_BYTES = 1024 * 1024
ANSWER_BYTES = 4 * PARTITION_BYTES
NEWEST_MAGIC = 2
_BEGINNING = struct.Struct(">qiib")
_BEFORE_SIZE_COUNTS = struct.calcsize(">qi")
LEAST_SIZE = Layout.HEADER_STRUCT.size - _BEFORE_SIZE_COUNTS
LEAST_OLD_SIZE = struct.calcsize(">Ibbii")
"""Checksum, version, attributes, and no key and no value."""

NO_APPEND_TIME = -1
MOST_STALLED, STALLED_WAIT_S = 20, 0.2
_DECODERS = {
    Layout.CODEC_GZIP: codecs.gzip_decode,
    Layout.CODEC_SNAPPY: codecs.snappy_decode,
    Layout.CODEC_LZ4: codecs.lz4_decode,
    Layout.CODEC_ZSTD: codecs.zstd_decode,
}


@dataclass(frozen=True, eq=False)
class RecordBatch:
    """Records one behind the other.

    Attributes:
        offset, next_offset: of the first record, and of the one behind the last.
        count: how many records.
        time: of the first record, in ms.
        append_time: the broker's, in ms, where it stands for that of all records; -1 where it does not.
        records: unpacked, without the batch's header.
    """

    offset: int
    next_offset: int
    count: int
    time: int
    append_time: int
    records: bytes | memoryview


async def read_batches(
    settings: Settings, wanted: Mapping[TopicPartition, tuple[int, int]]
) -> AsyncIterator[tuple[TopicPartition, Batches]]:
    """What is committed of each partition, from one offset to another, an answer's batches of a partition together.

    The first may begin before the offset, the last one end behind the other: batches are whole. Messages of formats
    before 0.11, which have no headers, are left out. A change of leaders is waited for.

    Raises:
        aiokafka.errors.KafkaError: the broker cannot be reached, or has not what was asked for.
        CorruptRecordException: what it has cannot be read; the text says where.
    """
    position = {target: start for target, (start, end) in wanted.items() if start < end}
    if not position:
        return
    client = AIOKafkaClient(**client_arguments(settings))
    try:
        await client.bootstrap()
        await client.set_topics({target.topic for target in position})
        stalled = 0
        while position:
            before = dict(position)
            for target, aborted, raw in await _answers(client, position, patient=stalled < MOST_STALLED):
                batches = []
                for next_offset, batch in _unpacked_at(target, position[target], raw, aborted):
                    position[target] = max(position[target], next_offset)
                    if batch is not None:
                        batches.append(batch)
                if batches:
                    yield target, joined(batches)
                if position[target] >= wanted[target][1]:
                    del position[target]
                await asyncio.sleep(0)
            stalled = stalled + 1 if position == before else 0
            if stalled > MOST_STALLED:
                raise RequestTimedOutError(f"{len(position)} partitions have records and give none")
            if stalled:
                await asyncio.sleep(STALLED_WAIT_S)
    finally:
        await ended(client.close())


async def _answers(
    client: AIOKafkaClient, position: Mapping[TopicPartition, int], *, patient: bool
) -> list[tuple[TopicPartition, Sequence[tuple[int, int]], bytes]]:
    """What the leaders give; nothing while one of them is away, which is an error for who is not patient."""
    try:
        requests = list(_requests(client, position))
        answers = await asyncio.gather(*(client.send(leader, request) for leader, request in requests))
        return [part for answer in answers for part in _parts(answer)]
    except KafkaError as error:
        if not (patient and error.retriable):
            raise
        await asyncio.wait([client.force_metadata_update()], timeout=STALLED_WAIT_S)
        return []


def _unpacked_at(
    target: TopicPartition, offset: int, raw: bytes, aborted: Sequence[tuple[int, int]]
) -> list[tuple[int, RecordBatch | None]]:
    try:
        return list(visible_batches(raw, aborted))
    except Exception as error:  # of five codecs, each with errors of its own
        where = f"{target.topic} {target.partition} from offset {offset}"
        raise CorruptRecordException(f"{where}: {type(error).__name__}: {error}") from error


def joined(batches: Sequence[RecordBatch]) -> Batches:
    """The batches one behind the other, for compiled code."""
    # of a bytearray the array may be written: one type of array for the kernels, which are compiled by type
    raw = np.frombuffer(bytearray().join(batch.records for batch in batches) or bytearray(1), np.uint8)
    sizes = np.array([len(batch.records) for batch in batches], np.int64)
    told = [(batch.count, batch.offset, batch.time, batch.append_time) for batch in batches]
    counts, offsets, times, append_times = np.array(told, np.int64).reshape(-1, 4).T.copy()
    return Batches(raw, np.cumsum(sizes) - sizes, counts, offsets, times, append_times)


def visible_batches(
    raw: bytes, aborted: Sequence[tuple[int, int]]
) -> Iterator[tuple[int, RecordBatch | None]]:
    """The whole batches of an answer by the offset behind them; None for one that nobody may see, or without headers.

    Args:
        raw: batches one behind the other; the last one may be cut short.
        aborted: producer and first offset of the aborted transactions in them.

    Raises:
        CorruptRecordException: bytes were changed on their way.
    """
    waiting = sorted(aborted, key=lambda transaction: transaction[1])
    aborting: set[int] = set()
    whole, at = memoryview(raw), 0
    while at + _BEGINNING.size <= len(raw):
        base, size, _, magic = _BEGINNING.unpack_from(raw, at)
        if size < (LEAST_SIZE if magic >= NEWEST_MAGIC else LEAST_OLD_SIZE):
            raise CorruptRecordException(f"batch at offset {base}: its size is {size}")
        start, at = at, at + _BEFORE_SIZE_COUNTS + size
        if at > len(raw):
            return
        if magic < NEWEST_MAGIC:
            yield base + 1, None
            continue
        header = Layout.HEADER_STRUCT.unpack_from(raw, start)
        _, _, _, _, crc, attributes, last, time, newest, producer, _, _, count = header
        if calc_crc32c(whole[start + Layout.ATTRIBUTES_OFFSET : at]) != crc:
            raise CorruptRecordException(f"batch at offset {base}: its checksum is another")
        while waiting and waiting[0][1] <= base:
            aborting.add(waiting.pop(0)[0])
        next_offset, batch = base + last + 1, None
        if attributes & Layout.CONTROL_MASK:
            aborting.discard(producer)  # the first marker behind an aborted transaction is its own
        elif not (attributes & Layout.TRANSACTIONAL_MASK and producer in aborting):
            packed = whole[start + Layout.HEADER_STRUCT.size : at] if count else b""
            codec = attributes & Layout.CODEC_MASK if count else Layout.CODEC_NONE  # compaction empties batches
            append_time = newest if attributes & Layout.TIMESTAMP_TYPE_MASK else NO_APPEND_TIME
            batch = RecordBatch(base, next_offset, count, time, append_time, _unpacked(packed, codec))
        yield next_offset, batch


def has_old_messages(raw: bytes) -> bool:
    """Whether there are messages of formats before 0.11 among an answer's batches."""
    at = 0
    while at + _BEGINNING.size <= len(raw):
        _, size, _, magic = _BEGINNING.unpack_from(raw, at)
        if magic < NEWEST_MAGIC:
            return True
        if size < LEAST_SIZE:
            return False  # whoever reads them says so
        at += _BEFORE_SIZE_COUNTS + size
    return False


def _unpacked(packed: bytes | memoryview, codec: int) -> bytes | memoryview:
    if codec == Layout.CODEC_NONE:
        return packed
    if codec not in _DECODERS:
        raise UnsupportedCodecError(f"expected a batch in one of {1 + len(_DECODERS)} codecs, was number {codec}")
    unpacked: bytes = _DECODERS[codec](bytes(packed))
    return unpacked


def _requests(
    client: AIOKafkaClient, position: Mapping[TopicPartition, int]
) -> Iterator[tuple[int, FetchRequest]]:
    by_leader: dict[int, dict[str, list[tuple[int, int, int]]]] = {}
    for target, offset in position.items():
        leader = client.cluster.leader_for_partition(target)
        if leader is None or leader < 0:
            raise LeaderNotAvailableError(f"{target.topic} {target.partition} has no leader")
        topics = by_leader.setdefault(leader, {})
        topics.setdefault(target.topic, []).append((target.partition, offset, PARTITION_BYTES))
    for leader, topics in by_leader.items():
        yield leader, FetchRequest(MOST_WAIT_MS, 1, ANSWER_BYTES, READ_COMMITTED, list(topics.items()))


def _parts(answer: Any) -> Iterator[tuple[TopicPartition, Sequence[tuple[int, int]], bytes]]:
    if getattr(answer, "error_code", 0):  # of versions from 7 on, and then there are no partitions
        raise for_code(answer.error_code)()
    for target, error_code, aborted, raw in parts_of(answer):
        if error_code:
            raise for_code(error_code)(f"partition {target.topic}-{target.partition}")
        yield target, aborted, raw


def parts_of(answer: Any) -> Iterator[tuple[TopicPartition, int, Sequence[tuple[int, int]], bytes]]:
    """Of each partition in the answer to a fetch: the error's number, the aborted transactions, the batches."""
    aborted_at = 5 if answer.API_VERSION > 4 else 4  # later versions tell where the log begins as well
    for topic, parts in answer.topics:
        for index, error_code, *told in parts:
            yield TopicPartition(topic, index), error_code, told[aborted_at - 2] or (), told[-1] or b""
