"""What an entity did in all its life: counters that outlive the horizon as long as it is active. Compiled by numba.

A life begins with the first event after more than `active_within_ms` without one. Of the groups (currencies) that a
life has, the first `MOST_LIFE_GROUPS` have totals.
"""

import numpy as np
from numpy.typing import NDArray

from scoring.compiled import compiled
from scoring.features.plan import LASTING, MOST_LIFE_GROUPS, Plan
from scoring.features.spec import DAY_MS
from scoring.features.tiles import kept_value
from scoring.features.working import Working

LIFE_WORDS = 4
COUNT, DAYS, AGE, IDLE, TOTAL = (LASTING[name] for name in ("count", "days", "age", "idle", "total"))


@compiled
def look_back(plan: Plan, work: Working, time: int, group: int, own: int, in_order: bool) -> None:
    """Fills `work.lived` as of a time, with the current event (`own` is 1) or for a question (0); the state stays.

    All of it is missing out of order: what came after that time cannot be taken out again.
    """
    if not in_order:
        for each in range(TOTAL + plan.n_lasting):
            work.lived[each] = np.nan
        return
    lives = _is_alive(plan, work, time)
    new_day = own == 1 and (not lives or time // DAY_MS != work.last // DAY_MS)
    work.lived[COUNT] = (work.life_events if lives else 0) + own
    work.lived[DAYS] = (work.life_days if lives else 0) + new_day
    work.lived[AGE] = work.lived[IDLE] = np.nan
    if lives:
        work.lived[AGE], work.lived[IDLE] = (time - work.life_first) / 1000.0, (time - work.last) / 1000.0
    elif own == 1:
        work.lived[AGE] = 0.0
    known = work.life_groups if lives else 0
    place = _place_of(work, known, group)
    for each in range(plan.n_lasting):
        total = work.life_total[each, place] if place < known else 0.0
        value = _now(plan, work, each)
        if not np.isnan(value):
            total += value
        work.lived[TOTAL + each] = total if place < MOST_LIFE_GROUPS else np.nan


@compiled
def live_on(plan: Plan, work: Working, time: int, group: int, in_order: bool) -> None:
    """Counts the current event, before the state's last time becomes its own."""
    lives = _is_alive(plan, work, time)
    if not lives:
        work.life_events = work.life_days = work.life_groups = 0
        work.life_first = time
    if in_order:
        work.life_days += not lives or time // DAY_MS != work.last // DAY_MS
        work.life_group = group
    work.life_events += 1
    work.life_first = min(work.life_first, time)
    if plan.n_lasting == 0:
        return
    place = _place_of(work, work.life_groups, group)
    if place == MOST_LIFE_GROUPS:
        return
    if place == work.life_groups:
        work.life_code[place] = group
        work.life_groups += 1
        for each in range(plan.n_lasting):
            work.life_total[each, place] = 0.0
    for each in range(plan.n_lasting):
        value = _now(plan, work, each)
        if not np.isnan(value):
            work.life_total[each, place] += value


@compiled
def life_words(plan: Plan, groups: int) -> int:
    """Words of 8 bytes that a life takes in a packed state; 0 in views without counters."""
    return LIFE_WORDS + groups * (1 + plan.n_lasting) if plan.lives else 0


@compiled
def pack_life(plan: Plan, work: Working, words: NDArray[np.uint64], doubles: NDArray[np.float64], at: int) -> None:
    """Writes the life from word `at` on; `doubles` are the same bytes."""
    words[at] = np.uint64(work.life_groups) | np.uint64(work.life_group) << np.uint64(32)
    words[at + 1], words[at + 2] = np.uint64(work.life_events), np.uint64(work.life_first)
    words[at + 3] = np.uint64(work.life_days)
    at += LIFE_WORDS
    for place in range(work.life_groups):
        words[at + place] = work.life_code[place]
    for each in range(plan.n_lasting):
        at += work.life_groups
        for place in range(work.life_groups):
            doubles[at + place] = work.life_total[each, place]


@compiled
def unpack_life(plan: Plan, work: Working, words: NDArray[np.uint64], doubles: NDArray[np.float64], at: int) -> None:
    """Reads what `pack_life` wrote."""
    work.life_groups, work.life_group = groups_at(words, at), np.uint32(words[at] >> np.uint64(32))
    work.life_events, work.life_first = np.int64(words[at + 1]), np.int64(words[at + 2])
    work.life_days = np.int64(words[at + 3])
    at += LIFE_WORDS
    for place in range(work.life_groups):
        work.life_code[place] = np.uint32(words[at + place])
    for each in range(plan.n_lasting):
        at += work.life_groups
        for place in range(work.life_groups):
            work.life_total[each, place] = doubles[at + place]


@compiled
def groups_at(words: NDArray[np.uint64], at: int) -> int:
    """How many groups the life has that begins at word `at`."""
    return int(words[at] & np.uint64(2**32 - 1))


@compiled
def _is_alive(plan: Plan, work: Working, time: int) -> bool:
    return bool(work.life_events > 0 and time - work.last <= plan.active_within_ms)


@compiled
def _now(plan: Plan, work: Working, each: int) -> float:
    """What the current event adds to a total; NaN for nothing."""
    series = plan.lasting[each]
    return kept_value(plan, series, work.current[plan.series_source[series]])


@compiled
def _place_of(work: Working, known: int, group: int) -> int:
    """The place of a group's totals; that after the known ones for a new group."""
    for place in range(known):
        if work.life_code[place] == group:
            return place
    return known
