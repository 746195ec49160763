"""Questions about an entity at a time: the vector as if an empty event came then, which is none. Compiled by numba."""

import numpy as np
from numpy.typing import NDArray

from scoring.compiled import compiled
from scoring.features.codes import find_codes
from scoring.features.life import look_back
from scoring.features.plan import OPERATIONS, Events, Plan
from scoring.features.spans import DAY, begin_of, span_of
from scoring.features.steps import BY_EVENT, append_step, trim_steps, write_steps
from scoring.features.tiles import expire
from scoring.features.values import fill_vector
from scoring.features.vectors import Folded, trim_history, write_history
from scoring.features.windows import Bands, include, summarise
from scoring.features.working import Working, forget

COUNT = OPERATIONS["count"]


@compiled
def answer_one(
    plan: Plan,
    scratch: NDArray[np.void],
    bands: Bands,
    vector: NDArray[np.float64],
    event: int,
    events: Events,
    folded: Folded,
) -> None:
    """Fills the row of a question from the state in `scratch[0]`, which stays what it is; `scratch[1]` is room for it.

    Windows end at the question's time and do not count it. Its numbers and codes are missing; sums are within the group
    of the entity's newest event, as a question has no currency of its own.
    """
    scratch[1] = scratch[0]
    work = scratch[0]
    time = events.time[event]
    if work.seen and time - work.last > plan.horizon_ms:
        forget(work)
    seen = work.seen == 1
    in_order = not seen or time >= work.last
    if in_order:
        if plan.step != BY_EVENT:
            close_empty_spans(plan, work, bands, vector, time)
        expire(plan, work, time - plan.horizon_ms - plan.grace_ms)
        trim(plan, work)
    folded.approx[event] = _answer(plan, work, bands, vector, time, events.group[event], in_order)
    folded.status[event] = 0  # scored, whatever its id: it is not remembered
    folded.late[event] = seen and time < work.last - plan.grace_ms
    folded.depth[event] = work.events
    for feature in range(plan.n_features):
        folded.vectors[event, feature] = vector[feature]
    if plan.step == BY_EVENT:
        write_history(plan, work, folded, event)
    else:
        write_steps(plan, work, folded, event, time)
    scratch[0] = scratch[1]


@compiled
def trim(plan: Plan, work: Working) -> None:
    """Lets the history forget what it has to when the ring has become another."""
    if plan.step == BY_EVENT:
        trim_history(plan, work)
    else:
        trim_steps(plan, work)


@compiled
def close_empty_spans(plan: Plan, work: Working, bands: Bands, vector: NDArray[np.float64], time: int) -> None:
    """Remembers a step for each calendar span between the entity's last event and the span of a time at or after it.

    A span in which nothing came has the vector of a question as of its last millisecond: sums and counts fall as time
    goes by, and what only an event can say is missing. What expires on the way would have expired at the time itself.
    """
    if plan.step < DAY or work.steps == 0:
        return
    now = span_of(plan.step, time)
    span = max(span_of(plan.step, work.last) + 1, now - plan.length + 1)
    while span < now:
        end = begin_of(plan.step, span + 1) - 1
        expire(plan, work, end - plan.horizon_ms - plan.grace_ms)
        _answer(plan, work, bands, vector, end, 0, True)
        append_step(plan, work, vector)
        span += 1


@compiled
def _answer(
    plan: Plan, work: Working, bands: Bands, vector: NDArray[np.float64], time: int, group: int, in_order: bool
) -> bool:
    """Fills `vector`, float64[F], as of a time; True when that is not exact. The group is that of the newest event."""
    for column in range(len(work.current)):
        work.current[column] = np.nan
    for column in range(plan.n_codes):
        work.current_code[column] = 0
    find_codes(plan, work)
    if work.events:
        group = work.group[work.events - 1]
    elif plan.lives and work.life_events:
        group = work.life_group
    approx = summarise(plan, work, bands, time, group)
    include(plan, work, bands)
    if plan.lives:
        look_back(plan, work, time, group, 0, in_order)
    approx |= fill_vector(plan, work, bands, vector, time, in_order)
    for feature in range(plan.n_features):
        if plan.operations[feature, 0] == COUNT:
            vector[feature] -= 1.0  # itself
    return approx
