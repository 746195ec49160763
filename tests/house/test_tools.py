"""The tools that hold the code to its form: ruff, mypy, import-linter, as pyproject.toml sets them."""

import subprocess
import sys
from pathlib import Path

from tests.support.source_tree import ROOT

SCRIPTS = Path(sys.executable).parent


def run(*command: str) -> None:
    """Fails with what the tool said."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"


def test_ruff_finds_nothing_to_change() -> None:
    """One form for all files, so that a diff shows only what changed."""
    run(sys.executable, "-m", "ruff", "check", "--no-cache", "--output-format", "concise", ".")


def test_mypy_finds_nothing_in_strict_mode() -> None:
    """The seams between the packages are types; a hole in one shows here and not at night."""
    run(sys.executable, "-m", "mypy")


def test_packages_import_in_one_direction() -> None:
    """schemas <- scoring <- training or stream: what scores must run where neither Kafka nor torch is."""
    run(str(SCRIPTS / "lint-imports"), "--no-cache")
