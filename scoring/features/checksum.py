"""The sum over a packed state's words that tells a state from other bytes. Compiled by numba."""

import numpy as np
from numpy.typing import NDArray

from scoring.compiled import compiled

SUM_WORD = 4  # the last word of the head
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_LANES = np.uint64(0x5249534B00000001)


@compiled
def checksum(words: NDArray[np.uint64], start: int, end: int) -> np.uint64:
    """64-bit sum of the words from `start` to `end`, without the sum itself.

    Every change of a single word changes it; other damage passes once in 2^64.
    """
    first = second = third = fourth = _LANES
    for word in range(start, start + SUM_WORD):
        first = (first ^ words[word]) * _MULTIPLIER
    at = start + SUM_WORD + 1
    while at + 4 <= end:  # four lanes: one alone would wait for each multiplication
        first = (first ^ words[at]) * _MULTIPLIER
        second = (second ^ words[at + 1]) * _MULTIPLIER
        third = (third ^ words[at + 2]) * _MULTIPLIER
        fourth = (fourth ^ words[at + 3]) * _MULTIPLIER
        at += 4
    while at < end:
        first = (first ^ words[at]) * _MULTIPLIER
        at += 1
    second, fourth = second ^ (second >> np.uint64(29)), fourth ^ (fourth >> np.uint64(32))
    return ((first ^ second) * _MULTIPLIER ^ third) * _MULTIPLIER ^ fourth
