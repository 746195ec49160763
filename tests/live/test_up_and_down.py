"""`riskstream up` and `down`: the addresses hold, nothing is started twice, and what is stopped is gone."""

import json
import signal
import subprocess
from pathlib import Path

from stream.services.addresses import read_services
from stream.services.embedded import running_services
from stream.services.kafka import broker_answers
from stream.services.process import is_running
from stream.services.redis import server_answers
from tests.support.command_line import environment, riskstream, riskstream_command


def test_detached_services_outlive_the_command_until_down_stops_them(tmp_path: Path) -> None:
    """The round trip of a person: up, up again, use them from other commands, down, down again."""
    folder = str(tmp_path)
    try:
        first = riskstream("up", "--detach", "--json", "--data-dir", folder)
        assert first.returncode == 0, first.stderr
        told = json.loads(first.stdout)
        assert told["state"] == "ready"
        assert broker_answers(int(told["kafka_bootstrap"].rpartition(":")[2]))
        assert server_answers(int(told["redis_url"].rpartition(":")[2].removesuffix("/0")))

        again = riskstream("up", "--json", "--data-dir", folder)
        assert again.returncode == 0, again.stderr
        assert json.loads(again.stdout) == told | {"state": "already running"}

        topics = riskstream("topics", "create", "--json", data_dir=folder)
        assert topics.returncode == 0, topics.stderr
        assert all(topic["created"] for topic in json.loads(topics.stdout)["topics"])

        stored = read_services(tmp_path)
        assert stored is not None
        assert json.loads(riskstream("down", "--json", "--data-dir", folder).stdout)["stopped"] is True
        assert not is_running(stored.kafka.pid, stored.kafka.birth)
        assert not is_running(stored.redis.pid, stored.redis.birth)
        assert json.loads(riskstream("down", "--json", "--data-dir", folder).stdout)["stopped"] is False
    finally:
        riskstream("down", "--data-dir", folder)


def test_interrupted_foreground_command_stops_both_and_forgets_the_addresses(tmp_path: Path) -> None:
    """Ctrl-C ends with exit code 0, and no later command is sent to a dead address."""
    command = riskstream_command("up", "--json", "--data-dir", str(tmp_path))
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment()) as up:
        assert up.stdout is not None
        assert json.loads(up.stdout.readline())["state"] == "ready"
        stored = running_services(tmp_path)
        assert stored is not None
        up.send_signal(signal.SIGINT)
        assert up.wait(60) == 0
    assert not is_running(stored.kafka.pid, stored.kafka.birth)
    assert not is_running(stored.redis.pid, stored.redis.birth)
    assert read_services(tmp_path) is None


def test_down_from_another_terminal_ends_the_foreground_command(tmp_path: Path) -> None:
    """Whoever typed `up` is not left with a command that waits for nothing."""
    command = riskstream_command("up", "--json", "--data-dir", str(tmp_path))
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment()) as up:
        assert up.stdout is not None
        assert json.loads(up.stdout.readline())["state"] == "ready"
        assert riskstream("down", "--data-dir", str(tmp_path)).returncode == 0
        assert up.wait(60) == 0
