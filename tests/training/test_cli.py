"""The commands train and evaluate, as people and programs call them."""

import subprocess
import sys

import msgspec
import polars as pl
import pytest
import typer
from typer.testing import CliRunner

from scoring.model import find_bundles
from tests.training.conftest import payments
from training.cli import evaluate, train

pytestmark = pytest.mark.training


@pytest.fixture(scope="module")
def app() -> typer.Typer:
    """Both commands under their names."""
    made = typer.Typer()
    made.command("train")(train)
    made.command("evaluate")(evaluate)
    return made


def run(app: typer.Typer, *arguments: object):
    """The finished command."""
    return CliRunner().invoke(app, [str(each) for each in arguments])


@pytest.mark.parametrize(("trainer", "explains"), [("boosting", True), ("random_forest", False)])
def test_a_challenger_is_trained_by_another_trainer_and_its_scores_are_probabilities(app, tmp_path, trainer, explains):
    """A classical baseline runs live beside the champion: it has a bundle, which says whether it explains anything."""
    frame = payments(seed=12, accounts=20, days=40)
    large = (pl.col("amount") > pl.col("amount").quantile(0.9)).cast(pl.Int8)
    frame.with_columns(fraud=large).write_parquet(tmp_path / "labelled.parquet")
    (tmp_path / "map.toml").write_text('same_names = true\nlabel = "fraud"\n[time]\ncolumn = "occurred_at_ms"\n')
    done = run(
        app, "train", "payment_anomaly", "--events", tmp_path / "labelled.parquet", "--map", tmp_path / "map.toml",
        "--trainer", trainer, "--out", tmp_path, "--json",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    folder = find_bundles([tmp_path], "payment_anomaly")[msgspec.json.decode(done.stdout)["digest"]]
    manifest = msgspec.json.decode((folder / "manifest.json").read_bytes())
    assert (manifest["trainer"], manifest["score_kind"]) == (trainer, "probability")
    assert (manifest["contributions"] is not None) == explains
    assert set(manifest["files"]) == {"model.onnx", "card.html"} | ({"explain.onnx"} if explains else set())


def test_train_then_evaluate_gives_one_json_object_each(app, payments_file, tmp_path):
    """The way from someone's file to a bundle and its figures, read by a program."""
    arguments = (
        "--events",
        payments_file,
        "--out",
        tmp_path,
        "--epochs",
        2,
        "--seed",
        5,
        "--licence",
        "CC0-1.0",
    )
    trained = run(app, "train", "payment_anomaly", *arguments, "--json")
    assert trained.exit_code == 0, trained.output
    said = msgspec.json.decode(trained.stdout)
    folder = find_bundles([tmp_path], "payment_anomaly")[said["digest"]]
    manifest = msgspec.json.decode((folder / "manifest.json").read_bytes())
    assert manifest["training"]["seed"] == 5
    assert manifest["training"]["licence"] == "CC0-1.0"
    assert manifest["training"]["data"] == ["payments.parquet"]

    labelled = payments(seed=12).with_columns(fraud=pl.col("amount") > pl.col("amount").quantile(0.99))
    labelled.with_columns(pl.col("fraud").cast(pl.Int8)).write_parquet(tmp_path / "labelled.parquet")
    (tmp_path / "map.toml").write_text(
        'same_names = true\nlabel = "fraud"\n[time]\ncolumn = "occurred_at_ms"\n', encoding="utf-8"
    )
    evaluated = run(
        app, "evaluate", "payment_anomaly", "--events", tmp_path / "labelled.parquet",
        "--map", tmp_path / "map.toml", "--bundle", folder, "--json",
    )  # fmt: skip
    assert evaluated.exit_code == 0, evaluated.output
    found = msgspec.json.decode(evaluated.stdout)
    assert found["bundle"] == said["digest"]
    assert found["positives"] > 0
    assert {"model", "value:amount", "zscore:charge_zscore_30d", "isolation_forest"} == set(
        found["detection"]
    )
    for figures in found["detection"].values():
        value, low, high = figures["auc"]
        assert low <= value <= high


def test_an_unknown_scorer_is_wrong_usage(app, payments_file):
    """Exit code 2, and the names there are."""
    refused = run(app, "train", "no_such_scorer", "--events", payments_file)
    assert refused.exit_code == 2
    assert "payment_anomaly" in refused.output


def test_too_few_events_are_a_refused_job(app, tmp_path):
    """Exit code 1 and one readable line, not a stack trace."""
    payments(accounts=2, days=5).write_parquet(tmp_path / "few.parquet")
    refused = run(app, "train", "payment_anomaly", "--events", tmp_path / "few.parquet", "--out", tmp_path)
    assert refused.exit_code == 1
    assert "part has" in refused.output and "Traceback" not in refused.output


@pytest.mark.parametrize("content", [None, b"", b"not parquet"])
def test_a_file_that_cannot_be_read_is_a_refused_job(app, tmp_path, content):
    """The commonest mistake is a wrong path."""
    path = tmp_path / "events.parquet"
    if content is not None:
        path.write_bytes(content)
    refused = run(app, "train", "payment_anomaly", "--events", path, "--out", tmp_path)
    assert refused.exit_code == 1, refused.output
    assert "events.parquet" in refused.output


def test_a_bundle_that_is_not_there_is_a_refused_job(app, payments_file, tmp_path):
    """Named with the remedy."""
    refused = run(app, "evaluate", "payment_anomaly", "--events", payments_file, "--bundle", tmp_path)
    assert refused.exit_code == 1
    assert "manifest.json" in refused.output


def test_the_commands_load_without_torch():
    """`riskstream --help` lists them in a blink, and works where the training extra is missing."""
    code = "import sys, training.cli; sys.exit(bool({'torch', 'sklearn', 'matplotlib'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0


@pytest.mark.parametrize("command", ["train", "evaluate"])
def test_help_shows_an_example(app, command):
    """A person copies the example and changes the names."""
    shown = run(app, command, "--help")
    assert shown.exit_code == 0
    assert f"riskstream {command} payment_anomaly" in " ".join(shown.output.split())
