"""Byte strings one behind the other in one array: what compiled code can read and write."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from scoring.compiled import compiled, entry

Bytes = NDArray[np.uint8]
_QUOTE, _BACKSLASH, _COMMA = ord('"'), ord("\\"), ord(",")
_encode = msgspec.json.Encoder().encode


class Packed(NamedTuple):
    """Byte strings: number i is `raw[starts[i]:ends[i]]`, uint8 with int64 bounds."""

    raw: Bytes
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]

    def one(self, place: int) -> bytes:
        """A copy of one of them."""
        return self.raw[self.starts[place] : self.ends[place]].tobytes()

    def cut(self, which: slice) -> "Packed":
        """Some of them, still where they lie."""
        return Packed(self.raw, self.starts[which], self.ends[which])


def pack(strings: Sequence[bytes]) -> Packed:
    """The strings, one behind the other."""
    bounds = np.zeros(len(strings) + 1, np.int64)
    np.cumsum(np.fromiter(map(len, strings), np.int64, len(strings)), out=bounds[1:])
    return Packed(np.frombuffer(bytearray().join(strings), np.uint8), bounds[:-1], bounds[1:])


def pack_json(values: Sequence[str] | Sequence[float]) -> Packed:
    """The JSON of each text or number, by one call of the encoder for all; NaN is `null`.

    >>> names = pack_json(["a", 'b"'])
    >>> names.one(0), names.one(1)
    (b'"a"', b'"b\\\\""')
    """
    raw = np.frombuffer(bytearray(_encode(values)), np.uint8)
    bounds = np.empty(len(values) + 1, np.int64)
    _find_elements(raw, bounds)
    return Packed(raw, bounds[:-1], bounds[1:] - 1)


@entry
def _find_elements(raw: Bytes, bounds: NDArray[np.int64]) -> None:
    """Where the elements of a JSON array of texts and numbers begin; the next begins two bytes past an end."""
    within, escaped, found = False, False, 0
    bounds[0] = 1
    for place in range(1, len(raw) - 1):
        byte = raw[place]
        if escaped:
            escaped = False
        elif within and byte == _BACKSLASH:
            escaped = True
        elif byte == _QUOTE:
            within = not within
        elif byte == _COMMA and not within:
            found += 1
            bounds[found] = place + 1
    bounds[-1] = len(raw)


@intrinsic  # type: ignore[untyped-decorator]
def _copy(typing: Any, to: Any, start: Any, size: Any) -> Any:
    """`memcpy` from one address to another: a loop over bytes takes ten times as long."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        target, source, count = arguments
        pointer = ir.IntType(8).as_pointer()
        cgutils.raw_memcpy(
            builder, builder.inttoptr(target, pointer), builder.inttoptr(source, pointer), count, itemsize=1
        )
        return arguments[2]

    return types.intp(types.intp, types.intp, types.intp), generate


@compiled
def put(out: Bytes, at: int, strings: Packed, which: int) -> int:
    """Copies one string to `out` at `at`, where there must be room; gives the place behind it."""
    start = strings.starts[which]
    return copy_bytes(out, at, strings.raw, start, strings.ends[which] - start)


@compiled
def copy_bytes(out: Bytes, at: int, raw: Bytes, start: int, size: int) -> int:
    """Copies `size` bytes of `raw` from `start` on to `out` at `at`, where there must be room; gives the place behind."""
    if size > 0:
        _copy(out.ctypes.data + at, raw.ctypes.data + start, size)
    return at + size


@compiled
def size_of(strings: Packed, which: int) -> int:
    """Bytes of one string."""
    return int(strings.ends[which] - strings.starts[which])
