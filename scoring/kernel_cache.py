"""Where the machine code of the kernels is kept between runs, and whether all of it is there.

Numba invalidates a cached function by its own file only; a change in a function it calls would go unnoticed. So the
cache folder is named after a digest of all kernel sources. Nothing in here imports numba: who only asks need not wait.
"""

import hashlib
import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).parent
SOURCES = ("compiled.py", "features/*.py", "wire/*.py")


def cache_folder() -> Path:
    """The folder of the machine code of the kernels as they are now, under `XDG_CACHE_HOME` or `~/.cache`."""
    sources = hashlib.sha256()
    for pattern in SOURCES:
        for path in sorted(HERE.glob(pattern)):
            sources.update(path.read_bytes())
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return home / "riskstream" / f"kernels-{sources.hexdigest()[:16]}"


def is_complete() -> bool:
    """Whether every kernel was compiled: `python -m scoring.warm` did it to its end."""
    return _mark().exists()


def mark_complete() -> None:
    """Notes that every kernel was compiled, by this Python and numba and for this kind of machine."""
    _mark().parent.mkdir(parents=True, exist_ok=True)
    _mark().touch()


def _mark() -> Path:
    maker = f"{sys.implementation.cache_tag}-numba-{version('numba')}-{platform.machine()}"
    return cache_folder() / f"complete-{maker}"
