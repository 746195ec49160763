"""The decorator of the compiled kernels; their machine code is kept between runs."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

import numba

from scoring.kernel_cache import cache_folder

numba.config.CACHE_DIR = str(cache_folder())
P = ParamSpec("P")
R = TypeVar("R")
_njit = numba.njit(cache=True, error_model="numpy")  # the kernels look before they divide


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """The function as machine code; its types are those of the Python function."""
    return _njit(function)  # type: ignore[no-any-return]
