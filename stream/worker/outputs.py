"""Outputs to Kafka in pre-built batches."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from itertools import zip_longest
from typing import Any

from aiokafka import AIOKafkaProducer, TopicPartition

from schemas.topics import ALERTS, DEAD_LETTERS, SCORES
from scoring.blocks import RecordBlock
from scoring.partition import PartitionState
from scoring.prepared import Written
from scoring.publish import Output
from stream.kafka import client_arguments
from stream.settings import Settings
from stream.worker.batches import MOST_BATCH_BYTES, block_batches, single_batches

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
    """Hands the outputs over; all but what is passed on goes to the partition with the number of its input partition.

    First one batch for every partition, then the second ones, and so on: what is handed over together travels in one
    request, and a partition takes its next batch only when the one before was sent.
    """
    blocks: defaultdict[TopicPartition, list[RecordBlock]] = defaultdict(list)
    others: defaultdict[TopicPartition, list[Output]] = defaultdict(list)
    for state, written in outputs.items():  # input partitions of several topics share an output partition
        for block in written.blocks:
            blocks[TopicPartition(block.topic, block.partition)].append(block)
        for output in written.others:
            others[TopicPartition(output.topic, state.partition.index)].append(output)
    batches = {target: block_batches(some, compression) for target, some in blocks.items()}
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


def covered_for(state: PartitionState, following: int, covered: Mapping[str, int]) -> dict[str, int]:
    """Of the output partitions that a poll has written to, those that hold outputs of this input partition.

    What is acknowledged lies behind everything that this partition wrote before, in whichever of them. None of them while
    there are outputs of records yet to be committed: they lie before what another partition has just written to the same
    place, and a worker that took over then would not look for them. The simulation found that.

    Args:
        following: the offset that the commit brings the partition to.
    """
    if following <= state.emitted.highest:
        return {}
    passed_on = tuple(f"{passing.to.topic}/" for passing in state.passes_on)
    own = tuple(output_name(topic, state.partition.index) for topic in TOPICS)
    return {name: offset for name, offset in covered.items() if name in own or name.startswith(passed_on)}
