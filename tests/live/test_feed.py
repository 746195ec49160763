"""A file goes into a real Kafka and comes out as another client expects it."""

import asyncio
import json

import polars as pl
import pytest
from confluent_kafka import Consumer, TopicPartition

from schemas.events import transaction
from scoring.files.mapping import IDENTITY
from scoring.murmur2 import partitions_of
from stream.errors import JobFailed
from stream.feed.records import encode
from stream.feed.run import Order, feed
from stream.settings import load
from stream.topics import DEFAULT_PARTITIONS
from tests.support.services import make_topic

COUNT = 30_000
T0 = 1_600_000_000_000


@pytest.fixture(scope="module")
def payments(tmp_path_factory) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "event_id": [f"e{i}" for i in range(COUNT)],
            "occurred_at_ms": [T0 + 10 * i for i in range(COUNT)],
            "account_id": [f"conto-é-{i % 997}" for i in range(COUNT)],
            "amount": [float("nan") if i % 1_000 == 7 else i / 100 for i in range(COUNT)],
        }
    )


def read_all(bootstrap: str, topic: str, partitions: int) -> dict[int, list[tuple[bytes, bytes]]]:
    """Key and value of every record by partition, read by a client of another make."""
    consumer = Consumer(
        {"bootstrap.servers": bootstrap, "group.id": "reader", "isolation.level": "read_committed"}
    )
    found: dict[int, list[tuple[bytes, bytes]]] = {}
    try:
        for partition in range(partitions):
            _, end = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=10)
            consumer.assign([TopicPartition(topic, partition, 0)])
            records = found[partition] = []
            while len(records) < end:
                records += [
                    (each.key(), each.value()) for each in consumer.consume(end - len(records), timeout=5)
                ]
    finally:
        consumer.close()
    return found


async def test_every_event_arrives_once_with_its_key_partition_and_bytes(
    services, settings, payments, tmp_path
):
    """The whole promise of feed, seen by an independent reader."""
    file = tmp_path / "payments.parquet"
    payments.write_parquet(file)
    topic = await make_topic(services, partitions=3)
    refused = []
    order = Order(topic, (file,), IDENTITY, transaction.EVENT, chunk_rows=7_000)
    progress = await feed(settings, order, on_refused=refused.extend)

    good = payments.filter(pl.col("amount").is_finite())
    assert (progress.events, progress.refused) == (good.height, COUNT - good.height)
    assert progress.refused_by_rule == {"NOT_FINITE": 30}
    assert [row.row for row in refused] == list(range(7, COUNT, 1_000))

    keys = [key.encode() for key in good["account_id"]]
    expected: dict[int, list[tuple[bytes, bytes]]] = {0: [], 1: [], 2: []}
    for key, value, partition in zip(keys, encode(good), partitions_of(keys, 3).tolist(), strict=True):
        expected[partition].append((key, value))
    assert await asyncio.to_thread(read_all, services.kafka_bootstrap, topic, 3) == expected


async def test_paced_events_come_no_earlier_than_their_time(services, settings, payments, tmp_path):
    """At 100 times, half a minute of event time takes a third of a second and no less."""
    file = tmp_path / "payments.parquet"
    payments.head(3_000).fill_nan(1.0).write_parquet(file)
    topic = await make_topic(services, partitions=2)
    progress = await feed(settings, Order(topic, (file,), IDENTITY, transaction.EVENT, speed=100.0))
    assert progress.events == 3_000
    assert progress.seconds >= 29.99 / 100


async def test_labels_go_to_their_topic_when_they_are_known(services, settings, payments, tmp_path):
    """At 100 times: events of 10 s take 0.1 s, and the labels are known half a minute later, 0.3 s."""
    file = tmp_path / "payments.parquet"
    some = payments.head(1_000).with_columns(fraud=pl.int_range(1_000) % 7 == 0)
    some = some.with_columns(fraud=pl.when(pl.int_range(1_000) % 10 != 3).then(pl.col("fraud").cast(pl.Int8)))
    some.write_parquet(file)
    topic = await make_topic(services, partitions=2)
    mapping = IDENTITY.with_options(["label=fraud", "label_delay=30s"])
    order = Order(topic, (file,), mapping, transaction.EVENT, speed=100.0, labels=True, chunk_rows=300)
    progress = await feed(settings, order)
    assert (progress.events, progress.refused) == (999, 1)
    assert (progress.labels, progress.labels_unknown, progress.labels_refused) == (899, 100, 0)
    assert progress.seconds >= (9.99 + 30) / 100
    found = await asyncio.to_thread(read_all, services.kafka_bootstrap, "labels", DEFAULT_PARTITIONS)
    known = {each["event_id"]: each for each in some.to_dicts() if each["fraud"] is not None}
    del known["e7"]  # its event is refused
    for partition, records in found.items():
        keys = [key for key, _ in records]
        assert partitions_of(keys, DEFAULT_PARTITIONS).tolist() == [partition] * len(keys)
        said = [json.loads(value) for _, value in records]
        assert [each["entity"].encode() for each in said] == keys
        assert [each["known_at_ms"] for each in said] == sorted(each["known_at_ms"] for each in said)
        for each in said:
            event = known.pop(each["event_id"])
            assert each["label"] == str(event["fraud"])
            assert each["known_at_ms"] == event["occurred_at_ms"] + 30_000
    assert not known


async def test_a_topic_that_is_not_there_is_named_with_the_remedy(settings, payments, tmp_path):
    """A typing error in the topic must not create one, nor wait for ever."""
    file = tmp_path / "payments.parquet"
    payments.write_parquet(file)
    with pytest.raises(JobFailed, match="riskstream topics create"):
        await feed(settings, Order("no-such-topic", (file,), IDENTITY, transaction.EVENT))


async def test_a_broker_lost_while_feeding_is_a_failed_job(own_services, payments, tmp_path):
    """What was acknowledged is said; the rest can be fed again, since ids tell what is there."""
    file = tmp_path / "payments.parquet"
    payments.fill_nan(1.0).write_parquet(file)
    topic = await make_topic(own_services, partitions=2)
    settings = load({}, kafka_bootstrap=own_services.kafka_bootstrap, redis_url=own_services.redis_url)
    order = Order(topic, (file,), IDENTITY, transaction.EVENT, speed=10.0)
    feeding = asyncio.create_task(feed(settings, order, patience_s=3))
    await asyncio.sleep(2)
    own_services.kafka.kill()
    with pytest.raises(JobFailed, match="did not take a batch"):
        await asyncio.wait_for(feeding, 60)


def test_the_command_feeds_and_prints_its_summary(services, payments, tmp_path, monkeypatch, capfd):
    """The one JSON object is what scripts and the demo read."""
    from stream.cli import app, register_commands

    file = tmp_path / "payments.jsonl"
    payments.head(1_000).fill_nan(None).write_ndjson(file)
    topic = asyncio.run(make_topic(services))
    monkeypatch.setenv("RISKSTREAM_KAFKA_BOOTSTRAP", services.kafka_bootstrap)
    if not app.registered_commands:
        register_commands(app)
    refused_to = tmp_path / "refused.jsonl"
    arguments = [
        "feed",
        topic,
        str(file),
        "--event",
        "Transaction",
        "--json",
        "--refused-to",
        str(refused_to),
    ]
    app(arguments, standalone_mode=False)
    told = json.loads(capfd.readouterr().out)
    assert (told["topic"], told["events"], told["refused"]) == (topic, 999, 1)
    assert told["refused_by_rule"] == {"MISSING_FIELD": 1}
    assert told["events_per_second"] > 0
    assert json.loads(refused_to.read_text())["row"] == 7
