"""The packed form of an entity's state: variable in length, checked, the same bytes for the same content.

Five words of 8 bytes come first: version and counts, last event time, in-order bits, the end of what was
forgotten, and a checksum over the rest. The entity's life follows in views that count it. Then come columns from
wide to narrow, so that each is aligned: event ids and numbers of the ring, tile moments; times, body hashes,
codes, counts, groups, vector history; group indices in single bytes. Times are kept as milliseconds before the
last event, in 4 bytes where the horizon allows. The end is padded to 8 bytes.

Size, writing and reading are in one file, because they have to say the same.
"""

import numpy as np
from numpy.typing import NDArray

from scoring.compiled import compiled, entry
from scoring.features.checksum import SUM_WORD, checksum
from scoring.features.life import LIFE_WORDS, groups_at, life_words, pack_life, unpack_life
from scoring.features.plan import MAXIMUM_KEPT, MEAN_KEPT, MINIMUM_KEPT, MOST_LIFE_GROUPS, SQUARES_KEPT, Plan
from scoring.features.spec import STATE_VERSION
from scoring.features.working import NEVER, Working, forget

HEAD_WORDS = SUM_WORD + 1
MOST_GROUPS = 255


@entry
def largest_state(plan: Plan) -> int:
    """Bytes that the largest packed state of a view can take."""
    return packed_size(plan, plan.ring, plan.tiles, plan.steps, MOST_GROUPS, MOST_LIFE_GROUPS)


@entry
def packed_size(plan: Plan, n: int, tiles: int, steps: int, known: int, life_groups: int) -> int:
    """Bytes of a packed state with these counts."""
    time = 4 if plan.narrow else 8
    moments = 0
    for series in range(plan.n_series):
        keeps = plan.series_keeps[series]
        moments += (keeps & 1) + (keeps >> 1 & 1) + (keeps >> 2 & 1) + (keeps >> 3 & 1)
    size = 8 * HEAD_WORDS + n * (8 + 8 * plan.n_stored + time + 4 + 4 * plan.n_codes + 1)
    size += tiles * (8 * moments + 2 * time + 4 + 4 * plan.n_series + 1)
    size += 4 * known + steps * 4 * plan.n_history + 8 * life_words(plan, life_groups)
    return int(size + (-size) % 8)


@compiled
def _note_group(work: Working, known: int, group: int) -> int:
    """How many groups are known with this one; a new one goes to the end of `work.groups`."""
    for place in range(known):
        if work.groups[place] == group:
            return known
    work.groups[known] = group
    return known + 1


@compiled
def _note_groups(work: Working) -> int:
    """Fills `work.groups` with the distinct groups of ring and tiles, and gives their number."""
    known, before = 0, np.uint32(0)
    for place in range(work.events):
        if known == 0 or work.group[place] != before:  # neighbours are mostly of one group
            before = work.group[place]
            known = _note_group(work, known, before)
    for place in range(work.tiles):
        if work.tile_group[place] != before:
            before = work.tile_group[place]
            known = _note_group(work, known, before)
    return known


@compiled
def _group_index(work: Working, group: int) -> int:
    index = 0
    while work.groups[index] != group:
        index += 1
    return index


