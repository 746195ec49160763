"""Stable hashes of text: seeded xxh3 of UTF-8, the same in every process and on every machine."""

from collections.abc import Sequence
from itertools import repeat

import numpy as np
from numpy.typing import NDArray
from xxhash import xxh3_64_intdigest

SEED = 0x5249534B  # "RISK"
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


def text_hash(text: str) -> int:
    """64-bit hash of a text, never 0 (0 stands for missing)."""
    return xxh3_64_intdigest(text.encode(), SEED) or 1


def text_hashes(texts: Sequence[str | None]) -> NDArray[np.uint64]:
    """Hashes uint64[n] of the texts; 0 where missing.

    They are made anew each time: among 20,000 accounts, looking up a remembered hash takes longer than hashing.
    """
    if not any(texts):  # optional fields are mostly missing altogether
        return np.zeros(len(texts), np.uint64)
    if not all(texts):
        return np.fromiter((text_hash(text) if text else 0 for text in texts), np.uint64, len(texts))
    encoded = map(str.encode, texts)  # type: ignore[arg-type]
    hashes = np.fromiter(map(xxh3_64_intdigest, encoded, repeat(SEED)), np.uint64, len(texts))
    hashes[hashes == 0] = 1
    return hashes


def bytes_hash(raw: bytes) -> str:
    """16 hex digits of the 64-bit xxh3 of bytes."""
    return f"{xxh3_64_intdigest(raw, SEED):016x}"


def mix(state: NDArray[np.uint64], column: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The running hash uint64[n] of several columns, one column further (a multiply-xorshift round)."""
    mixed = (state ^ column) * _MULTIPLIER
    return mixed ^ (mixed >> np.uint64(32))
