"""Which Python runs a competitor, and whether it has what the competitor needs.

A competitor's package may want other versions than riskstream has: the variable `BENCH_PYTHON` names an interpreter that
has the packages, and beside them numpy and onnxruntime; `make bench` makes one. Without it they are looked for where the
benchmark itself runs.
"""

import re
import subprocess
import sys
from collections.abc import Mapping

from benchmarks.competitors.kafka_streams.jdk import LeftOut, find_jdk
from benchmarks.contestants import Contestant

VARIABLE = "BENCH_PYTHON"
ASK_VERSION = "import sys; from importlib.metadata import version; print(version(sys.argv[1]))"


def interpreter_of(contestant: Contestant, environment: Mapping[str, str]) -> str:
    """The Python that runs it: the benchmark's own, but for those that need an optional package."""
    return (environment.get(VARIABLE) if contestant.needs else None) or sys.executable


def package_of(requirement: str) -> str:
    """The package of a requirement.

    >>> package_of("bytewax[kafka]>=0.21")
    'bytewax'
    """
    return re.split(r"[^\w.-]", requirement, maxsplit=1)[0]


def installed_version(package: str, interpreter: str) -> str | None:
    """The version that this Python has of it; None without it."""
    try:
        asked = subprocess.run(
            [interpreter, "-c", ASK_VERSION, package], capture_output=True, text=True, check=False
        )
    except OSError:  # there is no such interpreter
        return None
    return asked.stdout.strip() if asked.returncode == 0 else None


def why_left_out(contestant: Contestant, environment: Mapping[str, str]) -> str | None:
    """What to do about a missing package or kit; None when nothing is missing."""
    if contestant.jdk:
        try:
            find_jdk(environment)
        except LeftOut as missing:
            return str(missing)
    package = package_of(contestant.needs)
    if not package or installed_version(package, interpreter_of(contestant, environment)):
        return None
    return f"{package} is not installed; `make bench` tries to, or name a Python that has it in {VARIABLE}"
