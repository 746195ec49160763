"""The fold: events of each entity, one after another, into feature vectors and new state. Compiled by numba.

Ring first, tiles behind it: the newest events are kept raw, and what falls out of the ring is merged into
tiles that grow coarser with age. A window that ends inside a tile counts the whole tile and says so
(`approx`). Entities do not touch each other, so a batch may be cut anywhere between events without changing
one bit of vectors or state.

Source of the moment updates: Welford 1962; Chan, Golub, LeVeque 1983.
"""

import numpy as np
from numpy.typing import NDArray

from scoring.compiled import compiled, entry, lent
from scoring.features.codes import add_newest, find_codes
from scoring.features.instructions import soon_read, soon_written
from scoring.features.life import live_on, look_back
from scoring.features.packing import pack, unpack
from scoring.features.plan import DERIVATIONS, Events, Plan
from scoring.features.questions import answer_one, close_empty_spans, trim
from scoring.features.spec import Difference, LogReturn
from scoring.features.steps import BY_EVENT, remember_steps, write_steps
from scoring.features.tiles import add_to_tiles, expire
from scoring.features.values import fill_vector, log_of_ratio
from scoring.features.vectors import Folded, history_row, remember_vector, write_history
from scoring.features.windows import BANDS, Bands, include, summarise
from scoring.features.working import WORKING, Working, drop_oldest, forget, open_place

SCORED, DUPLICATE, CONFLICT = 0, 1, 2
LOG_RETURN, DIFFERENCE = DERIVATIONS[LogReturn], DERIVATIONS[Difference]
AHEAD = 2


def scratch_of(features: int) -> tuple[NDArray[np.void], NDArray[np.void], NDArray[np.float64]]:
    """Room for an entity's unpacked state, twice, its window sums, a vector; made per call, so folds may run in threads.

    Args:
        features: in a vector.
    """
    return np.zeros(2, WORKING), np.zeros(1, BANDS), np.zeros(features)


@entry
def fold_entities(
    plans: NDArray[np.void],
    scratch: NDArray[np.void],
    sums: NDArray[np.void],
    vector: NDArray[np.float64],
    raw: NDArray[np.uint8],
    bounds: NDArray[np.int64],
    order: NDArray[np.int64],
    starts: NDArray[np.int64],
    events: Events,
    folded: Folded,
    out: NDArray[np.uint8],
    ends: NDArray[np.int64],
) -> int:
    """Folds the events of every entity; gives -1, or the index of the first one whose state is not readable.

    Args:
        plans, sums: one record each: the plan, and room for the window sums.
        scratch: two records: room for the state, and for a copy of it while a question is answered.
        vector: room for the features of one event, float64[F].
        raw, bounds: packed states, entity e at bounds[e]:bounds[e+1] (empty for none); bounds are multiples
            of 8.
        order, starts: events sorted by entity, those of entity e at order[starts[e]:starts[e+1]].
        out, ends: packed new states, entity e ends at ends[e] and begins where the previous one ends.
    """
    plan, work, bands = plans[0], scratch[0], sums[0]
    vector, raw, bounds, order, starts = lent(vector), lent(raw), lent(bounds), lent(order), lent(starts)
    events, folded, out, ends = lent(events), lent(folded), lent(out), lent(ends)
    at = bounds[0]
    for entity in range(len(starts) - 1):
        if not unpack(work, plan, raw, bounds[entity], bounds[entity + 1]):
            return entity
        for place in range(starts[entity], starts[entity + 1]):
            if place + AHEAD < len(order):
                _ask_for(order[place + AHEAD], events, folded)
            event = order[place]
            if events.asks[event]:
                answer_one(plan, scratch, bands, vector, event, events, folded)
            else:
                fold_one(plan, work, bands, vector, event, events, folded)
        at = pack(work, plan, out, at)
        ends[entity] = at
    return -1


@compiled
def _ask_for(event: int, events: Events, folded: Folded) -> None:
    """Asks for the memory of an event that is soon to come: entities' events lie apart from each other."""
    soon_read(events.time.ctypes.data + 8 * event)
    soon_read(events.event_id.ctypes.data + 8 * event)
    soon_read(events.body.ctypes.data + 4 * event)
    soon_read(events.group.ctypes.data + 4 * event)
    soon_read(events.numbers.ctypes.data + 8 * events.numbers.shape[1] * event)
    soon_read(events.codes.ctypes.data + 4 * events.codes.shape[1] * event)
    size = 4 * folded.vectors.shape[1]
    start = folded.vectors.ctypes.data + size * event
    for line in range(0, size + 63, 64):
        soon_written(start + line)
    size = 4 * folded.history.shape[1]
    start = folded.history.ctypes.data + size * history_row(folded, event)
    for line in range(0, size, 64):
        soon_written(start + line)


