"""What the fold writes per event, and the vector history that models look back on. Compiled by numba."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from scoring.compiled import compiled
from scoring.features.plan import Plan
from scoring.features.working import Working


class Folded(NamedTuple):
    """What the kernel writes per event: vectors [n, F], history [n, T * Fh] or [1, T * Fh], the rest [n].

    History is the entity's earlier vectors, oldest first, then the event's own, then NaN. Where no model reads it there
    is one row for all events, one after another: to write one each took a seventh of a replay (decision 37).
    """

    vectors: NDArray[np.float32]
    history: NDArray[np.float32]
    lengths: NDArray[np.int32]
    depth: NDArray[np.int32]
    status: NDArray[np.uint8]
    late: NDArray[np.bool_]
    approx: NDArray[np.bool_]


@compiled
def history_row(folded: Folded, event: int) -> int:
    """The row of `history` that is the event's."""
    return min(event, len(folded.history) - 1)


@compiled
def write_history(plan: Plan, work: Working, folded: Folded, event: int) -> None:
    """Writes the entity's earlier vectors and the event's own into the event's row."""
    width, steps, row = plan.n_history, work.steps, history_row(folded, event)
    for place in range(steps * width):
        folded.history[row, place] = work.history[place]
    at = steps * width
    for column in range(width):
        folded.history[row, at + column] = folded.vectors[event, plan.history[column]]
    for place in range(at + width, plan.length * width):
        folded.history[row, place] = np.nan
    folded.lengths[event] = steps + 1


@compiled
def remember_vector(plan: Plan, work: Working, folded: Folded, event: int) -> None:
    """Takes over the history just written for this event, its own vector last; the oldest step goes when it is full."""
    width, row = plan.n_history, history_row(folded, event)
    if work.steps < plan.steps:
        start = work.steps * width
        for place in range(start, start + width):
            work.history[place] = folded.history[row, place]
        work.steps += 1
    elif plan.steps > 0:
        kept = folded.history[row, width:]  # a slice, so that the copy runs as vector instructions
        for place in range(work.steps * width):
            work.history[place] = kept[place]


@compiled
def trim_history(plan: Plan, work: Working) -> None:
    """Keeps the vectors of ring events only: so history forgets when the ring does."""
    in_order = 0
    for place in range(work.events):
        in_order += work.in_order[place]
    if work.steps > in_order:
        start = (work.steps - in_order) * plan.n_history
        work.steps = in_order
        for place in range(in_order * plan.n_history):
            work.history[place] = work.history[start + place]