@compiled
def pack(work: Working, plan: Plan, out: NDArray[np.uint8], start: int) -> int:
    """Writes the state at byte `start` of `out` and gives the end; both are multiples of 8."""
    words, doubles = out.view(np.uint64), out.view(np.float64)
    halves, singles = out.view(np.uint32), out.view(np.float32)
    n, tiles, steps, last = work.events, work.tiles, work.steps, work.last
    known = _note_groups(work)
    end = start + packed_size(plan, n, tiles, steps, known, work.life_groups)
    words[end // 8 - 1] = 0  # the padding
    at = start // 8 + HEAD_WORDS
    if plan.lives:
        pack_life(plan, work, words, doubles, at)
        at += life_words(plan, work.life_groups)
    for place in range(n):
        words[at + place] = work.event_id[place]
    at += n
    for column in range(plan.n_stored):
        for place in range(n):
            doubles[at + place] = work.number[column, place]
        at += n
    for series in range(plan.n_series):
        keeps = plan.series_keeps[series]
        if keeps & MEAN_KEPT:
            for place in range(tiles):
                doubles[at + place] = work.tile_mean[series, place]
            at += tiles
        if keeps & SQUARES_KEPT:
            for place in range(tiles):
                doubles[at + place] = work.tile_squares[series, place]
            at += tiles
        if keeps & MAXIMUM_KEPT:
            for place in range(tiles):
                doubles[at + place] = work.tile_maximum[series, place]
            at += tiles
        if keeps & MINIMUM_KEPT:
            for place in range(tiles):
                doubles[at + place] = work.tile_minimum[series, place]
            at += tiles
    if plan.narrow:
        at *= 2
        for place in range(n):
            halves[at + place] = last - work.time[place]
        at += n
        for place in range(tiles):
            halves[at + place] = last - work.tile_first[place]
        at += tiles
        for place in range(tiles):
            halves[at + place] = last - work.tile_last[place]
        at += tiles
    else:
        for place in range(n):
            words[at + place] = last - work.time[place]
        at += n
        for place in range(tiles):
            words[at + place] = last - work.tile_first[place]
        at += tiles
        for place in range(tiles):
            words[at + place] = last - work.tile_last[place]
        at = 2 * (at + tiles)
    for place in range(n):
        halves[at + place] = work.body[place]
    at += n
    for column in range(plan.n_codes):
        for place in range(n):
            halves[at + place] = work.code[column, place]
        at += n
    for place in range(tiles):
        halves[at + place] = work.tile_events[place]
    at += tiles
    for series in range(plan.n_series):
        for place in range(tiles):
            halves[at + place] = work.tile_values[series, place]
        at += tiles
    for place in range(known):
        halves[at + place] = work.groups[place]
    at += known
    for place in range(steps * plan.n_history):
        singles[at + place] = work.history[place]
    at = 4 * (at + steps * plan.n_history)
    for place in range(n):
        out[at + place] = _group_index(work, work.group[place])
    at += n
    for place in range(tiles):
        out[at + place] = _group_index(work, work.tile_group[place])
    _write_head(work, words, start // 8, end // 8, known)
    return end


@compiled
def _write_head(work: Working, words: NDArray[np.uint64], start: int, end: int, known: int) -> None:
    counts = STATE_VERSION | known << 8 | work.events << 16 | work.tiles << 32 | work.steps << 48
    bits = np.uint64(0)
    for place in range(work.events):
        bits |= np.uint64(work.in_order[place]) << np.uint64(place)
    words[start], words[start + 1], words[start + 2] = np.uint64(counts), np.uint64(work.last), bits
    words[start + 3] = np.uint64(0 if work.forgotten == NEVER else work.last - work.forgotten + 1)
    words[start + SUM_WORD] = checksum(words, start, end)


@compiled
def _read_head(work: Working, plan: Plan, words: NDArray[np.uint64], start: int, end: int) -> int:
    """Fills in counts and times; gives how many groups there are, or -1 when it is no state of the view."""
    counts = int(words[start])
    known, n, tiles, steps = (
        counts >> 8 & 255,
        counts >> 16 & 65535,
        counts >> 32 & 65535,
        counts >> 48 & 65535,
    )
    if counts & 255 != STATE_VERSION or n > plan.ring or tiles > plan.tiles or steps > plan.steps:
        return -1
    life_groups = 0
    if plan.lives:
        if end - start < HEAD_WORDS + LIFE_WORDS:
            return -1
        life_groups = groups_at(words, start + HEAD_WORDS)
        if life_groups > MOST_LIFE_GROUPS:
            return -1
    if 8 * (end - start) != packed_size(plan, n, tiles, steps, known, life_groups) or words[start + SUM_WORD] != checksum(
        words, start, end
    ):
        return -1
    work.events, work.tiles, work.steps, work.seen = n, tiles, steps, 1
    work.last = np.int64(words[start + 1])
    bits = words[start + 2]
    for place in range(n):
        work.in_order[place] = (bits >> np.uint64(place)) & np.uint64(1)
    before = np.int64(words[start + 3])
    work.forgotten = NEVER if before == 0 else work.last - before + 1
    return int(known)


@entry
def unpack(work: Working, plan: Plan, raw: NDArray[np.uint8], start: int, end: int) -> bool:
    """Reads the state between bytes `start` and `end`, multiples of 8; False when it is none of this view."""
    forget(work)
    work.life_events = work.life_groups = 0
    if end == start:
        return True
    if end - start < 8 * HEAD_WORDS or (len(raw) | start | end) % 8:
        return False
    words, doubles = raw.view(np.uint64), raw.view(np.float64)
    halves, singles = raw.view(np.uint32), raw.view(np.float32)
    known = _read_head(work, plan, words, start // 8, end // 8)
    if known < 0:
        return False
    n, tiles, steps, last = work.events, work.tiles, work.steps, work.last
    at = start // 8 + HEAD_WORDS
    if plan.lives:
        unpack_life(plan, work, words, doubles, at)
        at += life_words(plan, work.life_groups)
    for place in range(n):
        work.event_id[place] = words[at + place]
    at += n
    for column in range(plan.n_stored):
        for place in range(n):
            work.number[column, place] = doubles[at + place]
        at += n
    for series in range(plan.n_series):
        keeps = plan.series_keeps[series]
        if keeps & MEAN_KEPT:
            for place in range(tiles):
                work.tile_mean[series, place] = doubles[at + place]
            at += tiles
        if keeps & SQUARES_KEPT:
            for place in range(tiles):
                work.tile_squares[series, place] = doubles[at + place]
            at += tiles
        if keeps & MAXIMUM_KEPT:
            for place in range(tiles):
                work.tile_maximum[series, place] = doubles[at + place]
            at += tiles
        if keeps & MINIMUM_KEPT:
            for place in range(tiles):
                work.tile_minimum[series, place] = doubles[at + place]
            at += tiles
    if plan.narrow:
        at *= 2
        for place in range(n):
            work.time[place] = last - np.int64(halves[at + place])
        at += n
        for place in range(tiles):
            work.tile_first[place] = last - np.int64(halves[at + place])
        at += tiles
        for place in range(tiles):
            work.tile_last[place] = last - np.int64(halves[at + place])
        at += tiles
    else:
        for place in range(n):
            work.time[place] = last - np.int64(words[at + place])
        at += n
        for place in range(tiles):
            work.tile_first[place] = last - np.int64(words[at + place])
        at += tiles
        for place in range(tiles):
            work.tile_last[place] = last - np.int64(words[at + place])
        at = 2 * (at + tiles)
    for place in range(n):
        work.body[place] = halves[at + place]
    at += n
    for column in range(plan.n_codes):
        for place in range(n):
            work.code[column, place] = halves[at + place]
        at += n
    for place in range(tiles):
        work.tile_events[place] = halves[at + place]
    at += tiles
    for series in range(plan.n_series):
        for place in range(tiles):
            work.tile_values[series, place] = halves[at + place]
        at += tiles
    for place in range(known):
        work.groups[place] = halves[at + place]
    at += known
    for place in range(steps * plan.n_history):
        work.history[place] = singles[at + place]
    at = 4 * (at + steps * plan.n_history)
    for place in range(n):
        work.group[place] = work.groups[raw[at + place]]
    at += n
    for place in range(tiles):
        work.tile_group[place] = work.groups[raw[at + place]]
    return True
