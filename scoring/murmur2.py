"""The partitioner of Java's Kafka clients, over many keys at once.

librdkafka's default is another hash; a topic that mixes both spreads an entity over two partitions.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from scoring.compiled import entry, lent
from scoring.wire.packed import Packed

_SEED = np.uint32(0x9747B28C)
_M = np.uint32(0x5BD1E995)


def murmur2(keys: Sequence[bytes]) -> NDArray[np.uint32]:
    """uint32[n]: the 32-bit murmur2 of every key, as Kafka's Java client computes it.

    Source: org.apache.kafka.common.utils.Utils.murmur2.

    >>> murmur2([b"21"]).astype(np.int32).tolist()
    [-973932308]
    """
    if not keys:
        return np.zeros(0, np.uint32)
    lengths = np.fromiter(map(len, keys), np.uint32, len(keys))
    # one word more than the longest key fills, so that the tail word of every key exists and is zero-padded
    width = (int(lengths.max()) // 4 + 1) * 4
    padded = np.frombuffer(b"".join(key.ljust(width, b"\0") for key in keys), "<u4")
    words = padded.reshape(len(keys), width // 4)  # (key, word)
    full = lengths // np.uint32(4)
    mixed = _SEED ^ lengths
    for place in range(width // 4 - 1):
        word = words[:, place] * _M
        word ^= word >> np.uint32(24)
        mixed = np.where(full > place, (mixed * _M) ^ (word * _M), mixed)
    tail = words[np.arange(len(keys)), full]
    mixed = np.where(lengths % np.uint32(4) > 0, (mixed ^ tail) * _M, mixed)
    mixed = (mixed ^ (mixed >> np.uint32(13))) * _M
    return mixed ^ (mixed >> np.uint32(15))


def partitions_of(keys: Sequence[bytes], partition_count: int) -> NDArray[np.int64]:
    """int64[n]: the partition of every key, as Java's default partitioner chooses it."""
    return (murmur2(keys) & np.uint32(0x7FFFFFFF)).astype(np.int64) % partition_count


def partition_of(key: bytes, partition_count: int) -> int:
    """The partition of one key.

    >>> partition_of(b"21", 4)
    0
    """
    return int(partitions_of([key], partition_count)[0])


@entry
def homes_of(keys: Packed, partition_count: int) -> NDArray[np.int64]:
    """`partitions_of` of keys that lie in one array, int64[n].

    >>> from scoring.wire.packed import pack
    >>> homes_of(pack([b"21", b"", b"abc"]), 4).tolist() == partitions_of([b"21", b"", b"abc"], 4).tolist()
    True
    """
    keys = lent(keys)
    homes = np.empty(len(keys.starts), np.int64)
    for row in range(len(homes)):
        at, size = keys.starts[row], keys.ends[row] - keys.starts[row]
        mixed = _SEED ^ np.uint32(size)
        for _ in range(size // 4):
            word = np.uint32(0)
            for place in range(4):
                word |= np.uint32(keys.raw[at + place]) << np.uint32(8 * place)
            word = np.uint32(word * _M)
            word ^= word >> np.uint32(24)
            mixed = np.uint32(np.uint32(mixed * _M) ^ np.uint32(word * _M))
            at += 4
        if size % 4:
            word = np.uint32(0)
            for place in range(size % 4):
                word |= np.uint32(keys.raw[at + place]) << np.uint32(8 * place)
            mixed = np.uint32((mixed ^ word) * _M)
        mixed = np.uint32((mixed ^ (mixed >> np.uint32(13))) * _M)
        mixed ^= mixed >> np.uint32(15)
        homes[row] = np.int64(mixed & np.uint32(0x7FFFFFFF)) % partition_count
    return homes
