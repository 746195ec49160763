"""Wrong usage of the operating commands is refused before anything is connected to."""

import pytest
import typer
from typer.testing import CliRunner

from stream.commands import activate, explain, resume, state


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch):
    """Runs a command against addresses where nothing listens; gives exit code and error text."""
    monkeypatch.setenv("RISKSTREAM_KAFKA_BOOTSTRAP", "127.0.0.1:1")
    monkeypatch.setenv("RISKSTREAM_REDIS_URL", "redis://127.0.0.1:1/0")
    app = typer.Typer()
    for command in (activate, explain, resume, state):
        command.register(app)

    def invoke(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(app, list(arguments))
        return result.exit_code, " ".join(result.output.replace("│", " ").split())

    return invoke


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("activate", "nobody"), "payment_anomaly"),
        (("explain", "nonsense"), "scorer:topic:partition:offset:hash"),
        (("resume", "nowhere", "0"), "market-ticks"),
        (("resume", "transactions", "-1"), "-1"),
        (("state", "get", "4711", "--topic", "nowhere"), "market-ticks"),
        (("state", "forget", "4711"), "--topic"),
        (("state", "forget", "4711", "--topic", "transactions", "--json"), "--yes"),
    ],
)
def test_wrong_usage_exits_with_two_and_names_what_can_be_said(run, arguments, said) -> None:
    """Exit code 2 tells a script that trying again is of no use; a typing error must not look like success."""
    exit_code, output = run(*arguments)
    assert exit_code == 2
    assert said in output
