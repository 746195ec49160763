"""The 64-bit xxh3 hash of up to 240 bytes as compiled code, for texts that lie in one array.

Longer texts are rare among ids, and go to the library. A test holds the two against each other.

Source: Yann Collet, "xxHash fast digest algorithm", XXH3, of the reference implementation 0.8.
"""

import numpy as np

from scoring.compiled import compiled
from scoring.wire.packed import Bytes

LONGEST = 240

_SECRET_TEXT = (
    "b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671fcb79e64eccc0e578825ad07dccff7221"
    "b8084674f743248ee03590e6813a264c3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8"
    "a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364eac5ac8334d3ebc3c581a0fffa1363eb"
    "170ddd51b7f0da49d316552629d4689e2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e"
)
_SECRET = np.frombuffer(bytes.fromhex(_SECRET_TEXT), np.uint8)
_P64_1, _P64_2 = np.uint64(0x9E3779B185EBCA87), np.uint64(0xC2B2AE3D27D4EB4F)
_P64_3 = np.uint64(0x165667B19E3779F9)
_MX_1, _MX_2 = np.uint64(0x165667919E3779F9), np.uint64(0x9FB21C651E98DF25)
_LOW = np.uint64(0xFFFFFFFF)


@compiled
def xxh3(raw: Bytes, start: int, size: int, seed: np.uint64) -> np.uint64:
    """The hash of `size` bytes of `raw` from `start` on, at most `LONGEST`; modulo 2^64 throughout."""
    n = np.uint64(size)
    if size == 0:
        return _avalanche_64(seed ^ _read64(_SECRET, 56) ^ _read64(_SECRET, 64))
    if size <= 3:
        first, middle, last = raw[start], raw[start + (size >> 1)], raw[start + size - 1]
        mixed = (np.uint64(first) << np.uint64(16)) | (np.uint64(middle) << np.uint64(24))
        mixed |= np.uint64(last) | (n << np.uint64(8))
        return _avalanche_64(mixed ^ ((_read32(_SECRET, 0) ^ _read32(_SECRET, 4)) + seed))
    if size <= 8:
        turned = seed ^ (_swap32(seed & _LOW) << np.uint64(32))
        high, low = _read32(raw, start), _read32(raw, start + size - 4)
        keyed = (low + (high << np.uint64(32))) ^ ((_read64(_SECRET, 8) ^ _read64(_SECRET, 16)) - turned)
        return _rrmxmx(keyed, n)
    if size <= 16:
        low = _read64(raw, start) ^ ((_read64(_SECRET, 24) ^ _read64(_SECRET, 32)) + seed)
        high = _read64(raw, start + size - 8) ^ ((_read64(_SECRET, 40) ^ _read64(_SECRET, 48)) - seed)
        return _avalanche(n + _swap64(low) + high + _fold_product(low, high))
    state = n * _P64_1
    if size <= 128:
        for pair in range((size - 1) >> 5, -1, -1):
            state += _mix16(raw, start + 16 * pair, 32 * pair, seed)
            state += _mix16(raw, start + size - 16 * (pair + 1), 32 * pair + 16, seed)
        return _avalanche(state)
    for part in range(8):
        state += _mix16(raw, start + 16 * part, 16 * part, seed)
    state = _avalanche(state)
    for part in range(8, size >> 4):
        state += _mix16(raw, start + 16 * part, 16 * (part - 8) + 3, seed)
    return _avalanche(state + _mix16(raw, start + size - 16, 136 - 17, seed))


@compiled
def _mix16(raw: Bytes, at: int, secret_at: int, seed: np.uint64) -> np.uint64:
    low = _read64(raw, at) ^ (_read64(_SECRET, secret_at) + seed)
    high = _read64(raw, at + 8) ^ (_read64(_SECRET, secret_at + 8) - seed)
    return _fold_product(low, high)


@compiled
def _fold_product(one: np.uint64, other: np.uint64) -> np.uint64:
    """The two halves of the 128-bit product, combined."""
    half = np.uint64(32)
    low_low = (one & _LOW) * (other & _LOW)
    high_low = (one >> half) * (other & _LOW)
    low_high = (one & _LOW) * (other >> half)
    high_high = (one >> half) * (other >> half)
    cross = (low_low >> half) + (high_low & _LOW) + low_high
    upper = (high_low >> half) + (cross >> half) + high_high
    return upper ^ ((cross << half) | (low_low & _LOW))


@compiled
def _rrmxmx(state: np.uint64, n: np.uint64) -> np.uint64:
    state ^= _rotated(state, 49) ^ _rotated(state, 24)
    state *= _MX_2
    state ^= (state >> np.uint64(35)) + n
    state *= _MX_2
    return state ^ (state >> np.uint64(28))


@compiled
def _avalanche(state: np.uint64) -> np.uint64:
    state ^= state >> np.uint64(37)
    state *= _MX_1
    return state ^ (state >> np.uint64(32))


@compiled
def _avalanche_64(state: np.uint64) -> np.uint64:
    state ^= state >> np.uint64(33)
    state *= _P64_2
    state ^= state >> np.uint64(29)
    state *= _P64_3
    return state ^ (state >> np.uint64(32))


@compiled
def _rotated(number: np.uint64, by: int) -> np.uint64:
    return (number << np.uint64(by)) | (number >> np.uint64(64 - by))


@compiled
def _read32(raw: Bytes, at: int) -> np.uint64:
    found = np.uint64(0)
    for place in range(4):
        found |= np.uint64(raw[at + place]) << np.uint64(8 * place)
    return found


@compiled
def _read64(raw: Bytes, at: int) -> np.uint64:
    return _read32(raw, at) | (_read32(raw, at + 4) << np.uint64(32))


@compiled
def _swap32(number: np.uint64) -> np.uint64:
    swapped = np.uint64(0)
    for place in range(4):
        swapped = (swapped << np.uint64(8)) | ((number >> np.uint64(8 * place)) & np.uint64(255))
    return swapped


@compiled
def _swap64(number: np.uint64) -> np.uint64:
    return (_swap32(number & _LOW) << np.uint64(32)) | _swap32(number >> np.uint64(32))
