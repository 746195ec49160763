"""The fold: events of each entity, one after another, into feature vectors and new state. Compiled by numba.

Ring first, tiles behind it: the newest events are kept raw, and what falls out of the ring is merged into tiles that
grow coarser with age. A window that ends inside a tile counts the whole tile and says so (`approx`). Entities do not
touch each other, so a batch may be cut anywhere between events without changing one bit of vectors or state.

Source of the moment updates: Welford 1962; Chan, Golub, LeVeque 1983.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from scoring.features.compiled import compiled
from scoring.features.plan import Plan
from scoring.features.tiles import add_to_tiles, expire
from scoring.features.values import fill_vector
from scoring.features.windows import BANDS, Bands, summarise
from scoring.features.working import WORKING, Working, pack, unpack

SCORED, DUPLICATE, CONFLICT = 0, 1, 2


class Folded(NamedTuple):
    """What the kernel writes per event: n events, F features, T history steps (the event's own last)."""

    vectors: NDArray[np.float32]
    history: NDArray[np.float32]
    lengths: NDArray[np.int32]
    depth: NDArray[np.int32]
    status: NDArray[np.uint8]
    late: NDArray[np.uint8]
    approx: NDArray[np.uint8]


def scratch_of() -> tuple[NDArray[np.void], NDArray[np.void]]:
    """Room for one entity's unpacked state and for its window sums; made per call, so folds may run in threads."""
    return np.zeros(1, WORKING), np.zeros(1, BANDS)


@compiled
def fold_entities(
    plans: NDArray[np.void],
    scratch: NDArray[np.void],
    sums: NDArray[np.void],
    raw: NDArray[np.uint8],
    bounds: NDArray[np.int64],
    order: NDArray[np.int64],
    starts: NDArray[np.int64],
    time: NDArray[np.int64],
    event_id: NDArray[np.uint64],
    body: NDArray[np.uint32],
    group: NDArray[np.uint32],
    numbers: NDArray[np.float64],
    codes: NDArray[np.uint32],
    folded: Folded,
    out: NDArray[np.uint8],
    ends: NDArray[np.int64],
) -> int:
    """Folds the events of every entity; gives -1, or the index of the first entity whose state is not readable.

    Args:
        plans, scratch, sums: one record each: the plan, and room for the state and for the window sums.
        raw, bounds: packed states, entity e at bounds[e]:bounds[e+1] (empty for none).
        order, starts: events sorted by entity, those of entity e at order[starts[e]:starts[e+1]].
        out, ends: packed new states, entity e ends at ends[e] and begins where the previous one ends.
    """
    plan, work, bands = plans[0], scratch[0], sums[0]
    vector = np.zeros(plan.n_features, np.float64)
    at = 0
    for entity in range(len(starts) - 1):
        if not unpack(work, plan, raw, bounds[entity], bounds[entity + 1]):
            return entity
        for place in range(starts[entity], starts[entity + 1]):
            event = order[place]
            _fold_one(
                plan, work, bands, vector, event, time[event], event_id[event], body[event], group[event],
                numbers[event], codes[event], folded,
            )  # fmt: skip
        at = pack(work, plan, out, at)
        ends[entity] = at
    return -1


@compiled
def _fold_one(
    plan: Plan,
    work: Working,
    bands: Bands,
    vector: NDArray[np.float64],
    event: int,
    time: int,
    event_id: int,
    body: int,
    group: int,
    numbers: NDArray[np.float64],
    codes: NDArray[np.uint32],
    folded: Folded,
) -> None:
    horizon, grace = plan.horizon_ms, plan.grace_ms
    if work.seen and time - work.last > horizon:
        work.events = work.tiles = work.steps = work.seen = 0  # past the horizon is the same as never seen
    for place in range(work.events):
        if work.event_id[place] == event_id:
            folded.status[event] = DUPLICATE if work.body[place] == body else CONFLICT
            return
    seen = work.seen == 1
    in_order = not seen or time >= work.last
    late = seen and time < work.last - grace
    _take_returns(plan, work, numbers, in_order)
    approx = summarise(plan, work, bands, time, group)
    approx |= fill_vector(plan, work, bands, vector, time, group, numbers, codes, in_order)
    folded.status[event] = SCORED
    folded.late[event] = late
    folded.approx[event] = approx
    folded.depth[event] = work.events
    for feature in range(plan.n_features):
        folded.vectors[event, feature] = vector[feature]
    _write_history(plan, work, folded, event)
    if late:
        return
    if in_order:
        _remember_vector(plan, work, folded, event)
        work.last = time
        work.seen = 1
        expire(plan, work, time - horizon - grace)
    _insert(plan, work, time, event_id, body, group, numbers, codes, in_order)


@compiled
def _take_returns(plan: Plan, work: Working, numbers: NDArray[np.float64], in_order: bool) -> None:
    newest = work.events - 1
    for column in range(plan.n_stored):
        source = plan.return_of[column]
        if source < 0:
            continue
        numbers[column] = np.nan
        if in_order and newest >= 0:
            before, now = work.number[newest, source], numbers[source]
            if before > 0 and now > 0:
                numbers[column] = math.log(now / before)


@compiled
def _write_history(plan: Plan, work: Working, folded: Folded, event: int) -> None:
    steps = work.steps
    for step in range(steps):
        for column in range(plan.n_history):
            folded.history[event, step, column] = work.history[step, column]
    for column in range(plan.n_history):
        folded.history[event, steps, column] = folded.vectors[event, plan.history[column]]
    folded.lengths[event] = steps + 1


@compiled
def _remember_vector(plan: Plan, work: Working, folded: Folded, event: int) -> None:
    most = plan.steps
    if most == 0:
        return
    steps = work.steps
    if steps == most:
        for step in range(most - 1):
            for column in range(plan.n_history):
                work.history[step, column] = work.history[step + 1, column]
        steps -= 1
    for column in range(plan.n_history):
        work.history[steps, column] = folded.vectors[event, plan.history[column]]
    work.steps = steps + 1


@compiled
def _insert(
    plan: Plan,
    work: Working,
    time: int,
    event_id: int,
    body: int,
    group: int,
    numbers: NDArray[np.float64],
    codes: NDArray[np.uint32],
    in_order: bool,
) -> None:
    n = work.events
    place = n
    while place > 0 and work.time[place - 1] > time:
        place -= 1
    if n == plan.ring:
        if place == 0:
            add_to_tiles(plan, work, time, group, numbers)
            return
        add_to_tiles(plan, work, work.time[0], work.group[0], work.number[0])
        place -= 1
        for slot in range(place):
            _move(plan, work, slot + 1, slot)
    else:
        for slot in range(n, place, -1):
            _move(plan, work, slot - 1, slot)
        work.events = n + 1
    work.time[place], work.event_id[place], work.body[place] = time, event_id, body
    work.group[place], work.in_order[place] = group, in_order
    for column in range(plan.n_stored):
        work.number[place, column] = numbers[column]
    for column in range(plan.n_codes):
        work.code[place, column] = codes[column]


@compiled
def _move(plan: Plan, work: Working, source: int, target: int) -> None:
    work.time[target] = work.time[source]
    work.event_id[target] = work.event_id[source]
    work.body[target] = work.body[source]
    work.group[target] = work.group[source]
    work.in_order[target] = work.in_order[source]
    for column in range(plan.n_stored):
        work.number[target, column] = work.number[source, column]
    for column in range(plan.n_codes):
        work.code[target, column] = work.code[source, column]
