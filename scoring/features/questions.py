"""Questions about an entity at a time: the vector as if an empty event came then, which is none. Compiled by numba."""

import numpy as np
from numpy.typing import NDArray

from scoring.compiled import compiled
from scoring.features.codes import find_codes
from scoring.features.plan import OPERATIONS, Events, Plan
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
        expire(plan, work, time - plan.horizon_ms - plan.grace_ms)
        trim_history(plan, work)
    _take_nothing(plan, work)
    find_codes(plan, work)
    group = events.group[event]
    if work.events:
        group = work.group[work.events - 1]
    approx = summarise(plan, work, bands, time, group)
    include(plan, work, bands)
    approx |= fill_vector(plan, work, bands, vector, time, in_order)
    folded.status[event] = 0  # scored, whatever its id: it is not remembered
    folded.late[event] = seen and time < work.last - plan.grace_ms
    folded.approx[event] = approx
    folded.depth[event] = work.events
    for feature in range(plan.n_features):
        if plan.operations[feature, 0] == COUNT:
            vector[feature] -= 1.0  # itself
        folded.vectors[event, feature] = vector[feature]
    write_history(plan, work, folded, event)
    scratch[0] = scratch[1]


@compiled
def _take_nothing(plan: Plan, work: Working) -> None:
    for column in range(len(work.current)):
        work.current[column] = np.nan
    for column in range(plan.n_codes):
        work.current_code[column] = 0
