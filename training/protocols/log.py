"""The events of a protocol as they were read, before any view: what rules without a model look at."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from scoring.files import Chunk
from training.errors import TrainingRefused

NOBODY = -1


@dataclass(frozen=True, eq=False)
class Log:
    """Events in the order in which they were read; n rows.

    Attributes:
        occurred_at_ms: event time, int64[n].
        entity: a number per entity of the input topic, int64[n].
        amount: of the payment, float64[n].
        merchant: a number per merchant, int64[n]; -1 without one.
        labels: 1, 0, or -1 where the truth is unknown, int8[n].
        delay_ms: how long after an event its label is known.
    """

    occurred_at_ms: NDArray[np.int64]
    entity: NDArray[np.int64]
    amount: NDArray[np.float64]
    merchant: NDArray[np.int64]
    labels: NDArray[np.int8]
    delay_ms: int


def log_of(chunks: Sequence[Chunk], key: str, delay_ms: int) -> Log:
    """The log of payments that were read.

    Args:
        key: the field that names the entity.

    Raises:
        TrainingRefused: there is none, or the mapping has no labels.
    """
    frames = [chunk.frame for chunk in chunks if chunk.frame.height]
    if not frames:
        raise TrainingRefused("no event could be used; check --events and --map")
    if any(chunk.labels is None for chunk in chunks):
        raise TrainingRefused("this protocol needs labels; give a mapping with `label`")
    frame = pl.concat(frames)
    labels = pl.concat([chunk.labels for chunk in chunks if chunk.labels is not None and chunk.frame.height])
    merchant = _numbers(frame, "merchant_id") if "merchant_id" in frame.columns else np.full(frame.height, NOBODY)
    return Log(
        occurred_at_ms=frame["occurred_at_ms"].to_numpy(),
        entity=_numbers(frame, key),
        amount=frame["amount"].fill_null(np.nan).to_numpy(),
        merchant=merchant,
        labels=labels.fill_null(-1).to_numpy().astype(np.int8),
        delay_ms=delay_ms,
    )


def _numbers(frame: pl.DataFrame, column: str) -> NDArray[np.int64]:
    """A number per distinct text, in the order of first appearance; -1 for null."""
    names = frame[column].drop_nulls().unique(maintain_order=True)
    numbers = dict(zip(names.to_list(), range(len(names)), strict=True))
    return np.array([NOBODY if name is None else numbers[name] for name in frame[column].to_list()], np.int64)
