"""The command line of feed, without a broker: dry runs, wrong usage and failures."""

import json

import polars as pl
import pytest
import typer
from typer.testing import CliRunner

from scoring.files import shipped_mappings
from stream.commands import feed as command
from stream.errors import JobFailed

T0 = 1_500_000_000_000


@pytest.fixture
def run(monkeypatch):
    """Runs `feed` with these arguments against an address where nothing listens."""
    monkeypatch.setenv("RISKSTREAM_KAFKA_BOOTSTRAP", "127.0.0.1:1")
    app = typer.Typer()
    app.callback()(lambda: None)
    command.register(app)
    return lambda *arguments: CliRunner().invoke(app, ["feed", *map(str, arguments)])


@pytest.fixture
def payments(tmp_path):
    file = tmp_path / "payments.csv"
    rows = {
        "id": range(30),
        "when": [T0 + i for i in range(30)],
        "who": ["007"] * 30,
        "sum": [1.5, float("nan"), 2.0] * 10,
    }
    pl.DataFrame(rows).write_csv(file)
    return file


MAP = ("--set", "event_id=id", "--set", "account_id=who", "--set", "amount=sum", "--set", "time.column=when")


def test_a_dry_run_prints_the_first_events_and_refusals_and_sends_nothing(run, payments):
    """The mapping is found by trial; a topic cannot be unfed."""
    result = run("transactions", payments, *MAP, "--dry-run")
    assert result.exit_code == 0, result.output
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(lines) == 10
    assert lines[0] == {"event_id": "0", "occurred_at_ms": T0, "account_id": "007", "amount": 1.5}
    assert "payments.csv row 1: NOT_FINITE at $.amount" in result.stderr


def test_a_dry_run_shows_pseudonyms_and_never_the_key(run, payments, tmp_path):
    """What would be sent is what is shown."""
    key = tmp_path / "key"
    key.write_text("a-very-secret-key-of-the-house")
    result = run(
        "transactions", payments, *MAP, "--dry-run", "--pseudonymise", "account_id", "--key-file", key
    )
    assert "007" not in result.stdout and "secret" not in result.output
    assert len(json.loads(result.stdout.splitlines()[0])["account_id"]) == 32


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("orders",), "--event"),
        (("orders", "--event", "Order"), "Transaction"),
        (("transactions", "--speed", "fast"), "60x"),
        (("transactions", "--map", "nothing"), "handbook_cards"),
        (("transactions", "--set", "amount"), "field=COLUMN"),
        (("transactions", "--pseudonymise", "amount"), "account_id"),
        (("transactions", "--pseudonymise", "account_id"), "--key-file"),
    ],
)
def test_wrong_usage_exits_with_two_and_names_what_can_be_said(run, payments, arguments, said):
    """Exit code 2 tells a script that trying again is of no use."""
    topic, *options = arguments
    result = run(topic, payments, *options)
    assert result.exit_code == 2
    assert said in result.stderr.replace("\n", " ")


def test_a_custom_topic_takes_the_event_type_of_the_mapping_or_the_option(run, payments):
    """Topics are named by houses, not by us."""
    assert run("card.payments.v2", payments, *MAP, "--event", "Transaction", "--dry-run").exit_code == 0


def test_a_file_that_does_not_fit_or_a_broker_that_does_not_answer_is_a_failed_job(run, payments):
    """Exit code 1, with the remedy; the command line prints it without a trace."""
    result = run("transactions", payments, "--dry-run")
    assert isinstance(result.exception, JobFailed)
    assert "no column 'occurred_at_ms'" in str(result.exception) or "required" in str(result.exception)
    result = run("transactions", payments, *MAP)
    assert isinstance(result.exception, JobFailed)
    assert "riskstream up" in str(result.exception)


def test_the_help_names_every_shipped_mapping(run):
    """A mapping that nobody can find might as well not be there."""
    told = run("--help").stdout
    assert all(name in told for name in shipped_mappings())


def test_a_dry_run_with_labels_shows_them_behind_the_events_and_says_which_are_none(run, payments):
    """What would go to `labels` is what is shown."""
    pl.read_csv(payments, infer_schema=False).with_columns(bad=pl.Series(["0", "1", "?"] * 10)).write_csv(payments)
    result = run("transactions", payments, *MAP, "--set", "label=bad", "--labels", "--label-delay", "1d", "--dry-run")
    assert result.exit_code == 0, result.output
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert next(line for line in lines if "label" in line) == {
        "event_id": "0", "entity": "007", "label": "0", "known_at_ms": T0 + 86_400_000,
    }  # fmt: skip
    assert "refused label payments.csv row 2: WRONG_TYPE at $.label" in result.stderr
    assert "10 events and 5 labels shown, nothing sent" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--labels",), "--set label=COLUMN"),
        (("--label-delay", "7d"), "goes with --labels"),
        (("--labels", "--set", "label=sum", "--label-delay", "soon"), "no duration"),
    ],
)
def test_labels_without_a_truth_or_with_a_wrong_delay_are_wrong_usage(run, payments, arguments, said):
    """Before anything is sent."""
    result = run("transactions", payments, *MAP, *arguments)
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.replace("│", " ").split())
