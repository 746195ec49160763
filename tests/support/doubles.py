"""The kernel's vectors before they are rounded to float32: a driver around `fold_one`."""

import numpy as np
from numpy.typing import NDArray

from scoring.compiled import entry
from scoring.features.batch import EventBatch
from scoring.features.kernel import fold_one, scratch_of
from scoring.features.plan import Events, inputs_of, plan_of
from scoring.features.questions import answer_one
from scoring.features.spec import FeatureView
from scoring.features.table import room_for
from scoring.features.vectors import Folded
from scoring.features.working import forget


def vectors_in_doubles(view: FeatureView, batch: EventBatch) -> NDArray[np.float64]:
    """Vectors float64[n, F] of a batch folded onto empty state; all NaN for duplicates and conflicts."""
    doubles = np.full((len(batch), len(view.features)), np.nan)
    events, folded = inputs_of(view, batch), room_for(view, len(batch))
    for entity in range(len(batch.entities)):
        rows = np.flatnonzero(batch.entity == entity)
        _fold_rows(plan_of(view), *scratch_of(len(view.features))[:2], rows, events, folded, doubles)
    return doubles


@entry
def _fold_rows(
    plans: NDArray[np.void],
    scratch: NDArray[np.void],
    sums: NDArray[np.void],
    rows: NDArray[np.int64],
    events: Events,
    folded: Folded,
    doubles: NDArray[np.float64],
) -> None:
    forget(scratch[0])
    for row in rows:
        if events.asks[row]:
            answer_one(plans[0], scratch, sums[0], doubles[row], row, events, folded)
        else:
            fold_one(plans[0], scratch[0], sums[0], doubles[row], row, events, folded)
