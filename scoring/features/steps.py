"""Vector history by steps other than events: spans of the calendar, and periods that close. Compiled by numba.

The state keeps one step more than with steps of events: what comes next may take the place of the newest.
"""

import numpy as np
from numpy.typing import NDArray

from scoring.compiled import compiled
from scoring.features.plan import STEPS, Plan
from scoring.features.spans import span_of
from scoring.features.vectors import Folded, history_row
from scoring.features.working import Working

BY_EVENT, BY_PERIOD = STEPS["event"], STEPS["period_close"]


@compiled
def write_steps(plan: Plan, work: Working, folded: Folded, event: int, time: int) -> None:
    """Writes the steps before that of the event, and its own vector, into the event's row."""
    width, row = plan.n_history, history_row(folded, event)
    earlier = _earlier_steps(plan, work, time)
    steps = min(earlier, plan.length - 1)
    start = (earlier - steps) * width
    for place in range(steps * width):
        folded.history[row, place] = work.history[start + place]
    at = steps * width
    for column in range(width):
        folded.history[row, at + column] = folded.vectors[event, plan.history[column]]
    for place in range(at + width, plan.length * width):
        folded.history[row, place] = np.nan
    folded.lengths[event] = steps + 1


@compiled
def remember_steps(plan: Plan, work: Working, folded: Folded, event: int) -> None:
    """Takes over the row just written for this event: the steps before its own, and that as it is now."""
    row = history_row(folded, event)
    work.steps = folded.lengths[event]
    for place in range(work.steps * plan.n_history):
        work.history[place] = folded.history[row, place]


@compiled
def append_step(plan: Plan, work: Working, vector: NDArray[np.float64]) -> None:
    """Remembers a step with the features of `vector`, float64[F]; the oldest goes when there is no room."""
    width = plan.n_history
    if work.steps == plan.steps:
        work.steps -= 1
        for place in range(work.steps * width):
            work.history[place] = work.history[width + place]
    for column in range(width):
        work.history[work.steps * width + column] = vector[plan.history[column]]
    work.steps += 1


@compiled
def trim_steps(plan: Plan, work: Working) -> None:
    """Keeps the steps of periods of which the ring has an event, and all steps of the calendar."""
    if plan.step != BY_PERIOD:
        return
    periods, before = 0, np.int64(0)
    for place in range(work.events):
        if work.in_order[place] and (periods == 0 or work.time[place] != before):
            periods, before = periods + 1, work.time[place]
    if work.steps > periods:
        start = (work.steps - periods) * plan.n_history
        work.steps = periods
        for place in range(periods * plan.n_history):
            work.history[place] = work.history[start + place]


@compiled
def _earlier_steps(plan: Plan, work: Working, time: int) -> int:
    """How many of the state's steps are of periods or spans before that of a time."""
    if work.steps == 0:
        return 0
    if plan.step != BY_PERIOD:
        later = span_of(plan.step, work.last) - span_of(plan.step, time) + 1
        return int(max(work.steps - max(later, 0), 0))
    later, before = 0, time
    for place in range(work.events - 1, -1, -1):
        if work.time[place] < time:
            break
        if work.in_order[place] and (later == 0 or work.time[place] != before):
            later, before = later + 1, work.time[place]
    return int(max(work.steps - later, 0))
