"""Codes of the ring's events as sets of places, one bit each: which are the current code, which a code's newest.

With them the distinct codes of a window are a count of bits instead of a table that is filled anew for every event. A set
is one number of 64 bits, and a ring has at most as many events (`plan.MOST_EVENTS`).
Compiled by numba.
"""

import numpy as np

from scoring.compiled import compiled
from scoring.features.instructions import bits_set
from scoring.features.plan import Plan
from scoring.features.windows import Bands
from scoring.features.working import Working

_NONE, _ALL, _ONE = np.uint64(0), np.uint64(2**64 - 1), np.uint64(1)


@compiled
def find_codes(plan: Plan, work: Working) -> None:
    """Fills `work.same`: the places in the ring that hold the current event's code."""
    for column in range(plan.n_codes):
        code = work.current_code[column]
        same = _NONE
        for place in range(work.events):
            same |= np.uint64(work.code[column, place] == code) << np.uint64(place)
        work.same[column] = same


@compiled
def count_distinct(plan: Plan, work: Working, bands: Bands, column: int) -> None:
    """Distinct codes of this event and of the ring's events in each window."""
    if bands.until != work.events:  # what comes later in the ring hides what is newest before this event
        _meet_all(plan, work, bands, column)
        return
    if work.newest_known == 0:
        _find_newest(plan, work)
    code = work.current_code[column]
    others = work.newest[column] if code == 0 else work.newest[column] & ~work.same[column]
    for window in range(plan.n_windows):
        bands.distinct[window] = bits_set(others & ~_before(bands.begins[window])) + (code != 0)


@compiled
def unseen(work: Working, begin: int, until: int, column: int) -> float:
    """1.0 when the current event's code is on none of the ring's events of a window, else 0.0; NaN without either."""
    if work.current_code[column] == 0 or begin == until:
        return np.nan
    return 0.0 if work.same[column] & _before(until) & ~_before(begin) else 1.0


@compiled
def first_time_share(work: Working, begin: int, until: int, column: int) -> float:
    """Share of the codes in a window that are there for the first time; oldest first, so that it is where one appears."""
    _meet_nobody(work)
    known, first = 0, 0
    for place in range(until):
        code = work.code[column, place]
        new = _meet(work, code)
        if place >= begin and code != 0:
            known += 1
            first += new
    now = work.current_code[column]
    if now != 0:
        known += 1
        first += _meet(work, now)
    return first / known if known > 0 else np.nan


@compiled
def add_newest(plan: Plan, work: Working, place: int) -> None:
    """Notes that the current event is about to be put into the ring at this place."""
    if place != work.events:
        work.newest_known = 0
    if work.newest_known:
        for column in range(plan.n_codes):
            if work.current_code[column] != 0:
                kept = work.newest[column] & ~work.same[column]
                work.newest[column] = kept | _ONE << np.uint64(place)


@compiled
def _before(place: int) -> np.uint64:
    """The places before one."""
    return _ALL if place >= 64 else (_ONE << np.uint64(place)) - _ONE


@compiled
def _find_newest(plan: Plan, work: Working) -> None:
    """Fills `work.newest`: the places that hold the last appearance of a code in the ring."""
    for column in range(plan.n_codes):
        _meet_nobody(work)
        newest = _NONE
        for place in range(work.events - 1, -1, -1):
            newest |= np.uint64(_meet(work, work.code[column, place])) << np.uint64(place)
        work.newest[column] = newest
    work.newest_known = 1


@compiled
def _meet_all(plan: Plan, work: Working, bands: Bands, column: int) -> None:
    _meet_nobody(work)
    found = _meet(work, work.current_code[column])
    place = bands.until
    for window in range(plan.n_windows):
        while place > bands.begins[window]:
            place -= 1
            found += _meet(work, work.code[column, place])
        bands.distinct[window] = found


@compiled
def _meet_nobody(work: Working) -> None:
    for slot in range(len(work.met)):
        work.met[slot] = 0


@compiled
def _meet(work: Working, code: int) -> int:
    """1 when the code is met for the first time, else 0; an open hash table, at most a quarter full."""
    if code == 0:
        return 0
    slot = code & 255
    while work.met[slot] != 0:
        if work.met[slot] == code:
            return 0
        slot = (slot + 1) & 255
    work.met[slot] = code
    return 1