@compiled
def fold_one(
    plan: Plan,
    work: Working,
    bands: Bands,
    vector: NDArray[np.float64],
    event: int,
    events: Events,
    folded: Folded,
) -> None:
    """Folds one event into the state; fills `vector`, float64[F], and the event's row of `folded`."""
    time, horizon = events.time[event], plan.horizon_ms
    if work.seen and time - work.last > horizon:
        forget(work)
    status = _known(work, events.event_id[event], events.body[event])
    folded.status[event] = status
    if status != SCORED:
        _write_nothing(plan, folded, event)
        return
    seen = work.seen == 1
    in_order = not seen or time >= work.last
    late = seen and time < work.last - plan.grace_ms
    if in_order:
        if plan.step != BY_EVENT:
            close_empty_spans(plan, work, bands, vector, time)
        expire(plan, work, time - horizon - plan.grace_ms)
        trim(plan, work)
    _take(plan, work, events.numbers[event], events.codes[event], in_order)
    find_codes(plan, work)
    approx = summarise(plan, work, bands, time, events.group[event])
    include(plan, work, bands)
    if plan.lives:
        look_back(plan, work, time, events.group[event], 1, in_order)
    approx |= fill_vector(plan, work, bands, vector, time, in_order)
    folded.late[event] = late
    folded.approx[event] = approx
    folded.depth[event] = work.events
    for feature in range(plan.n_features):
        folded.vectors[event, feature] = vector[feature]
    if plan.step == BY_EVENT:
        write_history(plan, work, folded, event)
    else:
        write_steps(plan, work, folded, event, time)
    if late:
        return
    if plan.lives:
        live_on(plan, work, time, events.group[event], in_order)
    if in_order:
        if plan.step == BY_EVENT:
            remember_vector(plan, work, folded, event)
        else:
            remember_steps(plan, work, folded, event)
        work.last = time
        work.seen = 1
    _insert(plan, work, time, events.event_id[event], events.body[event], events.group[event], in_order)
    trim(plan, work)


@compiled
def _known(work: Working, event_id: int, body: int) -> int:
    found = False
    for place in range(work.events):  # without a break, so that it runs as vector instructions
        found |= work.event_id[place] == event_id
    if found:
        for place in range(work.events):
            if work.event_id[place] == event_id:
                return DUPLICATE if work.body[place] == body else CONFLICT
    return SCORED


@compiled
def _write_nothing(plan: Plan, folded: Folded, event: int) -> None:
    folded.late[event] = folded.approx[event] = False
    folded.depth[event] = folded.lengths[event] = 0
    for feature in range(plan.n_features):
        folded.vectors[event, feature] = np.nan
    row = history_row(folded, event)
    for place in range(plan.length * plan.n_history):
        folded.history[row, place] = np.nan


@compiled
def _take(
    plan: Plan, work: Working, numbers: NDArray[np.float64], codes: NDArray[np.uint32], in_order: bool
) -> None:
    """Makes an event the current one: its numbers with derived ones filled in, and its codes."""
    newest = work.events - 1
    for column in range(len(numbers)):
        work.current[column] = numbers[column]
    for column in range(plan.n_codes):
        work.current_code[column] = codes[column]
    for column in range(plan.n_stored):
        source = plan.derived_of[column]
        if source < 0:
            continue
        work.current[column] = np.nan
        now, how = numbers[source], plan.derivation[column]
        if not in_order or np.isnan(now):
            continue
        if how == LOG_RETURN:
            if newest >= 0 and work.number[source, newest] > 0 and now > 0:
                work.current[column] = log_of_ratio(now, work.number[source, newest])
        elif how == DIFFERENCE:
            if newest >= 0:
                work.current[column] = now - work.number[source, newest]
        else:
            work.current[column] = _recent_mean(work, source, plan.recent[column], now)


@compiled
def _recent_mean(work: Working, column: int, events: int, now: float) -> float:
    total, n = now, 1
    for place in range(work.events - 1, -1, -1):
        if n == events:
            break
        value = work.number[column, place]
        if work.in_order[place] and not np.isnan(value):
            total += value
            n += 1
    return total / n


@compiled
def _insert(
    plan: Plan, work: Working, time: int, event_id: int, body: int, group: int, in_order: bool
) -> None:
    """Puts the current event into the ring at its place in time; the oldest moves on into the tiles."""
    place = work.events
    while place > 0 and work.time[place - 1] > time:
        place -= 1
    if work.events == plan.ring:
        if place == 0:
            for column in range(plan.n_stored):
                work.leaving[column] = work.current[column]
            add_to_tiles(plan, work, time, group)
            return
        for column in range(plan.n_stored):
            work.leaving[column] = work.number[column, 0]
        add_to_tiles(plan, work, work.time[0], work.group[0])
        drop_oldest(plan, work, 1)
        place -= 1
    add_newest(plan, work, place)
    open_place(plan, work, place)
    work.time[place], work.event_id[place], work.body[place] = time, event_id, body
    work.group[place], work.in_order[place] = group, in_order
    for column in range(plan.n_stored):
        work.number[column, place] = work.current[column]
    for column in range(plan.n_codes):
        work.code[column, place] = work.current_code[column]
