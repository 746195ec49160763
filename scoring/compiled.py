"""The decorators of the compiled kernels; their machine code is kept between runs."""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import numba
from numba import types
from numba.extending import intrinsic

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


@intrinsic  # type: ignore[untyped-decorator]
def lent(typing: Any, owned: Any) -> Any:
    """The same array, or tuple of arrays, without counting references: for what the caller of an entry holds meanwhile.

    Compiled functions count each array that they hand to one another, by locked instructions: a third of the fold's time.
    Never of an array that compiled code makes: it is freed after the last line that names it by its own name.
    """
    return owned(owned), lambda context, builder, _signature, given: _uncounted(context, builder, owned, given[0])


def _uncounted(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    if isinstance(kind, types.BaseTuple):
        parts = [
            _uncounted(context, builder, each, builder.extract_value(value, place))
            for place, each in enumerate(kind.types)
        ]
        return context.make_tuple(builder, kind, parts)
    array = context.make_array(kind)(context, builder, value)
    array.meminfo = array.meminfo.type(None)
    array.parent = array.parent.type(None)
    return array._getvalue()
