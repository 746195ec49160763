"""`riskstream demo` as its users run it: a process of its own that ends by itself and says how it went."""

import json
import shlex
import signal
import subprocess
from pathlib import Path

import polars as pl
import pytest

from stream.demo.inputs import write_inputs
from stream.services.addresses import read_services
from stream.services.process import is_running
from tests.support.command_line import environment, riskstream, riskstream_command

NAMES = [
    "events",
    "scores",
    "alerts",
    "dead_letters",
    "missing",
    "injected",
    "injected_found",
    "p50_ms",
    "p99_ms",
]
WITHIN_S = 180


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of the one demo that all tests of this file look at."""
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def demo(folder: Path) -> subprocess.CompletedProcess[str]:
    """A finished demo without a terminal."""
    return riskstream("demo", "--json", within_seconds=WITHIN_S, data_dir=str(folder))


def test_the_demo_is_good_and_its_last_line_says_so(
    demo: subprocess.CompletedProcess[str], tmp_path: Path
) -> None:
    """Every event has its scores, the injected frauds are found, few others are alerted: exit code 0."""
    assert demo.returncode == 0, demo.stderr
    assert demo.stdout.count("\n") == 1, "progress belongs to standard error"
    summary = json.loads(demo.stdout)
    assert list(summary) == NAMES
    inputs = write_inputs(tmp_path)
    payments, closes = (each.rows for each in inputs.inputs)
    assert summary["events"] == payments + closes
    assert summary["scores"] + summary["dead_letters"] >= 2 * payments + closes
    assert (summary["missing"], summary["injected"]) == (0, len(inputs.injected))
    assert summary["injected_found"] >= 0.8 * summary["injected"]
    assert 0 < summary["alerts"] <= 0.05 * summary["events"]
    assert 0 < summary["p50_ms"] <= summary["p99_ms"]


def test_progress_is_told_in_lines_while_it_runs(demo: subprocess.CompletedProcess[str]) -> None:
    """Somebody who waits half a minute wants to see that something happens."""
    assert "Kafka and Redis are ready" in demo.stderr
    assert "events in" in demo.stderr
    assert "\x1b" not in demo.stderr


def test_the_three_commands_it_names_do_what_it_says(
    demo: subprocess.CompletedProcess[str], folder: Path, tmp_path: Path
) -> None:
    """They are the first thing a stranger types after it."""
    told = demo.stderr.partition("what to type next")[2].splitlines()
    lines = [
        shlex.split(line)
        for line in told
        if " riskstream " in f" {line.replace('/riskstream', ' riskstream')} "
    ]
    arguments = [line[[Path(part).name for part in line].index("riskstream") + 1 :] for line in lines]
    assert [command[0] for command in arguments] == ["up", "explain", "replay"]
    there = {"data_dir": str(folder / "demo")}
    try:
        assert riskstream(*arguments[0], **there).returncode == 0
        explained = riskstream(*arguments[1], **there)
        assert explained.returncode == 0, explained.stderr
    finally:
        riskstream("down", **there)
    out = tmp_path / "scores.parquet"
    replayed = riskstream(*arguments[2][:-1], str(out))
    assert replayed.returncode == 0, replayed.stderr
    assert pl.read_parquet(out).height == json.loads(demo.stdout)["events"] - closes_of(folder)


def closes_of(folder: Path) -> int:
    """Events of the demo's second file."""
    return pl.read_parquet(folder / "demo" / "closes.parquet").height


@pytest.mark.parametrize(
    ("how", "when"), [(signal.SIGINT, "feeding history"), (signal.SIGTERM, "Kafka and Redis are ready")]
)
def test_an_interrupted_demo_leaves_no_process_behind(tmp_path: Path, how: signal.Signals, when: str) -> None:
    """Ctrl-C, or the end of a session, stops worker, Kafka and Redis in order and shows no traceback."""
    command = riskstream_command("demo", "--json")
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(data_dir=str(tmp_path)),
    ) as running:
        assert running.stderr is not None
        said = []
        for line in running.stderr:
            said.append(line)
            if when in line:
                break
        stored = read_services(tmp_path / "demo")
        assert stored is not None, "".join(said)
        running.send_signal(how)
        out, rest = running.communicate(timeout=60)
    assert running.returncode == 130, rest
    assert out == "", "a demo that was not finished is not judged"
    assert "Traceback" not in rest
    assert not is_running(stored.kafka.pid, stored.kafka.birth)
    assert not is_running(stored.redis.pid, stored.redis.birth)
    assert read_services(tmp_path / "demo") is None


def test_a_second_demo_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    """It would erase the data under the first one's feet."""
    with subprocess.Popen(
        riskstream_command("demo", "--json"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=environment(data_dir=str(tmp_path)),
    ) as first:  # fmt: skip
        assert first.stderr is not None
        first.stderr.readline()
        second = riskstream("demo", "--json", data_dir=str(tmp_path))
        first.send_signal(signal.SIGINT)
        first.communicate(timeout=60)
    assert second.returncode == 1
    assert "another demo runs" in second.stderr
