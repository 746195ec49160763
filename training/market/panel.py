"""Returns of several symbols or portfolios side by side by day, and which row of the data set each came from."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from scoring.features.of_returns import return_of
from scoring.files import Chunk, read_events, read_mapping
from scoring.scorer import Scorer
from training.dataset import Dataset, collect
from training.errors import TrainingRefused
from training.market.drawn_portfolios import Drawn, drawn_weights
from training.market.forecasts import Series
from training.market.portfolios import returns_of
from training.market.prices import Span, chunk_of, read_prices
from training.protocols.protocol import Ground

PERCENT = 100.0


@dataclass(frozen=True, eq=False)
class Panel:
    """Returns of `series` symbols or portfolios on `days` days.

    Attributes:
        returns: percent, float64[days, series].
        said_by: the row of the data set from whose outputs the forecast of each return comes: that of the day before,
            int64[days, series].
    """

    dataset: Dataset
    returns: Series
    said_by: NDArray[np.int64]


def read_panel(ground: Ground, map_: str, scorer: Scorer, through: str, portfolios: Drawn | None = None) -> Panel:
    """The panel of the files up to a date; later rows are dropped before anything is made of them.

    Args:
        through: the last date, as `2008-12-31` (UTC).
        portfolios: drawn from the symbols of the files, where those hold prices and the scorer judges portfolios.

    Raises:
        TrainingRefused: no event, one lacks a day that another one has, or the scorer's view keeps no returns.
    """
    returned = return_of(scorer.view)
    if returned is None:
        raise TrainingRefused(f"view {scorer.view.name} of scorer {scorer.name} keeps no history of returns")
    dataset = collect(scorer.view, _events(ground, map_, scorer, through, portfolios), with_history=True)
    if not len(dataset):
        raise TrainingRefused(f"no event up to {through}; expected daily ones of one or more {scorer.event.key}s")
    days, at = np.unique(dataset.occurred_at_ms, return_inverse=True)
    rows = np.full((len(days), dataset.entities), -1)
    rows[at, dataset.entity] = np.arange(len(dataset))
    if (rows < 0).any():
        raise TrainingRefused(
            f"{int((rows < 0).sum())} events are missing; expected one of every {scorer.event.key} on every day"
        )
    returns = PERCENT * dataset.rows.features[:, scorer.view.feature_names.index(returned)].astype(np.float64)[rows]
    return Panel(dataset, returns[1:], rows[:-1])


def _events(ground: Ground, map_: str, scorer: Scorer, through: str, portfolios: Drawn | None) -> Iterable[Chunk]:
    mapping = read_mapping(ground.map_ or map_)
    if portfolios is None:
        end_ms = Span("1d", through).end_ms
        return (_until(chunk, end_ms) for chunk in read_events(ground.files, mapping, scorer.event))
    read = read_prices(ground.files, mapping, Span("1d", through), scorer.event)
    if read.own:
        return [chunk_of(read.frame)]
    weights = drawn_weights(read.frame["symbol"].unique().to_list(), portfolios)
    return [chunk_of(returns_of(read.frame, weights, "1d"))]


def stands_still(panel: Panel, first_days: int, most_unchanged: float) -> NDArray[np.bool_]:
    """Which series stood still on more than a share of the first days, bool[series].

    On their likelihood GARCH models collapse: a variance of nearly zero explains the unchanged prices best.
    """
    found: NDArray[np.bool_] = (panel.returns[:first_days] == 0).mean(axis=0) > most_unchanged
    return found


def _until(chunk: Chunk, end_ms: int) -> Chunk:
    kept = chunk.frame["occurred_at_ms"] < end_ms
    return replace(chunk, frame=chunk.frame.filter(kept), labels=None)
