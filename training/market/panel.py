"""Bars of several symbols side by side: returns by day, and which row of the data set each came from."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from scoring.files import Chunk, read_events, read_mapping
from scoring.scorer import Scorer
from training.dataset import Dataset, collect
from training.errors import TrainingRefused
from training.market.forecasts import Series
from training.protocols.protocol import Ground

RETURN = "log_return"
PERCENT = 100.0


@dataclass(frozen=True, eq=False)
class Panel:
    """Returns of `series` symbols on `days` days.

    Attributes:
        returns: percent, float64[days, series].
        said_by: the row of the data set from whose outputs the forecast of each return comes: that of the day before,
            int64[days, series].
    """

    dataset: Dataset
    returns: Series
    said_by: NDArray[np.int64]


def read_panel(ground: Ground, map_: str, scorer: Scorer, through: str) -> Panel:
    """The panel of the files up to a date; later rows are dropped before anything is made of them.

    Args:
        through: the last date, as `2008-12-31` (UTC).

    Raises:
        TrainingRefused: no bar, or a symbol lacks a day that another one has.
    """
    end_ms = round((datetime.fromisoformat(through).replace(tzinfo=UTC).timestamp() + 86_400) * 1_000)
    chunks = (
        _until(chunk, end_ms) for chunk in read_events(ground.files, read_mapping(ground.map_ or map_), scorer.event)
    )
    dataset = collect(scorer.view, chunks, with_history=True)
    if not len(dataset):
        raise TrainingRefused(f"no bar up to {through}; expected daily bars of one or more symbols")
    days, at = np.unique(dataset.occurred_at_ms, return_inverse=True)
    rows = np.full((len(days), dataset.entities), -1)
    rows[at, dataset.entity] = np.arange(len(dataset))
    if (rows < 0).any():
        raise TrainingRefused(f"{int((rows < 0).sum())} bars are missing; expected one of every symbol on every day")
    returns = PERCENT * dataset.rows.features[:, scorer.view.feature_names.index(RETURN)].astype(np.float64)[rows]
    return Panel(dataset, returns[1:], rows[:-1])


def stands_still(panel: Panel, first_days: int, most_unchanged: float) -> NDArray[np.bool_]:
    """Which series stood still on more than a share of the first days, bool[series].

    On their likelihood GARCH models collapse: a variance of nearly zero explains the unchanged prices best.
    """
    found: NDArray[np.bool_] = (panel.returns[:first_days] == 0).mean(axis=0) > most_unchanged
    return found


def _until(chunk: Chunk, end_ms: int) -> Chunk:
    kept = chunk.frame["occurred_at_ms"] < end_ms
    return replace(chunk, frame=chunk.frame.filter(kept), labels=None)
