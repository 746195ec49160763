"""Events as columns: what the fold kernel reads. Made from structs here, from a data frame in `frame`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, overload

import msgspec
import numpy as np
from numpy.typing import NDArray

from schemas.as_of import question_struct
from schemas.event import EventType
from scoring.features.hashing import SEED, mix, text_hashes
from scoring.wire.packed import Packed, pack_json


class EventIds(Sequence[str]):
    """Ids that lie between the quotes of their JSON, free of escapes; each becomes a text when it is asked for."""

    def __init__(self, between_quotes: Packed) -> None:
        self._packed = between_quotes

    def __len__(self) -> int:
        return len(self._packed.starts)

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> list[str]: ...
    def __getitem__(self, place: int | slice) -> str | list[str]:
        if isinstance(place, slice):
            return [self[each] for each in range(*place.indices(len(self)))]
        return self._packed.one(place).decode()

    def cut(self, rows: slice) -> "EventIds":
        """Some of them, still where they lie."""
        return EventIds(self._packed.cut(rows))

    @property
    def json(self) -> Packed:
        """With their quotes."""
        return Packed(self._packed.raw, self._packed.starts - 1, self._packed.ends + 1)


def json_of(ids: Sequence[str]) -> Packed:
    """The JSON of each id."""
    return ids.json if isinstance(ids, EventIds) else pack_json(ids)


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
        asks: which are questions about their entity, scored and not folded, bool[n]; None for none.
    """

    event_type: EventType
    entities: list[str]
    entity: NDArray[np.int64]
    occurred_at_ms: NDArray[np.int64]
    event_ids: Sequence[str]
    id_hash: NDArray[np.uint64]
    body_hash: NDArray[np.uint32]
    numbers: dict[str, NDArray[np.float64]]
    texts: dict[str, NDArray[np.uint64]]
    asks: NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        """Number of events."""
        return len(self.event_ids)

    def cut(self, rows: slice, entities: slice) -> "EventBatch":
        """Some events, which must be all those of these entities."""
        ids = self.event_ids
        return EventBatch(
            event_type=self.event_type,
            entities=self.entities[entities],
            entity=self.entity[rows] - entities.start,
            occurred_at_ms=self.occurred_at_ms[rows],
            event_ids=ids.cut(rows) if isinstance(ids, EventIds) else ids[rows],
            id_hash=self.id_hash[rows],
            body_hash=self.body_hash[rows],
            numbers={name: column[rows] for name, column in self.numbers.items()},
            texts={name: column[rows] for name, column in self.texts.items()},
            asks=None if self.asks is None else self.asks[rows],
        )

    @classmethod
    def from_events(cls, event_type: EventType, events: Sequence[Any]) -> "EventBatch":
        """The batch of decoded structs of the event type."""
        layout = layout_of(event_type)
        columns = zip(*map(msgspec.structs.astuple, events), strict=True) if events else [()] * len(layout.names)
        by_name: dict[str, Sequence[Any]] = dict(zip(layout.names, columns, strict=True))
        numbers = {name: np.array(by_name[name], np.float64) for name in layout.floats}
        texts = {name: text_hashes(by_name[name]) for name in layout.texts}
        entities, entity = _indexed(by_name[event_type.key])
        batch = cls.assemble(
            event_type, entities, entity, np.array(by_name["occurred_at_ms"], np.int64),
            list(by_name["event_id"]), numbers, texts,
        )  # fmt: skip
        asks = question_struct(event_type)
        if asks not in set(map(type, events)):
            return batch
        return replace(batch, asks=np.array([type(event) is asks for event in events]))

    @classmethod
    def assemble(
        cls,
        event_type: EventType,
        entities: list[str],
        entity: NDArray[np.int64],
        occurred_at_ms: NDArray[np.int64],
        event_ids: Sequence[str],
        numbers: dict[str, NDArray[np.float64]],
        texts: dict[str, NDArray[np.uint64]],
    ) -> "EventBatch":
        """The batch of these columns; the hash of the content is made here, so that it is the same for all sources."""
        body = mix(np.full(len(event_ids), SEED, np.uint64), occurred_at_ms.view(np.uint64))
        for name in layout_of(event_type).names:
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
class Layout:
    """The fields of an event type: all names in the struct's order, which are numbers, which are texts."""

    names: tuple[str, ...]
    floats: tuple[str, ...]
    texts: tuple[str, ...]


@cache
def layout_of(event_type: EventType) -> Layout:
    """The layout of the event type's struct."""
    floats, texts = [], []
    for field in msgspec.inspect.type_info(event_type.struct).fields:  # type: ignore[attr-defined]
        kinds = {type(bare(kind)) for kind in getattr(bare(field.type), "types", (field.type,))}
        if msgspec.inspect.FloatType in kinds:
            floats.append(field.name)
        elif msgspec.inspect.StrType in kinds:
            texts.append(field.name)
    names = event_type.struct.__struct_fields__
    return Layout(names, tuple(floats), tuple(texts))


def bare(kind: Any) -> Any:
    """A type of msgspec's without its description."""
    return kind.type if isinstance(kind, msgspec.inspect.Metadata) else kind


def _indexed(keys: Sequence[str]) -> tuple[list[str], NDArray[np.int64]]:
    places: dict[str, int] = {key: place for place, key in enumerate(dict.fromkeys(keys))}
    return list(places), np.fromiter(map(places.__getitem__, keys), np.int64, len(keys))


def _bits(numbers: NDArray[np.float64]) -> NDArray[np.uint64]:
    one_nan = np.where(np.isnan(numbers), np.nan, numbers + 0.0)  # one NaN, and no negative zero
    return one_nan.view(np.uint64)
