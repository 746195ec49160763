"""The decorators of the compiled kernels; their machine code is kept between runs."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

import numba

from scoring.kernel_cache import cache_folder

numba.config.CACHE_DIR = str(cache_folder())
P = ParamSpec("P")
R = TypeVar("R")
# numpy's division gives NaN or infinity where Python's raises: the kernels look before they divide
_entry = numba.njit(cache=True, error_model="numpy", nogil=True)
_inner = numba.njit(error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """The function as machine code, to be called by compiled functions only; a part of whoever calls it.

    Neither kept by itself nor wrapped for Python, which spares a quarter of the time of compilation.
    """
    return _inner(function)  # type: ignore[no-any-return]


def entry(function: Callable[P, R]) -> Callable[P, R]:
    """The function as machine code that Python may call; its types are those it is called with.

    It is kept between runs, and lets other threads run Python meanwhile.
    """
    return _entry(function)  # type: ignore[no-any-return]
