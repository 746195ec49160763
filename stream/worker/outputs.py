"""Outputs to Kafka in pre-built batches, and what the output partitions already hold."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from schemas.topics import ALERTS, DEAD_LETTERS, SCORES
from scoring.partition import PartitionState
from scoring.prepared import Written
from scoring.publish import Output
from scoring.score_writer import ScoreBlock
from scoring.store.contract import Partition
from stream.kafka import client_arguments
from stream.settings import Settings
from stream.worker.batches import MOST_BATCH_BYTES, score_batches, single_batches
from stream.worker.clients import let_go

TOPICS = (SCORES, ALERTS, DEAD_LETTERS)
MOST_REQUEST_BYTES = 2 * 1024 * 1024
ACKNOWLEDGED_WITHIN_S = 30.0


def output_name(topic: str, index: int) -> str:
    """How an output partition is called in the state store: `risk-scores/3`."""
    return f"{topic}/{index}"


def make_producer(settings: Settings) -> AIOKafkaProducer:
    """An idempotent producer that waits for all replicas and adds no delay."""
    return AIOKafkaProducer(
        **client_arguments(settings),
        acks="all",
        enable_idempotence=True,
        linger_ms=0,
        max_batch_size=MOST_BATCH_BYTES,
        max_request_size=MOST_REQUEST_BYTES,
        compression_type=None if settings.compression == "none" else settings.compression,
        request_timeout_ms=int(ACKNOWLEDGED_WITHIN_S * 1000),
    )


Sent = list[tuple[TopicPartition, "asyncio.Future[Any]", int]]


async def send(
    producer: AIOKafkaProducer, outputs: Mapping[PartitionState, Written], compression: str
) -> Sent:
    """Hands the outputs over; an output goes to the partition with the number of its input partition.

    First one batch for every partition, then the second ones, and so on: what is handed over together travels in one
    request, and a partition takes its next batch only when the one before was sent.
    """
    scores: defaultdict[int, list[ScoreBlock]] = defaultdict(list)
    others: defaultdict[TopicPartition, list[Output]] = defaultdict(list)
    for state, written in outputs.items():  # input partitions of several topics share an output partition
        scores[state.partition.index] += written.scores
        for output in written.others:
            others[TopicPartition(output.topic, state.partition.index)].append(output)
    batches = {
        TopicPartition(SCORES, index): score_batches(blocks, compression) for index, blocks in scores.items()
    }
    batches |= {target: single_batches(producer, singles) for target, singles in others.items()}
    sent: Sent = []
    for turn in zip_longest(*batches.values()):
        for target, made in zip(batches, turn, strict=True):
            if made is not None:
                batch, count = made
                future = await producer.send_batch(batch, target.topic, partition=target.partition)
                sent.append((target, future, count))
    return sent


async def acknowledged(sent: Sent) -> dict[str, int]:
    """The next offset of every output partition once all is durable.

    Raises:
        aiokafka.errors.KafkaError: something was not acknowledged; what is out shows in the next scan.
        TimeoutError: no answer in time.
    """
    found: dict[str, int] = {}
    async with asyncio.timeout(ACKNOWLEDGED_WITHIN_S + 5):
        for target, future, count in sent:
            metadata = await future
            name = output_name(target.topic, target.partition)
            found[name] = max(found.get(name, 0), metadata.offset + count)
    return found


async def scan(settings: Settings, states: Sequence[PartitionState]) -> None:
    """Notes in every partition's `emitted` which of its outputs are there, from the offsets its lease keeps.

    Raises:
        aiokafka.errors.KafkaError: the broker cannot be reached.
    """
    by_partition = {state.partition: state for state in states}
    wanted: dict[TopicPartition, int] = {}
    for state in states:
        for topic in TOPICS:
            target = TopicPartition(topic, state.partition.index)
            kept = state.lease.outputs.get(output_name(topic, target.partition), 0)
            wanted[target] = min(wanted.get(target, kept), kept)
    consumer = AIOKafkaConsumer(
        **client_arguments(settings), enable_auto_commit=False, isolation_level="read_committed",
        max_poll_records=10_000,
    )  # fmt: skip
    try:
        await consumer.start()
        consumer.assign(list(wanted))
        ends = await consumer.end_offsets(list(wanted))
        begins = await consumer.beginning_offsets(list(wanted))
        open_targets = {}
        for target, offset in wanted.items():
            start = max(offset, begins[target])
            consumer.seek(target, start)
            if start < ends[target]:
                open_targets[target] = ends[target]
        while open_targets:
            for target, records in (await consumer.getmany(*open_targets, timeout_ms=500)).items():
                for record in records:
                    note_output(by_partition, target.topic, record.headers)
            for target in list(open_targets):
                if await consumer.position(target) >= open_targets[target]:
                    del open_targets[target]
    finally:
        await let_go(consumer)


def note_output(
    states: Mapping[Partition, PartitionState], topic: str, headers: Sequence[tuple[str, bytes]]
) -> None:
    """Notes one output record by its identity header; records of other partitions and producers are passed over."""
    identity = next((value.decode() for name, value in headers if name == "ce_id"), "")
    kind, scorer, source = parse_identity(topic, identity)
    if source is not None:
        partition, offset = source
        state = states.get(partition)
        if state is not None:
            state.emitted.add(kind, scorer, offset)


def parse_identity(topic: str, identity: str) -> tuple[str, str, tuple[Partition, int] | None]:
    """Kind, scorer and source of an output's identity; no source when it is not one of riskstream's.

    >>> parse_identity("risk-scores", "payment_anomaly:transactions:3:17:0011aabb")
    ('terminal', 'payment_anomaly', (Partition(topic='transactions', index=3), 17))
    >>> parse_identity("dead-letters", "dead:transactions:3:17")
    ('terminal', '', (Partition(topic='transactions', index=3), 17))
    """
    parts = identity.split(":")
    try:
        if topic == DEAD_LETTERS:
            _, name, index, offset, *scorer = parts
            return "terminal", scorer[0] if scorer else "", (Partition(name, int(index)), int(offset))
        kind = "alert" if topic == ALERTS else "terminal"
        scorer_name, name, index, offset, _ = parts[1:] if topic == ALERTS else parts
        return kind, scorer_name, (Partition(name, int(index)), int(offset))
    except ValueError:
        return "", "", None
