"""Protocols from a file of events to outcomes: what they find is there, and what is not there they do not find."""

from pathlib import Path

import msgspec
import numpy as np
import polars as pl
import pytest
import typer
from typer.testing import CliRunner

from scoring.model.rows import Rows
from tests.training.conftest import payments
from training.cli import evaluate
from training.protocols.methods.folds import stratified
from training.protocols.outcome import Outcome
from training.protocols.protocol import Ground, read_protocol
from training.protocols.reading import first_of_each, read_dataset, scorer_of

pytestmark = pytest.mark.training

LAST_SHARE = """
method = "last_share"
about = "whether large payments are told apart"
data = "drawn payments"
files = ["labelled.parquet"]
map = "MAP"
scorer = "payment_anomaly"
candidates = ["logistic"]
baselines = ["boosting"]
metrics = ["auc", "brier"]
unit = "entity"
seeds = [7]
resamples = 100
"""
FOLDS = LAST_SHARE.replace('"last_share"', '"folds"') + "folds = 3\n"


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """Payments of which the large ones are labelled, and the mapping that reads them."""
    frame = payments(seed=12, accounts=20, days=30)
    large = pl.col("amount") > pl.col("amount").quantile(0.9)
    frame.with_columns(fraud=large.cast(pl.Int8)).write_parquet(tmp_path / "labelled.parquet")
    mapping = tmp_path / "map.toml"
    mapping.write_text('same_names = true\nlabel = "fraud"\n[time]\ncolumn = "occurred_at_ms"\n', encoding="utf-8")
    return tmp_path / "labelled.parquet", mapping


def protocol_file(folder: Path, text: str, mapping: Path) -> Path:
    """A protocol over that mapping."""
    path = folder / "tried.toml"
    path.write_text(text.replace("MAP", mapping.as_posix()), encoding="utf-8")
    return path


def run(path: Path, events: Path) -> list[Outcome]:
    """What the protocol says."""
    read = read_protocol(str(path))
    return read.run(Ground((events,), read.protocol.map))


@pytest.mark.parametrize("text", [LAST_SHARE, FOLDS], ids=["last share", "folds"])
def test_what_is_there_is_found_and_gone_when_labels_are_shuffled(files, tmp_path: Path, text: str):
    """A figure that survives shuffled labels comes from the test part, not from learning."""
    events, mapping = files
    path = protocol_file(tmp_path, text, mapping)
    found = run(path, events)
    assert [(each.model, each.metric) for each in found] == [("logistic", "auc"), ("logistic", "brier")]
    assert found[0].value > 0.95
    assert found[0].ci95[0] <= found[0].value <= found[0].ci95[1]
    shuffled = pl.read_parquet(events).with_columns(pl.col("fraud").shuffle(seed=3))
    shuffled.write_parquet(tmp_path / "shuffled.parquet")
    assert abs(run(path, tmp_path / "shuffled.parquet")[0].value - 0.5) < 0.15


def test_the_same_protocol_says_the_same_twice(files, tmp_path: Path):
    """A figure nobody can make again is no figure."""
    events, mapping = files
    path = protocol_file(tmp_path, LAST_SHARE, mapping)
    assert run(path, events) == run(path, events)


def test_the_future_changes_no_row_of_the_past(files, tmp_path: Path):
    """A row's features are those of the moment: with the file cut behind it they are the same bytes."""
    events, mapping = files
    read = read_protocol(str(protocol_file(tmp_path, LAST_SHARE, mapping)))
    whole = pl.read_parquet(events)
    whole.head(len(whole) // 2).write_parquet(tmp_path / "half.parquet")
    scorer = scorer_of(read.protocol, read.name)
    all_rows, first = (
        read_dataset(read.protocol, Ground((path,), read.protocol.map), scorer)
        for path in (events, tmp_path / "half.parquet")
    )
    assert len(first) == len(whole) // 2
    assert all_rows.rows.features[: len(first)].tobytes() == first.rows.features.tobytes()


def test_folds_deal_classes_out_evenly():
    """A fold without a single failed company has no figure."""
    labels = (np.arange(1_000) % 25 == 0).astype(np.int8)
    folds = stratified(labels, 10, seed=1)
    assert [int(((folds == fold) & (labels == 1)).sum()) for fold in range(10)] == [4] * 10
    assert [int((folds == fold).sum()) for fold in range(10)] == [100] * 10


def test_rows_that_repeat_are_taken_once():
    """A company that stands twice in the file would be learned from and tested on; what both lack is equal."""
    drawn = np.random.default_rng(1).normal(size=(10, 4)).astype(np.float32)
    drawn[7, 1] = np.nan
    drawn[3], drawn[8] = drawn[1], drawn[7]
    assert first_of_each(Rows(drawn)).tolist() == [0, 1, 2, 4, 5, 6, 7, 9]


def test_the_command_writes_outcomes_for_programs(files, tmp_path: Path):
    """What a pipeline reads: JSON with the hash of the protocol, and every field of an outcome."""
    events, mapping = files
    path = protocol_file(tmp_path, LAST_SHARE, mapping)
    done = CliRunner().invoke(_app(), ["--protocol", str(path), "--events", str(events), "--json"])
    assert done.exit_code == 0, done.output
    outcomes = msgspec.json.decode(done.stdout, type=list[Outcome])
    assert {each.protocol_sha256 for each in outcomes} == {read_protocol(str(path)).sha256}


def test_the_command_without_events_says_which_files_it_needs(files, tmp_path: Path):
    """The data of a protocol do not ship with it."""
    _, mapping = files
    path = protocol_file(tmp_path, LAST_SHARE, mapping)
    done = CliRunner().invoke(_app(), ["--protocol", str(path)])
    assert done.exit_code == 1
    assert "give --events with drawn payments" in done.output


def test_a_mapping_without_labels_is_refused(files, tmp_path: Path):
    """Not a crash in the middle of a run of an hour."""
    events, _ = files
    bare = tmp_path / "bare.toml"
    bare.write_text('same_names = true\n[time]\ncolumn = "occurred_at_ms"\n', encoding="utf-8")
    done = CliRunner().invoke(
        _app(), ["--protocol", str(protocol_file(tmp_path, LAST_SHARE, bare)), "--events", str(events)]
    )
    assert done.exit_code == 1
    assert "needs labels" in done.output


def _app() -> typer.Typer:
    app = typer.Typer()
    app.command()(evaluate)
    return app
