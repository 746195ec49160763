"""Event batches from data frames, for files: apart from `batch`, because a worker has no use for polars."""

from collections.abc import Iterator, Sequence
from typing import overload

import numpy as np
import polars as pl
from numpy.typing import NDArray

from schemas.event import EventType
from scoring.features.batch import EventBatch, layout_of
from scoring.features.hashing import text_hash
from scoring.features.text_columns import hash_texts, index_of
from scoring.features.xxh3 import LONGEST
from scoring.wire.packed import Packed


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
    packed = {name: _packed(frame[name]) for name in layout.texts if name in frame.columns}
    for name in layout.texts:
        texts[name] = _hashes(packed[name]) if name in packed else np.zeros(frame.height, np.uint64)
    entity, first = index_of(*packed[event_type.key], texts[event_type.key])
    return EventBatch.assemble(
        event_type, frame[event_type.key].gather(first).to_list(), entity,
        frame["occurred_at_ms"].to_numpy().astype(np.int64), SeriesTexts(frame["event_id"]), numbers, texts,
    )  # fmt: skip


class SeriesTexts(Sequence[str]):
    """The texts of a polars series without nulls; each becomes a Python object when it is asked for.

    Attributes:
        series: the texts.
    """

    def __init__(self, series: pl.Series) -> None:
        self.series = series

    def __len__(self) -> int:
        return len(self.series)

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> list[str]: ...
    def __getitem__(self, place: int | slice) -> str | list[str]:
        found: str | list[str] = self.series[place] if isinstance(place, int) else self.series[place].to_list()
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self.series.to_list())


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


def _packed(texts: pl.Series) -> Packed:
    """The UTF-8 of each text, empty where missing."""
    column = texts.cast(pl.String).to_arrow(compat_level=pl.CompatLevel.oldest())
    _, bounds, raw = column.buffers()
    places = np.frombuffer(bounds, np.int64)[column.offset : column.offset + len(column) + 1]
    starts, ends = places[:-1], places[1:]
    if texts.null_count():  # Arrow does not say what lies where nothing is
        ends = np.where(texts.is_null().to_numpy(), starts, ends)
        ends.flags.writeable = False  # as the others: kernels are compiled by type
    # there is no buffer where there is no text
    return Packed(np.frombuffer(raw or bytearray(1), np.uint8), starts, ends)


def _hashes(texts: Packed) -> NDArray[np.uint64]:
    hashes: NDArray[np.uint64] = hash_texts(texts.raw, texts.starts[None], texts.ends[None])[0]
    for row in np.flatnonzero(texts.ends - texts.starts > LONGEST).tolist():
        hashes[row] = text_hash(texts.one(row).decode())
    return hashes
