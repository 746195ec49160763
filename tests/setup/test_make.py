"""The verbs of the Makefile explain themselves, and what they install is locked by hash."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKED = {name: ROOT / "requirements" / f"{name}.txt" for name in ("run", "test", "train", "uv")}
PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)==\S+", re.MULTILINE)


def pins(name: str) -> set[str]:
    return set(PIN.findall(LOCKED[name].read_text()))


def test_help_lists_every_verb_with_a_line() -> None:
    """A newcomer types `make` and sees what there is."""
    told = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for verb in ("demo", "test", "check", "bench", "train"):
        assert re.search(rf"^  make {verb} +\S", told, re.MULTILINE), verb


@pytest.mark.parametrize("name", LOCKED)
def test_every_pin_has_a_hash_and_no_file_names_an_index(name: str) -> None:
    """What was tested is what is installed, from whatever index the reader's machine is set up with."""
    text = LOCKED[name].read_text()
    blocks = re.split(r"\n(?=[a-z0-9])", text[text.index("\n", text.index("make lock")) + 1 :])
    assert blocks
    for block in blocks:
        assert "--hash=sha256:" in block, block[:80]
    assert "://" not in text


def test_the_demo_does_not_need_torch() -> None:
    """`make demo` is the first thing a stranger types: torch would make it minutes and gigabytes."""
    assert not {"torch", "scikit-learn", "onnxscript", "pytest"} & pins("run")
    assert {"torch", "pytest"} <= pins("train")


def test_each_set_contains_the_smaller_one() -> None:
    """One .venv serves all verbs: a larger set never takes away what a smaller one needs."""
    assert pins("run") <= pins("test") <= pins("train")


def test_declared_dependencies_are_locked() -> None:
    """A dependency added to pyproject.toml without `make lock` would be missing for everybody else."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = {
        "run": [*project["dependencies"], *extras["embedded"]],
        "test": extras["test"],
        "train": extras["train"],
    }
    for name, requirements in wanted.items():
        names = {re.split(r"[<>=~!;\[ ]", line)[0].lower() for line in requirements}
        assert names <= pins(name), (
            f"run `make lock`: {names - pins(name)} missing in requirements/{name}.txt"
        )
