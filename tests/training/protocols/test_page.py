"""The page of all protocols: made of what they said, again without running any."""

from pathlib import Path

import msgspec
import pytest
import typer
from typer.testing import CliRunner

from training.cli import evaluate
from training.errors import TrainingRefused
from training.protocols.outcome import Outcome
from training.protocols.page import Result, page_html
from training.protocols.protocol import read_protocol, shipped_names
from training.protocols.running import PAGE, page_again

pytestmark = pytest.mark.training

ROOT = Path(__file__).parents[3]
COMMITTED = Path("docs/evaluation")
NAME = "card-default"


def outcome(**given: object) -> Outcome:
    """A model ahead of its baseline in one figure, under the protocol as it is now."""
    values = {
        "protocol": NAME, "protocol_sha256": read_protocol(NAME).sha256, "model": "tabular", "n": 4_800, "metric": "auc",
        "value": 0.7912, "ci95": (0.77, 0.81), "baseline": "boosting", "baseline_value": 0.7834, "difference": 0.0078,
        "difference_ci95": (0.001, 0.015), "verdict": "ahead", "seeds": (7, 8, 9), "values": (0.79, 0.7912, 0.8),
        "positives": 957,
    }  # fmt: skip
    return Outcome(**(values | given))


def test_the_committed_page_is_that_of_the_committed_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A figure in the page and another in the JSON file: nobody could say which was measured."""
    monkeypatch.chdir(ROOT)
    page_again(COMMITTED, tmp_path)
    remedy = "make it again: riskstream evaluate --all --from docs/evaluation --out docs/evaluation"
    assert (tmp_path / PAGE).read_text() == (COMMITTED / PAGE).read_text(), remedy


@pytest.mark.parametrize("name", shipped_names())
def test_every_shipped_protocol_names_its_files(name: str):
    """`evaluate --all` finds them by name; a protocol without any would never be run."""
    assert read_protocol(name).protocol.files


def test_the_page_has_figures_baselines_and_the_command_of_each_protocol():
    """A reader wants to know how good, against whom, and how to measure it again."""
    page = page_html([Result(read_protocol(NAME), (outcome(),))], "riskstream evaluate --all")
    for said in ("0.7912", "0.7834", "+0.0078", "boosting", "957 positive", "<svg", f"--protocol {NAME} --events "):
        assert said in page
    assert "has changed since" not in page


def test_a_result_of_an_earlier_version_of_a_protocol_says_so():
    """Its figures were measured by other rules than those that the file holds now."""
    page = page_html([Result(read_protocol(NAME), (outcome(protocol_sha256="0" * 64),))], "")
    assert "has changed since" in page


def test_a_protocol_without_result_is_told_as_not_run(tmp_path: Path):
    """What is missing is not left out: it might be what went wrong."""
    (tmp_path / f"{NAME}.json").write_bytes(msgspec.json.encode([outcome()]))
    results = page_again(tmp_path, tmp_path / "out")
    assert {result.read.name for result in results if result.outcomes} == {NAME}
    page = (tmp_path / "out" / PAGE).read_text()
    assert page.count("Not run: there is no ") == len(shipped_names()) - 1


def test_the_command_makes_the_page_of_what_is_there_and_runs_nothing(tmp_path: Path):
    """Whoever gets another result makes the page anew in a second, not in an hour."""
    app = typer.Typer()
    app.command()(evaluate)
    (tmp_path / f"{NAME}.json").write_bytes(msgspec.json.encode([outcome()]))
    done = CliRunner().invoke(app, ["--all", "--from", str(tmp_path), "--out", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert f"{NAME}: 1 outcomes" in done.output
    assert "0.7912" in (tmp_path / PAGE).read_text()
    assert CliRunner().invoke(app, ["--all", "--out", str(tmp_path)]).exit_code == 2


@pytest.mark.parametrize(
    ("content", "said"), [(None, "no result of a protocol there"), (b'{"a": 1}', "card-default.json")]
)
def test_a_folder_without_results_and_a_file_that_is_none_are_refused(tmp_path: Path, content: bytes | None, said: str):
    """An empty page would look like a result."""
    if content is not None:
        (tmp_path / f"{NAME}.json").write_bytes(content)
    with pytest.raises(TrainingRefused, match=said):
        page_again(tmp_path, tmp_path)


def test_a_figure_without_a_value_stays_without_one(tmp_path: Path):
    """A slope has none where a score parts the classes; JSON has no NaN, so it stands there as null."""
    nothing = msgspec.structs.replace(outcome(), value=float("nan"), difference=float("nan"), ci95=(float("nan"), 1.0))
    (tmp_path / f"{NAME}.json").write_bytes(msgspec.json.encode([nothing]))
    (result,) = (each for each in page_again(tmp_path, tmp_path) if each.outcomes)
    assert str(result.outcomes[0]) == str(nothing)
    assert "<td>none</td>" in (tmp_path / PAGE).read_text()
