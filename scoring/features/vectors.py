"""What the fold writes per event, and the vector history that models look back on. Compiled by numba."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from scoring.compiled import compiled
from scoring.features.plan import Plan
from scoring.features.working import Working


class Folded(NamedTuple):
    """What the kernel writes per event: vectors [n, F], history [n, T * Fh], the rest [n].

    History is the entity's earlier vectors, oldest first, then the event's own, then NaN.
    """

    vectors: NDArray[np.float32]
    history: NDArray[np.float32]
    lengths: NDArray[np.int32]
    depth: NDArray[np.int32]
    status: NDArray[np.uint8]
    late: NDArray[np.bool_]
    approx: NDArray[np.bool_]


@compiled
def write_history(plan: Plan, work: Working, folded: Folded, event: int) -> None:
    """Writes the entity's earlier vectors and the event's own into the event's row."""
    width, steps = plan.n_history, work.steps
    for place in range(steps * width):
        folded.history[event, place] = work.history[place]
    at = steps * width
    for column in range(width):
        folded.history[event, at + column] = folded.vectors[event, plan.history[column]]
    for place in range(at + width, (plan.steps + 1) * width):
        folded.history[event, place] = np.nan
    folded.lengths[event] = steps + 1


@compiled
def remember_vector(plan: Plan, work: Working, folded: Folded, event: int) -> None:
    """Takes over the history just written for this event, its own vector last; the oldest step goes when it is full."""
    width = plan.n_history
    if work.steps < plan.steps:
        start = work.steps * width
        for place in range(start, start + width):
            work.history[place] = folded.history[event, place]
        work.steps += 1
    elif plan.steps > 0:
        kept = folded.history[event, width:]  # a slice, so that the copy runs as vector instructions
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
