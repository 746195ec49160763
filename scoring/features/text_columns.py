"""Texts that lie in one array, one behind the other: hashed, told apart, compared, cut, by compiled code."""

import numpy as np
from numpy.typing import NDArray

from scoring.compiled import entry, lent
from scoring.features.hashing import SEED
from scoring.features.xxh3 import LONGEST, xxh3
from scoring.wire.packed import Bytes, Packed, put, size_of
from scoring.wire.read_json import ABSENT

_SEED = np.uint64(SEED)
_LINE_END = ord("\n")


@entry
def hash_texts(
    raw: Bytes, starts: NDArray[np.int64], ends: NDArray[np.int64]
) -> NDArray[np.uint64]:
    """Hashes uint64[texts, n]; 0 where nothing is, or an empty text; those longer than `LONGEST` are left at 0."""
    hashes = np.zeros(starts.shape, np.uint64)
    raw, starts, ends = lent(raw), lent(starts), lent(ends)
    for text in range(starts.shape[0]):
        for row in range(starts.shape[1]):
            start, size = starts[text, row], ends[text, row] - starts[text, row]
            if start != ABSENT and 0 < size <= LONGEST:
                found = xxh3(raw, start, size, _SEED)
                hashes[text, row] = found if found else np.uint64(1)
    return hashes


@entry
def index_of(
    raw: Bytes, starts: NDArray[np.int64], ends: NDArray[np.int64], hashes: NDArray[np.uint64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Which distinct text each is, int64[n], and where each distinct one appears first."""
    raw, starts, ends, hashes = lent(raw), lent(starts), lent(ends), lent(hashes)
    n = len(starts)
    room = 16
    while room < 2 * n:
        room *= 2
    slots = np.full(room, -1)
    index, first, known = np.empty(n, np.int64), np.empty(n, np.int64), 0
    for row in range(n):
        slot = np.int64(hashes[row] & np.uint64(room - 1))
        while True:
            found = slots[slot]
            if found < 0:
                slots[slot] = found = known
                first[known] = row
                known += 1
                break
            other = first[found]
            same = hashes[other] == hashes[row] and ends[other] - starts[other] == ends[row] - starts[row]
            for place in range(ends[row] - starts[row] if same else 0):
                if raw[starts[other] + place] != raw[starts[row] + place]:
                    same = False
                    break
            if same:
                break
            slot = (slot + 1) & (room - 1)
        index[row] = found
    return index, first[:known].copy()


def texts_of(texts: Packed) -> list[str]:
    """Each of the texts, UTF-8 without control characters; by one decoding for all: 0.05 us a text instead of 0.3.

    >>> from scoring.wire.packed import pack
    >>> texts_of(pack(["a".encode(), "é".encode()])), texts_of(pack([]))
    (['a', 'é'], [])
    """
    return _lines(texts).tobytes().decode().split("\n") if len(texts.starts) else []


@entry
def _lines(texts: Packed) -> Bytes:
    """The texts with a line end between them."""
    texts = lent(texts)
    size = len(texts.starts) - 1
    for which in range(len(texts.starts)):
        size += size_of(texts, which)
    out, at = np.empty(size, np.uint8), 0
    for which in range(len(texts.starts)):
        if which:
            out[at] = _LINE_END
            at += 1
        at = put(out, at, texts, which)
    return out


@entry
def same_texts(texts: Packed, raw: Bytes, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> bool:
    """Whether each text is the one that lies in `raw`."""
    texts, raw, starts, ends = lent(texts), lent(raw), lent(starts), lent(ends)
    for row in range(len(starts)):
        first = texts.starts[row]
        if texts.ends[row] - first != ends[row] - starts[row]:
            return False
        for place in range(ends[row] - starts[row]):
            if texts.raw[first + place] != raw[starts[row] + place]:
                return False
    return True


@entry
def cut_places(
    entity: NDArray[np.int64], entities: int, edges: NDArray[np.int64], most_entities: int
) -> NDArray[np.int64]:
    """Where pieces of at most so many entities begin, at edges in any case; ascending, the first piece left out."""
    met, cuts, found = np.full(entities, -1), np.empty(len(entity) + 1, np.int64), 0
    within, edge = 0, 0
    for row in range(len(entity)):
        while edge < len(edges) and edges[edge] < row:
            edge += 1
        full = met[entity[row]] != found and within >= most_entities
        if full or (edge < len(edges) and edges[edge] == row):
            cuts[found] = row
            found += 1
            within = 0
        if met[entity[row]] != found:
            met[entity[row]] = found
            within += 1
    return cuts[:found].copy()
