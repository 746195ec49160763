"""Cuts a data set by time, with gaps: to learn from, to calibrate on, and to test on."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.errors import TrainingRefused

LEAST_ROWS = 50


@dataclass(frozen=True, eq=False)
class Split:
    """Row numbers of the three parts, int64 each, in the order of the data.

    Every event of the train part happened before every event of the validation part, by more than the gap,
    and so on; an event's features look only backwards, so nothing of a later part is known to an earlier one,
    for any entity.

    Attributes:
        bounds_ms: first event time of the validation and of the test part.
    """

    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    test: NDArray[np.int64]
    bounds_ms: tuple[int, int]


def split_by_time(
    occurred_at_ms: NDArray[np.int64], *, train_share: float, validation_share: float, gap_ms: int
) -> Split:
    """The split of rows with these event times; rows within the gap before a bound are left out.

    Args:
        train_share, validation_share: shares of the rows, between 0 and 1, together below 1.
        gap_ms: event time left out before the validation and the test part.

    Raises:
        TrainingRefused: a part would have fewer than 50 rows.
    """
    if len(occurred_at_ms):
        first, second = np.quantile(
            occurred_at_ms, [train_share, train_share + validation_share], method="higher"
        ).tolist()
    else:
        first = second = 0
    parts = {
        "train": occurred_at_ms < first - gap_ms,
        "validation": (occurred_at_ms >= first) & (occurred_at_ms < second - gap_ms),
        "test": occurred_at_ms >= second,
    }
    for name, rows in parts.items():
        if rows.sum() < LEAST_ROWS:
            raise TrainingRefused(
                f"the {name} part has {rows.sum()} of {len(occurred_at_ms)} rows, fewer than {LEAST_ROWS}; "
                "give more events, or a smaller gap"
            )
    train, validation, test = (np.flatnonzero(rows) for rows in parts.values())
    return Split(train, validation, test, (int(first), int(second)))


def split_by_order(
    rows: NDArray[np.int64], occurred_at_ms: NDArray[np.int64], *, train_share: float, validation_share: float
) -> Split:
    """The split of these row numbers as they stand: for things that all happened at one time, one beside the other.

    Args:
        rows: ascending, int64[m]; the others are left out.
        occurred_at_ms: event times of all rows.

    Raises:
        TrainingRefused: a part would have fewer than 50 rows.
    """
    first, second = round(len(rows) * train_share), round(len(rows) * (train_share + validation_share))
    parts = {"train": rows[:first], "validation": rows[first:second], "test": rows[second:]}
    for name, part in parts.items():
        if len(part) < LEAST_ROWS:
            raise TrainingRefused(
                f"the {name} part has {len(part)} of {len(rows)} rows, fewer than {LEAST_ROWS}; give more events"
            )
    bounds = int(occurred_at_ms[parts["validation"][0]]), int(occurred_at_ms[parts["test"][0]])
    return Split(parts["train"], parts["validation"], parts["test"], bounds)


def default_gap_ms(occurred_at_ms: NDArray[np.int64], horizon_ms: int) -> int:
    """One hundredth of the span of the data, at most the horizon of the view."""
    if not len(occurred_at_ms):
        return 0
    return int(min(horizon_ms, (int(occurred_at_ms.max()) - int(occurred_at_ms.min())) // 100))
