"""Whole batches of a real broker: what another client reads of the same topic, and nothing else."""

import uuid
from collections.abc import Sequence

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from confluent_kafka import Producer

from scoring.wire.read_records import header_values
from stream.worker.record_batches import read_batches
from tests.support.independent_reader import Reader
from tests.support.services import make_topic

PARTITIONS = 3
RECORDS = 3_000


def write(bootstrap: str, topic: str, count: int, *, codec: str, end: str = "", at: Sequence[int] = (0, 1, 2)) -> None:
    """Records of which each is named by a header; in one transaction that is committed or aborted when `end` says so."""
    settings = {"bootstrap.servers": bootstrap, "compression.type": codec, "linger.ms": 5, "log_level": 0}
    producer = Producer(settings | ({"transactional.id": uuid.uuid4().hex} if end else {}))
    if end:
        producer.init_transactions(15)
        producer.begin_transaction()
    for number in range(count):
        headers = [("other", None), ("ce_id", f"{codec}-{end}-{number}".encode())]
        producer.produce(topic, f"value {number}" * 20, f"K{number}", at[number % len(at)], headers=headers)
    if not end:
        assert producer.flush(15) == 0
    elif end == "commit":
        producer.commit_transaction(15)
    else:
        producer.flush(15)
        producer.abort_transaction(15)


async def identities(settings, spans: dict[TopicPartition, tuple[int, int]]) -> dict[int, list[bytes]]:
    """Names of the records by partition, as read in batches."""
    found: dict[int, list[bytes]] = {target.partition: [] for target in spans}
    async for target, batches in read_batches(settings, spans):
        named = header_values(batches.raw, int(batches.counts.sum()), b"ce_id")
        found[target.partition] += [named.one(row) for row in range(len(named.starts))]
    return found


async def test_batches_of_every_codec_and_of_transactions_are_what_another_client_reads(services, settings):
    """Who takes over looks for its outputs in them: one that is not seen is written twice."""
    topic = f"batches-{uuid.uuid4().hex}"
    await make_topic(services, topic, partitions=PARTITIONS)
    for codec in ("none", "gzip", "snappy", "lz4", "zstd"):
        write(services.kafka_bootstrap, topic, RECORDS, codec=codec)
    write(services.kafka_bootstrap, topic, 40, codec="none", end="abort")
    write(services.kafka_bootstrap, topic, 40, codec="none", end="commit")
    write(services.kafka_bootstrap, topic, 40, codec="lz4", end="abort", at=[0])
    with Reader(services.kafka_bootstrap) as reader:
        ends = reader.marks(topic)
        expected: dict[int, list[bytes]] = {}
        for record in reader.read(topic):
            expected.setdefault(record.partition, []).append(dict(record.headers)["ce_id"])
    assert sum(map(len, expected.values())) == 5 * RECORDS + 40
    whole = {TopicPartition(topic, index): (0, end) for index, end in ends.items()}
    assert await identities(settings, whole) == expected
    late = await identities(settings, {TopicPartition(topic, 1): (ends[1] - 60, ends[1])})
    assert 20 <= len(late[1]) < len(expected[1])
    assert late[1] == expected[1][-len(late[1]) :]
    assert await identities(settings, {TopicPartition(topic, 2): (ends[2], ends[2])}) == {2: []}


async def test_what_the_broker_does_not_have_is_an_error(services, settings):
    """The keeper waits and tries again; reading on as if there were nothing would write outputs twice."""
    topic = f"batches-{uuid.uuid4().hex}"
    await make_topic(services, topic, partitions=1)
    with pytest.raises(KafkaError, match="OffsetOutOfRange"):
        await identities(settings, {TopicPartition(topic, 0): (500, 900)})
    with pytest.raises(KafkaError):
        await identities(settings, {TopicPartition(f"{topic}-not-there", 0): (0, 9)})
