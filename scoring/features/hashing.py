"""Stable hashes of text: seeded xxh3 of UTF-8, the same in every process and on every machine."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from xxhash import xxh3_64_intdigest

SEED = 0x5249534B  # "RISK"
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


def text_hash(text: str) -> int:
    """64-bit hash of a text, never 0 (0 stands for missing)."""
    return xxh3_64_intdigest(text.encode(), SEED) or 1


class HashMemory(dict[str | None, int]):
    """Hashes already made; a look-up costs a quarter of a hash. Forgets everything when it is full."""

    MOST = 200_000

    def __missing__(self, text: str | None) -> int:
        if len(self) >= self.MOST:
            self.clear()
        made = text_hash(text) if text else 0
        self[text] = made
        return made


_memory = HashMemory()


def text_hashes(texts: Sequence[str | None], *, repeating: bool = False) -> NDArray[np.uint64]:
    """Hashes uint64[n] of the texts; 0 where missing.

    Args:
        repeating: the same texts come again and again (codes, entities, not event ids): remember them.
    """
    if not any(texts):  # optional fields are mostly missing altogether; ids are never empty
        return np.zeros(len(texts), np.uint64)
    if repeating:
        return np.array([_memory[text] for text in texts], np.uint64)
    digest, seed = xxh3_64_intdigest, SEED
    return np.array([digest(text.encode(), seed) or 1 if text else 0 for text in texts], np.uint64)


def bytes_hash(raw: bytes) -> str:
    """16 hex digits of the 64-bit xxh3 of bytes."""
    return f"{xxh3_64_intdigest(raw, SEED):016x}"


def mix(state: NDArray[np.uint64], column: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The running hash uint64[n] of several columns, one column further (a multiply-xorshift round)."""
    mixed = (state ^ column) * _MULTIPLIER
    return mixed ^ (mixed >> np.uint64(32))
