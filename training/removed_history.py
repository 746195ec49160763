"""What a score loses without the past: the same events, each as if it were the first of its entity."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from scoring.features.spec import FeatureView
from scoring.files import Chunk
from scoring.metrics import Ranking, bootstrap
from scoring.model.rows import Rows
from scoring.model.session import Session
from training.dataset import Dataset, collect
from training.evaluation import score_rows


def rows_alone(view: FeatureView, chunks: Iterable[Chunk], places: NDArray[np.int64], *, with_history: bool) -> Rows:
    """The rows of these events without anything that came before them, in the order of `places`.

    Args:
        chunks: the events that a data set came from, read again.
        places: which of the events, as `Dataset.place` counts them, ascending.
    """
    found = collect(view, _strangers(view, chunks, places), with_history=with_history)
    assert len(found) == len(places), "an event that was scored is scored alone too"
    return found.rows


def removed_history(
    session: Session, dataset: Dataset, test: NDArray[np.int64], chunks: Iterable[Chunk], view: FeatureView, *, seed: int
) -> dict[str, Any]:
    """What the test part loses, for a manifest: areas under the curve with and without the past, or how scores change.

    Args:
        test: row numbers of the test part.
        chunks: the events of the data set, read again.
        seed: of the resampling of entities.

    Returns:
        Empty where the view looks at nothing but the event itself. Else `rows` and [value, low, high] of: `auc`,
        `auc_alone` and their `auc_difference` where both labels are known; `score_change`, the mean distance of the two
        scores of an event.
    """
    if dataset.place is None or not len(test):
        return {}
    whole = dataset.rows.take(test)
    order = np.argsort(dataset.place[test], kind="stable")
    bare = rows_alone(view, chunks, dataset.place[test][order], with_history=whole.history is not None)
    bare = bare.take(np.argsort(order, kind="stable"))
    if np.array_equal(bare.features, whole.features, equal_nan=True):
        return {}
    both = [score_rows(session, rows).astype(np.float64) for rows in (whole, bare)]
    entity, labels = dataset.entity[test], None if dataset.labels is None else dataset.labels[test]
    apart = np.abs(both[0] - both[1])
    figures = {"score_change": (lambda weights: float((weights * apart).sum() / weights.sum()), entity)}
    if labels is not None and (labels == 1).any() and (labels == 0).any():
        known = np.flatnonzero(labels >= 0)
        given, alone = (Ranking(scores[known], labels[known]).auc for scores in both)
        figures |= {
            "auc": (given, entity[known]),
            "auc_alone": (alone, entity[known]),
            "auc_difference": (lambda weights: given(weights) - alone(weights), entity[known]),
        }
    found = {name: bootstrap(figure, unit, seed=seed).rounded() for name, (figure, unit) in figures.items()}
    return {"rows": len(test)} | found


def _strangers(view: FeatureView, chunks: Iterable[Chunk], places: NDArray[np.int64]) -> Iterable[Chunk]:
    """The events at these places, each of entities of its own."""
    keys = {view.event.key} | ({view.carries.event.key} if view.carries else set())
    start = 0
    for chunk in chunks:
        inside = places[(places >= start) & (places < start + chunk.frame.height)] - start
        start += chunk.frame.height
        frame = chunk.frame[inside]
        names = [
            pl.Series(key, [f"{row}-{start}" for row in inside.tolist()], dtype=pl.String)
            for key in keys & set(frame.columns)
        ]
        yield replace(chunk, frame=frame.with_columns(names), labels=None, protected=None)
