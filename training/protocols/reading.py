"""From the files of a protocol to its rows: the same mapping, view and kernel as live."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from scoring.catalog import scorers
from scoring.files import read_events, read_mapping
from scoring.model.rows import Rows
from scoring.scorer import Scorer
from training.dataset import Dataset, collect
from training.errors import TrainingRefused
from training.protocols.protocol import Ground, Protocol, Unit
from training.trainer import trainer_named

NOWHERE = np.float32(-9.9e36)
_DAY_MS = 86_400_000


def scorer_of(protocol: Protocol, name: str) -> Scorer:
    """The scorer a protocol names.

    Raises:
        TrainingRefused: there is none.
    """
    if protocol.scorer not in scorers():
        raise TrainingRefused(
            f"{name}: scorer {protocol.scorer!r} is unknown; known are {', '.join(scorers())}"
        )
    return scorers()[protocol.scorer]


def read_dataset(protocol: Protocol, ground: Ground, scorer: Scorer, *, more: Sequence[str] = ()) -> Dataset:
    """The rows of the files, with the inputs that the protocol's models need.

    Args:
        more: trainers besides the protocol's own.

    Raises:
        TrainingRefused: no row could be used.
    """
    inputs = {each for name in (*protocol.candidates, *protocol.baselines, *more) for each in trainer_named(name).inputs}
    chunks = read_events(ground.files, read_mapping(ground.map_ or protocol.map), scorer.event)
    dataset = collect(scorer.view, chunks, with_history="history" in inputs)
    if not len(dataset):
        raise TrainingRefused(f"no event could be used, {dataset.skipped} rows refused; expected {protocol.data}")
    return dataset


def taken(dataset: Dataset, rows: NDArray[np.int64]) -> Dataset:
    """Only these rows of a data set."""
    return replace(
        dataset, rows=dataset.rows.take(rows), occurred_at_ms=dataset.occurred_at_ms[rows],
        entity=dataset.entity[rows], labels=None if dataset.labels is None else dataset.labels[rows],
        protected={name: column[rows] for name, column in dataset.protected.items()},
        place=None if dataset.place is None else dataset.place[rows],
    )  # fmt: skip


def first_of_each(rows: Rows) -> NDArray[np.int64]:
    """Row numbers without the repetitions of equal rows, int64[m] ascending; missing values are equal."""
    parts = [part.reshape(len(rows), -1) for part in (rows.features, rows.history) if part is not None]
    values: NDArray[np.float32] = np.concatenate(parts, axis=1)
    values[np.isnan(values)] = NOWHERE
    return np.sort(np.unique(values, axis=0, return_index=True)[1])


def units_of(dataset: Dataset, unit: Unit) -> NDArray[np.int64]:
    """The number of the resampling unit of each row, int64[n]."""
    if unit == "entity":
        return dataset.entity
    return np.arange(len(dataset)) if unit == "row" else dataset.occurred_at_ms // _DAY_MS


def known_labels(dataset: Dataset) -> NDArray[np.int8]:
    """The labels of a data set that has to have some, int8[n].

    Raises:
        TrainingRefused: it has none.
    """
    if dataset.labels is None:
        raise TrainingRefused("this protocol needs labels; give a mapping with `label`")
    return dataset.labels
