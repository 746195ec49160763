"""Events of each entity side by side, in their order. Compiled by numba."""

import numpy as np
from numpy.typing import NDArray

from scoring.compiled import entry


@entry
def by_entity(entity: NDArray[np.int64], entities: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Places `order`, int64[n], and `starts`, int64[entities + 1]: entity e is at order[starts[e]:starts[e+1]].

    They are counted out: sorting takes ten times as long.
    """
    starts = np.zeros(entities + 1, np.int64)
    for place in range(len(entity)):
        starts[entity[place] + 1] += 1
    for each in range(entities):
        starts[each + 1] += starts[each]
    order, free = np.empty(len(entity), np.int64), starts[:-1].copy()
    for place in range(len(entity)):
        order[free[entity[place]]] = place
        free[entity[place]] += 1
    return order, starts
