"""Events as columns: what the fold kernel reads, made from structs (live) or from a data frame (files)."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from operator import attrgetter
from typing import Any

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from schemas.event import EventType
from scoring.features.hashing import SEED, mix, text_hashes


@dataclass(frozen=True, eq=False)
class EventBatch:
    """Events of one type, in the order they are to be folded.

    Attributes:
        entities: the distinct entities, in order of first appearance.
        entity: index into `entities`, int64[n].
        occurred_at_ms: event time, int64[n].
        event_ids: ids, n of them.
        id_hash: 64-bit hash of the event id, uint64[n].
        body_hash: 32-bit hash of every other field, uint32[n]; the same for the same content however it came.
        numbers: float fields, float64[n] each, NaN where missing.
        texts: hashes of the text fields, uint64[n] each, 0 where missing.
    """

    event_type: EventType
    entities: list[str]
    entity: NDArray[np.int64]
    occurred_at_ms: NDArray[np.int64]
    event_ids: list[str]
    id_hash: NDArray[np.uint64]
    body_hash: NDArray[np.uint32]
    numbers: dict[str, NDArray[np.float64]]
    texts: dict[str, NDArray[np.uint64]]

    def __len__(self) -> int:
        """Number of events."""
        return len(self.event_ids)

    @classmethod
    def from_events(cls, event_type: EventType, events: Sequence[Any]) -> "EventBatch":
        """The batch of decoded structs of the event type."""
        layout = _layout(event_type)
        columns = zip(*map(layout.getter, events), strict=True) if events else [()] * len(layout.names)
        by_name: dict[str, Sequence[Any]] = dict(zip(layout.names, columns, strict=True))
        numbers = {name: np.array(by_name[name], np.float64) for name in layout.floats}
        texts = {name: text_hashes(by_name[name], repeating=name != "event_id") for name in layout.texts}
        entities, entity = _indexed(by_name[event_type.key])
        return cls._assemble(
            event_type, entities, entity, np.array(by_name["occurred_at_ms"], np.int64),
            list(by_name["event_id"]), numbers, texts,
        )  # fmt: skip

    @classmethod
    def from_frame(cls, event_type: EventType, frame: pl.DataFrame) -> "EventBatch":
        """The batch of a frame whose columns are fields of the event type; optional columns may be absent.

        Raises:
            ValueError: a required column or a value of it is missing, or it is not text or milliseconds.
        """
        layout = _layout(event_type)
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
        return cls._assemble(
            event_type, distinct.to_list(), entity.astype(np.int64),
            frame["occurred_at_ms"].to_numpy().astype(np.int64), frame["event_id"].to_list(), numbers, texts,
        )  # fmt: skip

    @classmethod
    def _assemble(
        cls,
        event_type: EventType,
        entities: list[str],
        entity: NDArray[np.int64],
        occurred_at_ms: NDArray[np.int64],
        event_ids: list[str],
        numbers: dict[str, NDArray[np.float64]],
        texts: dict[str, NDArray[np.uint64]],
    ) -> "EventBatch":
        body = mix(np.full(len(event_ids), SEED, np.uint64), occurred_at_ms.view(np.uint64))
        for name in _layout(event_type).names:
            if name in numbers:
                body = mix(body, _bits(numbers[name]))
            elif name in texts and name != "event_id":
                body = mix(body, texts[name])
        return cls(
            event_type=event_type, entities=entities, entity=entity, occurred_at_ms=occurred_at_ms,
            event_ids=event_ids, id_hash=texts["event_id"],
            body_hash=(body >> np.uint64(16)).astype(np.uint32), numbers=numbers, texts=texts,
        )  # fmt: skip


@dataclass(frozen=True)
class _Layout:
    names: tuple[str, ...]
    floats: tuple[str, ...]
    texts: tuple[str, ...]
    getter: attrgetter  # type: ignore[type-arg]


@cache
def _layout(event_type: EventType) -> _Layout:
    floats, texts = [], []
    for field in msgspec.inspect.type_info(event_type.struct).fields:  # type: ignore[attr-defined]
        kinds = {type(_bare(kind)) for kind in getattr(_bare(field.type), "types", (field.type,))}
        if msgspec.inspect.FloatType in kinds:
            floats.append(field.name)
        elif msgspec.inspect.StrType in kinds:
            texts.append(field.name)
    names = event_type.struct.__struct_fields__
    return _Layout(names, tuple(floats), tuple(texts), attrgetter(*names))


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


def _bare(kind: Any) -> Any:
    return kind.type if isinstance(kind, msgspec.inspect.Metadata) else kind


def _indexed(keys: Sequence[str]) -> tuple[list[str], NDArray[np.int64]]:
    places: dict[str, int] = {}
    for key in keys:
        if key not in places:
            places[key] = len(places)
    return list(places), np.array([places[key] for key in keys], np.int64)


def _frame_hashes(series: pl.Series) -> NDArray[np.uint64]:
    distinct = series.unique(maintain_order=True)
    if 2 * len(distinct) > len(series):
        return text_hashes(series.to_list())
    table = pl.DataFrame({"text": distinct, "hash": text_hashes(distinct.to_list())})
    joined = series.to_frame("text").join(
        table, on="text", how="left", maintain_order="left", nulls_equal=True
    )
    return joined["hash"].to_numpy().astype(np.uint64)


def _bits(numbers: NDArray[np.float64]) -> NDArray[np.uint64]:
    one_nan = np.where(np.isnan(numbers), np.nan, numbers + 0.0)  # one NaN, and no negative zero
    return one_nan.view(np.uint64)
