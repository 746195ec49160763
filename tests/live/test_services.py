"""The embedded Kafka and Redis: ready when they say so, durable under kill -9, and never orphaned."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from redis import Redis

from stream.errors import JobFailed
from stream.services.addresses import RunningServices, ServiceProcess, read_services, write_services
from stream.services.embedded import EmbeddedServices, running_services, stop_services
from stream.services.process import is_running, process_birth
from stream.settings import load
from tests.support.services import make_topic

GONE_WITHIN_SECONDS = 30.0


async def test_ready_services_take_records_and_keys_at_once(services: EmbeddedServices) -> None:
    """Whoever starts them goes on without waiting or retrying."""
    topic = await make_topic(services, partitions=2)
    async with AIOKafkaProducer(bootstrap_servers=services.kafka_bootstrap) as producer:
        sent = await producer.send_and_wait(topic, b"value", key=b"key")
    assert sent.offset == 0
    assert Redis.from_url(services.redis_url).config_get("maxmemory-policy") == {
        "maxmemory-policy": "noeviction"
    }


def test_settings_find_running_services_by_their_folder(services: EmbeddedServices) -> None:
    """`riskstream up` in one terminal and any command in another need no address to be typed."""
    settings = load({}, data_dir=services.data_dir)
    assert (settings.kafka_bootstrap, settings.redis_url) == (services.kafka_bootstrap, services.redis_url)


def test_second_start_on_the_same_folder_is_refused(services: EmbeddedServices) -> None:
    """Two brokers on one folder would damage it; the refusal says how to stop the first."""
    with pytest.raises(JobFailed, match="riskstream down"):
        EmbeddedServices(services.data_dir).start()


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
async def test_broker_takes_every_compression(services: EmbeddedServices, codec: str) -> None:
    """The list of jars is trimmed; what clients may send must still be read."""
    topic = await make_topic(services, partitions=1)
    async with AIOKafkaProducer(
        bootstrap_servers=services.kafka_bootstrap, compression_type=codec
    ) as producer:
        assert (await producer.send_and_wait(topic, b"value" * 1_000)).offset == 0


async def test_killed_broker_restarts_on_the_same_port_with_its_records(
    own_services: EmbeddedServices,
) -> None:
    """A crash of the broker loses no acknowledged record: live tests of recovery build on it."""
    topic = await make_topic(own_services, partitions=1)
    async with AIOKafkaProducer(bootstrap_servers=own_services.kafka_bootstrap) as producer:
        for number in range(100):
            await producer.send_and_wait(topic, str(number).encode())
    address, killed = own_services.kafka_bootstrap, own_services.kafka.pid

    own_services.kafka.kill()
    assert not own_services.kafka.running
    own_services.kafka.restart()

    assert own_services.kafka_bootstrap == address
    assert own_services.kafka.pid != killed
    assert read_services(own_services.data_dir).kafka.pid == own_services.kafka.pid
    consumer = AIOKafkaConsumer(bootstrap_servers=address, auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, 0)])
        values = [int((await consumer.getone()).value) for _ in range(100)]
    finally:
        await consumer.stop()
    assert values == list(range(100))


def test_killed_redis_restarts_on_the_same_port_with_its_keys(own_services: EmbeddedServices) -> None:
    """The append-only log brings back what was written more than a second before the crash."""
    with Redis.from_url(own_services.redis_url) as client:
        client.set("key", "value")
        client.execute_command("WAITAOF", 1, 0, 5_000)
    own_services.redis.kill()
    own_services.redis.restart()
    with Redis.from_url(own_services.redis_url) as client:
        assert client.get("key") == b"value"


STARTER = """
import sys, time
from pathlib import Path
from stream.services.embedded import EmbeddedServices
with EmbeddedServices(Path(sys.argv[1])):
    print("ready", flush=True)
    time.sleep(600)
"""


def test_no_orphan_is_left_when_the_starter_is_killed(tmp_path: Path) -> None:
    """A killed demo or test run must not leave a broker behind that eats memory and holds its folder."""
    starter = subprocess.Popen([sys.executable, "-c", STARTER, str(tmp_path)], stdout=subprocess.PIPE)
    try:
        assert starter.stdout is not None
        assert starter.stdout.readline().strip() == b"ready"
        stored = read_services(tmp_path)
        assert stored is not None
        assert running_services(tmp_path) is not None
    finally:
        starter.kill()
        starter.wait()
        starter.stdout.close()
    deadline = time.monotonic() + GONE_WITHIN_SECONDS
    for one in (stored.kafka, stored.redis):
        while is_running(one.pid, one.birth):
            assert time.monotonic() < deadline, f"process {one.pid} still runs"
            time.sleep(0.05)


def test_stored_process_id_taken_by_another_program_is_never_stopped(tmp_path: Path) -> None:
    """After a reboot the stored ids belong to others; `down` must not end an editor."""
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    try:
        stale = ServiceProcess(pid=bystander.pid, birth="the birth of another")
        write_services(
            tmp_path,
            RunningServices(
                kafka_bootstrap="127.0.0.1:1",
                redis_url="redis://127.0.0.1:1/0",
                data_dir=str(tmp_path),
                kafka=stale,
                redis=stale,
            ),
        )
        assert not stop_services(tmp_path)
        assert process_birth(bystander.pid) is not None
    finally:
        os.kill(bystander.pid, signal.SIGKILL)
        bystander.wait()
