"""The command `subscribe` reads a real topic, and ends as a tool should."""

import asyncio
import json
import os
import signal
import subprocess
import sys

import pytest
from aiokafka import AIOKafkaProducer

from scoring.clock import now_ms
from tests.support.services import make_topic

RUN = "from stream.cli import main; main()"
LEVELS = ("none", "watch", "alert")


async def produce(
    services, topic: str, values: list[bytes], *, transaction: str | None = None, commit: bool = True
):
    """Records of key K<i>, in one transaction when named."""
    producer = AIOKafkaProducer(bootstrap_servers=services.kafka_bootstrap, transactional_id=transaction)
    await producer.start()
    try:
        if transaction:
            await producer.begin_transaction()
        for place, value in enumerate(values):
            await producer.send_and_wait(topic, value, key=f"K{place}".encode())
        if transaction:
            await (producer.commit_transaction() if commit else producer.abort_transaction())
    finally:
        await producer.stop()


def score(place: int) -> bytes:
    content = {"score_id": f"s{place}", "entity": f"E{place % 2}", "level": LEVELS[place % 3], "value": 0.5}
    return json.dumps(content).encode()


@pytest.fixture
def start(services):
    """Starts `subscribe` with these arguments as a process of its own."""
    environment = os.environ | {"RISKSTREAM_KAFKA_BOOTSTRAP": services.kafka_bootstrap}
    started = []

    def launch(*arguments: str, **changed: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", RUN, "subscribe", *arguments]
        started.append(
            subprocess.Popen(
                command, env=environment | changed, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
        )
        return started[-1]

    yield launch
    for process in started:
        process.kill()
        process.communicate()


def ids(output: str) -> list[str]:
    return sorted(json.loads(line)["score_id"] for line in output.splitlines())


async def test_json_lines_from_the_earliest_by_level_entity_limit_and_time(services, start):
    """What a script needs: choose, stop, one object a line."""
    topic = await make_topic(services, partitions=3)
    await produce(services, topic, [score(place) for place in range(6)])
    await produce(services, topic, [score(100)], transaction="aborted", commit=False)
    between = now_ms()
    await produce(services, topic, [score(place) for place in range(6, 12)], transaction="kept")
    every = ("--from", "earliest", "--json", "--timeout", "3")
    running = {
        "all": start(topic, *every),
        "watch": start(topic, *every, "--min-level", "watch", "--entity", "E0"),
        "limit": start(topic, *every, "--limit", "4"),
        "later": start(topic, "--from", str(between), "--json", "--timeout", "3"),
    }
    outputs = {}
    for name, process in running.items():
        outputs[name], errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
    assert ids(outputs["all"]) == sorted(f"s{place}" for place in range(12)), "aborted records are not shown"
    chosen = [place for place in range(12) if place % 2 == 0 and place % 3]
    assert ids(outputs["watch"]) == sorted(f"s{place}" for place in chosen)
    assert len(outputs["limit"].splitlines()) == 4
    assert ids(outputs["later"]) == sorted(f"s{place}" for place in range(6, 12))


async def test_what_comes_is_shown_and_control_c_ends_it_cleanly(services, start):
    """The usual end of watching is Ctrl-C: no trace, exit code 0."""
    topic = await make_topic(services)
    process = start(topic, "--from", "earliest")
    await asyncio.sleep(2)
    await produce(services, topic, [score(1)])
    assert process.stdout is not None
    assert "level" in process.stdout.readline()
    assert "watch" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "Traceback" not in errors


def test_a_topic_that_is_not_there_is_a_failed_job_and_is_not_created(services, start):
    """Watching a misspelt topic for ever would look like silence."""
    process = start("no-such-topic", "--from", "earliest")
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "no-such-topic" in errors and "riskstream topics create" in errors.replace("\n", " ")
    again = start("no-such-topic")
    assert again.wait(60) == 1


def test_a_broker_that_does_not_answer_is_a_failed_job(start):
    """Exit code 1 with the remedy, within seconds."""
    process = start("alerts", RISKSTREAM_KAFKA_BOOTSTRAP="127.0.0.1:1")
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "riskstream up" in errors and "Traceback" not in errors
