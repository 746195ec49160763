"""Runs `riskstream` as its users do: as a process of its own, without settings of whoever runs the tests."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
EVERYWHERE: dict[str, str] = {}
"""Settings of every command and worker that a test starts: `--redis-cluster` puts one in."""


def riskstream_command(*arguments: str) -> list[str]:
    """The command with these arguments, ready for `subprocess`, whether or not the project is installed."""
    start = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from stream.cli import main; main()"
    return [sys.executable, "-c", start, *arguments]


def environment(**settings: str) -> Mapping[str, str]:
    """This process's environment without `RISKSTREAM_` variables, plus the settings given and those of all."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RISKSTREAM_")}
    return kept | {f"RISKSTREAM_{name.upper()}": value for name, value in (EVERYWHERE | settings).items()}


def riskstream(
    *arguments: str, within_seconds: float = 120.0, **settings: str
) -> subprocess.CompletedProcess[str]:
    """Runs the command to its end and returns exit code and texts.

    Raises:
        TimeoutExpired: it did not end in time.
    """
    return subprocess.run(
        riskstream_command(*arguments),
        env=environment(**settings),
        capture_output=True,
        text=True,
        timeout=within_seconds,
        check=False,
    )
