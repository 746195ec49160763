"""Java's default partitioner of Kafka: murmur2 of the key. Other clients (librdkafka) have another default.

Source: Austin Appleby, MurmurHash2, 2008, with the seed of Kafka's Java client.
"""

_SEED, _MULTIPLIER, _MASK = 0x9747B28C, 0x5BD1E995, 0xFFFFFFFF


def murmur2(key: bytes) -> int:
    """The 32-bit hash of a key, unsigned.

    >>> hex(murmur2(b"21"))
    '0xc5f2f8ec'
    """
    length = len(key)
    state = _SEED ^ length
    whole = length & ~3
    for start in range(0, whole, 4):
        word = int.from_bytes(key[start : start + 4], "little") * _MULTIPLIER & _MASK
        word = (word ^ (word >> 24)) * _MULTIPLIER & _MASK
        state = (state * _MULTIPLIER & _MASK) ^ word
    if whole < length:
        state = (state ^ int.from_bytes(key[whole:], "little")) * _MULTIPLIER & _MASK
    state = (state ^ (state >> 13)) * _MULTIPLIER & _MASK
    return state ^ (state >> 15)


def partition_of(key: bytes, partition_count: int) -> int:
    """The partition that Java's producer gives this key."""
    return (murmur2(key) & 0x7FFFFFFF) % partition_count
