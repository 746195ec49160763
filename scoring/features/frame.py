"""Event batches from data frames, for files: apart from `batch`, because a worker has no use for polars."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from schemas.event import EventType
from scoring.features.batch import EventBatch, layout_of
from scoring.features.hashing import text_hashes


def batch_of_frame(event_type: EventType, frame: pl.DataFrame) -> EventBatch:
    """The batch of a frame whose columns are fields of the event type; optional columns may be absent.

    Raises:
        ValueError: a required column or a value of it is missing, or it is not text or milliseconds.
    """
    layout = layout_of(event_type)
    for name in ("event_id", "occurred_at_ms", event_type.key):
        _check_column(event_type, frame, name)
    missing = pl.Series([None] * frame.height)
    numbers, texts = {}, {}
    for name in layout.floats:
        series = frame[name].cast(pl.Float64) if name in frame.columns else missing.cast(pl.Float64)
        number = series.fill_null(float("nan")).to_numpy().astype(np.float64)
        # division leaves other kinds of NaN, and states are compared byte by byte
        number[np.isnan(number)] = np.nan
        numbers[name] = number
    for name in layout.texts:
        texts[name] = (
            _frame_hashes(frame[name]) if name in frame.columns else np.zeros(frame.height, np.uint64)
        )
    keys = frame[event_type.key]
    distinct = keys.unique(maintain_order=True)
    index = pl.DataFrame({"key": distinct, "index": np.arange(len(distinct))})
    entity = (
        keys.to_frame("key").join(index, on="key", how="left", maintain_order="left")["index"].to_numpy()
    )
    return EventBatch.assemble(
        event_type, distinct.to_list(), entity.astype(np.int64),
        frame["occurred_at_ms"].to_numpy().astype(np.int64), frame["event_id"].to_list(), numbers, texts,
    )  # fmt: skip


def _check_column(event_type: EventType, frame: pl.DataFrame, name: str) -> None:
    wanted = "whole milliseconds" if name == "occurred_at_ms" else "text"
    if name not in frame.columns:
        found = f"columns {', '.join(frame.columns)}"
    elif frame[name].null_count():
        found = f"{frame[name].null_count()} missing values"
    elif not (frame[name].dtype.is_integer() if name == "occurred_at_ms" else frame[name].dtype == pl.String):
        found = f"type {frame[name].dtype}"
    else:
        return
    raise ValueError(
        f"frame of {event_type.name}: column {name!r}: expected {wanted} in every row, was {found}"
    )


def _frame_hashes(series: pl.Series) -> NDArray[np.uint64]:
    distinct = series.unique(maintain_order=True)
    if 2 * len(distinct) > len(series):
        return text_hashes(series.to_list())
    table = pl.DataFrame({"text": distinct, "hash": text_hashes(distinct.to_list())})
    joined = series.to_frame("text").join(
        table, on="text", how="left", maintain_order="left", nulls_equal=True
    )
    return joined["hash"].to_numpy().astype(np.uint64)
