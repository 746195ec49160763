"""`riskstream demo --use NAME` as its users run it: each use ends by itself, is good, and names what to type next."""

import json
import shlex
from collections import Counter
from pathlib import Path

import polars as pl
import pytest

from scoring.catalog import scorers
from stream.demo.use_catalog import uses
from tests.support.command_line import riskstream

WITHIN_S = 240


@pytest.mark.parametrize("name", uses())
def test_a_use_is_good_and_its_last_line_says_so(name: str, tmp_path: Path) -> None:
    """Each event has exactly one score of each of the use's scorers and of no other, and the figures are good enough."""
    use = uses()[name]
    done = riskstream("demo", "--use", name, "--json", within_seconds=WITHIN_S, data_dir=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == 1, "progress belongs to standard error"
    said = json.loads(done.stdout)
    assert (said["use"], said["problems"], said["missing"], said["repeated"]) == (name, [], 0, 0)
    fed = use.inputs(tmp_path)
    assert said["events"] == fed.rows > 0
    judging = Counter(scorers()[scorer].event.topic for scorer in use.scorers)
    assert said["scores"] + said["dead_letters"] == sum(each.rows * judging[each.topic] for each in fed.inputs)
    assert said["figures"]
    for scorer in scorers():
        assert (f"scores of {scorer} " in done.stderr) == (scorer in use.scorers)
    told = done.stderr.partition("what to type next")[2].splitlines()
    replayed = next(shlex.split(line) for line in told if " replay " in line)
    out = tmp_path / "scores.parquet"
    replay = riskstream(*replayed[replayed.index("replay") : -1], str(out))
    assert replay.returncode == 0, replay.stderr
    assert pl.read_parquet(out).height == next(each.rows for each in fed.inputs if each.file.name == use.replayed)


def test_an_unknown_use_is_refused_with_those_there_are(tmp_path: Path) -> None:
    """Whoever mistypes a name reads which there are, and nothing is started."""
    done = riskstream("demo", "--use", "markt", data_dir=str(tmp_path))
    assert done.returncode == 1
    assert "no use 'markt'" in done.stderr
    assert all(name in done.stderr for name in uses())
    assert not (tmp_path / "demo").exists()
