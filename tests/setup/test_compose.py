"""docker-compose.yml is a valid Compose file that uses only settings and commands that exist."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from stream.cli import register_commands
from stream.services.jars import kafka_version
from stream.settings import Settings, load

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docker-compose.yml"
OWN_IMAGE = "riskstream:latest"


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    """The services of the file, anchors and merges resolved."""
    found: dict[str, Any] = yaml.safe_load(FILE.read_text())["services"]
    return found


def test_file_follows_the_compose_specification() -> None:
    """A misspelt key is dropped or refused by Docker only on the machine of whoever tries it."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(FILE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_setting_in_the_file_exists_and_is_accepted(services: dict[str, Any]) -> None:
    """Unknown settings stop a worker at its start, so the file must not have any."""
    ours = {name: service for name, service in services.items() if service.get("image") == OWN_IMAGE}
    assert {"topics", "worker", "replay"} <= set(ours)
    for name, service in ours.items():
        values = {key: str(value) for key, value in service["environment"].items()}
        assert all(key.removeprefix("RISKSTREAM_").lower() in Settings.model_fields for key in values), name
        plain = {
            key: value.partition(":-")[2].rstrip("}") if "$" in value else value
            for key, value in values.items()
        }
        settings = load(plain)
        assert settings.kafka_bootstrap == "kafka:19092"
        assert settings.redis_url == "redis://redis:6379/0"


def test_every_command_in_the_file_exists(services: dict[str, Any]) -> None:
    """A renamed command breaks the file silently otherwise."""
    app = typer.Typer()
    register_commands(app)
    root = typer.main.get_command(app)
    for service in services.values():
        if service.get("image") != OWN_IMAGE:
            continue
        command = root
        for word in service["command"]:
            if not hasattr(command, "commands"):
                break
            assert word in command.commands, f"{word} of {service['command']} is not a command"
            command = command.commands[word]


def test_services_are_of_the_versions_that_the_tests_run_against(services: dict[str, Any]) -> None:
    """What the live tests prove holds for the very broker that users start."""
    assert services["kafka"]["image"] == f"apache/kafka:{kafka_version()}"


def test_redis_keeps_what_it_is_given(services: dict[str, Any]) -> None:
    """An evicting or forgetting Redis is refused by the worker."""
    command = " ".join(services["redis"]["command"])
    assert "--maxmemory-policy noeviction" in command
    assert "--appendonly yes" in command


def test_nothing_is_published_beyond_this_machine(services: dict[str, Any]) -> None:
    """Neither broker nor Redis has a password here, so neither may be reached from elsewhere."""
    published = [port for service in services.values() for port in service.get("ports", [])]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_workers_can_be_scaled(services: dict[str, Any]) -> None:
    """A fixed name or a published port would stop the second worker from starting."""
    assert not {"container_name", "ports", "hostname"} & set(services["worker"])
