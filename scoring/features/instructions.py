"""Instructions of the processor that Python has no word for, for compiled functions."""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

_POINTER = ir.IntType(8).as_pointer()
_WORD = ir.IntType(32)
_READ, _WRITE, _NEAREST, _DATA = 0, 1, 3, 1


def _ask_for(builder: Any, address: Any, purpose: int) -> Any:
    of = ir.FunctionType(ir.VoidType(), [_POINTER, _WORD, _WORD, _WORD])
    asked = builder.module.declare_intrinsic("llvm.prefetch", [_POINTER], of)
    builder.call(asked, [builder.inttoptr(address, _POINTER), *(_WORD(each) for each in (purpose, _NEAREST, _DATA))])
    return address


@intrinsic  # type: ignore[untyped-decorator]
def soon_read(typing: Any, address: Any) -> Any:
    """Asks for the cache line at an address that is going to be read; nothing else happens."""
    return types.intp(types.intp), lambda _c, builder, _s, given: _ask_for(builder, given[0], _READ)


@intrinsic  # type: ignore[untyped-decorator]
def soon_written(typing: Any, address: Any) -> Any:
    """Asks for the cache line at an address that is going to be written; nothing else happens."""
    return types.intp(types.intp), lambda _c, builder, _s, given: _ask_for(builder, given[0], _WRITE)


@intrinsic  # type: ignore[untyped-decorator]
def bits_set(typing: Any, bits: Any) -> Any:
    """How many bits of a uint64 are set."""
    return types.int64(types.uint64), lambda _c, builder, _s, given: builder.ctpop(given[0])
