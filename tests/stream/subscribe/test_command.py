"""The command line of subscribe, without a broker: wrong usage."""

import pytest
import typer
from typer.testing import CliRunner

from stream.commands import subscribe as command


@pytest.fixture
def run(monkeypatch):
    """Runs `subscribe` with these arguments against an address where nothing listens."""
    monkeypatch.setenv("RISKSTREAM_KAFKA_BOOTSTRAP", "127.0.0.1:1")
    app = typer.Typer()
    app.callback()(lambda: None)
    command.register(app)
    return lambda *arguments: CliRunner().invoke(app, ["subscribe", *arguments])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("risk-scores", "--min-level", "high"), "none, watch, alert"),
        (("transactions", "--min-level", "watch"), "have no level"),
        (("risk-scores", "--from", "yesterday"), "earliest"),
    ],
)
def test_wrong_usage_exits_with_two_and_names_what_can_be_said(run, arguments, said):
    """A filter that can never match would look like silence."""
    result = run(*arguments)
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.replace("│", " ").split())
