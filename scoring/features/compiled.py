"""The decorator of the compiled kernels, and where their machine code is kept between runs.

Numba invalidates a cached function by its own file only; a change in a function it calls would go unnoticed. So the
cache folder is named after a digest of all kernel sources.
"""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

import numba


def _cache_folder() -> Path:
    sources = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        sources.update(path.read_bytes())
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return home / "riskstream" / f"kernels-{sources.hexdigest()[:16]}"


numba.config.CACHE_DIR = str(_cache_folder())
P = ParamSpec("P")
R = TypeVar("R")
_njit = numba.njit(cache=True)


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """The function as machine code; its types are those of the Python function."""
    return _njit(function)  # type: ignore[no-any-return]
