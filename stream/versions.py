"""Which versions run here: riskstream, Python, and the libraries that decide behaviour and arithmetic."""

import platform
import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from scoring.model.session import runtime_fingerprint

LIBRARIES = (
    "aiokafka", "faust-streaming", "hiredis", "kafka-python", "mode-streaming", "msgspec", "numba", "numpy",
    "onnxruntime", "redis",
)  # fmt: skip
ABSENT = "not installed"


def riskstream_version() -> str:
    """The installed version; in a checkout that is not installed, the one its project file declares."""
    try:
        return version("riskstream")
    except PackageNotFoundError:
        declared = Path(__file__).parents[1] / "pyproject.toml"
        found = tomllib.loads(declared.read_text())["project"]["version"] if declared.is_file() else ABSENT
        return f"{found} (not installed)" if found != ABSENT else ABSENT


def library_version(name: str) -> str:
    """The installed version of a library, or `not installed`."""
    try:
        return version(name)
    except PackageNotFoundError:
        return ABSENT


def versions() -> dict[str, str]:
    """Name to version, riskstream and Python first; `runtime` is the fingerprint that scores carry."""
    return {
        "riskstream": riskstream_version(),
        "python": platform.python_version(),
        **{name: library_version(name) for name in LIBRARIES},
        "runtime": runtime_fingerprint(),
    }
