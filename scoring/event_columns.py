"""Usual records straight to columns: the same as decoding one by one and `EventBatch.from_events`, without objects."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from xxhash import xxh3_64_intdigest

from schemas.codec import LARGEST_VALUE, SECONDS, WIDEST_TIME_MS
from schemas.event import EventType
from scoring.features.batch import EventBatch, EventIds, bare, layout_of
from scoring.features.hashing import SEED
from scoring.features.text_columns import cut_places, hash_texts, index_of, same_texts, texts_of
from scoring.features.xxh3 import LONGEST
from scoring.murmur2 import homes_of
from scoring.wire.packed import Packed, pack
from scoring.wire.read_json import ABSENT, NUMBER, TEXT, TIME, Columns, Fields, read_objects

MOST_FIELDS = 63
"""Those that were met are bits of one number."""


@dataclass(frozen=True, eq=False, repr=False)
class EventColumns:
    """Events of n records.

    Attributes:
        raws: their values, one behind the other.
        columns: where their texts lie in these, their numbers and times.
        hashes: of each text, uint64[texts, n]; 0 where missing.
        entity: index of each event's entity among the distinct ones, in order of first appearance, int64[n].
        first: where each distinct entity appears first, int64[entities], ascending.
        whole, at: what these were cut from, if from anything, and their first row there.
    """

    event_type: EventType
    raws: Packed
    columns: Columns
    hashes: NDArray[np.uint64]
    entity: NDArray[np.int64]
    first: NDArray[np.int64]
    whole: "EventColumns | None" = None
    at: int = 0

    @classmethod
    def read(cls, event_type: EventType, raws: Packed) -> "EventColumns | None":
        """The events of these record values; None when one is not usual: decode them one by one.

        Args:
            raws: those that are null begin before the first.
        """
        fields = fields_of(event_type)
        if fields is None or not len(raws.starts) or raws.starts.min() < 0:
            return None
        columns = read_objects(fields, raws)
        if columns is None:
            return None
        times = columns.times
        if times.min() < SECONDS[1] or times.max() >= WIDEST_TIME_MS or (raws.ends - raws.starts).max() > LARGEST_VALUE:
            return None
        hashes = hash_texts(raws.raw, columns.starts, columns.ends)
        for text, row in np.argwhere(columns.ends - columns.starts > LONGEST).tolist():
            hashes[text, row] = xxh3_64_intdigest(_text(raws, columns, text, row), SEED) or 1
        key = _key(event_type)
        entity, first = index_of(raws.raw, columns.starts[key], columns.ends[key], hashes[key])
        return cls(event_type, raws, columns, hashes, entity, first)

    def cut(self, sizes: Sequence[int]) -> "list[EventColumns] | None":
        """The events in pieces of these sizes, one behind the other; None when an entity is in two of them."""
        ends = np.cumsum([0, *sizes]).tolist()
        entities = np.searchsorted(self.first, ends).tolist()
        pieces = []
        for (start, end), (known, more) in zip(pairwise(ends), pairwise(entities), strict=True):
            rows = slice(start, end)
            entity = self.entity[rows] - known
            if entity.min(initial=0) < 0:
                return None
            raws = self.raws.cut(rows)
            columns = Columns._make(column[..., rows] for column in self.columns)
            first = self.first[known:more] - start
            pieces.append(
                EventColumns(self.event_type, raws, columns, self.hashes[:, rows], entity, first, whole=self, at=start)
            )
        return pieces

    def same_keys(self, keys: Packed) -> bool:
        """Whether each record's key is its event's entity; one that is null, and begins before the first, is not."""
        key = _key(self.event_type)
        starts, ends = self.columns.starts[key], self.columns.ends[key]
        return keys.starts.min() >= 0 and bool(same_texts(keys, self.raws.raw, starts, ends))

    def all_at_home(self, partition: int, partition_count: int) -> bool:
        """Whether Java's partitioner puts every entity on that partition."""
        key = _key(self.event_type)
        entities = Packed(self.raws.raw, self.columns.starts[key, self.first], self.columns.ends[key, self.first])
        return bool((homes_of(entities, partition_count) == partition).all())

    def cuts(self, edges: Collection[int], most_entities: int) -> list[int]:
        """Where pieces begin: at edges, in any order, and where one would have more entities than `most_entities`."""
        if not edges and len(self.first) <= most_entities:
            return []
        at = np.array(sorted(edges), np.int64)
        return [int(cut) for cut in cut_places(self.entity, len(self.first), at, most_entities)]

    def batch(self, piece: slice) -> EventBatch:
        """The events of a piece, for the fold."""
        layout, columns = layout_of(self.event_type), self.columns
        key = _key(self.event_type)
        entity, first = self.entity[piece], self.first
        if len(entity) < len(self.entity):
            _, first, entity = np.unique(entity, return_index=True, return_inverse=True)
            first, entity = _by_appearance(first, entity)
            first = first + (piece.start or 0)
        ids = layout.texts.index("event_id")
        return EventBatch.assemble(
            self.event_type,
            texts_of(Packed(self.raws.raw, columns.starts[key, first], columns.ends[key, first])),
            entity,
            columns.times[piece],
            EventIds(Packed(self.raws.raw, columns.starts[ids, piece], columns.ends[ids, piece])),
            {name: columns.numbers[at, piece] for at, name in enumerate(layout.floats)},
            {name: self.hashes[at, piece] for at, name in enumerate(layout.texts)},
        )

    def texts(self, name: str, piece: slice) -> list[str | None]:
        """The values of a text field in a piece; None where it is missing."""
        text = layout_of(self.event_type).texts.index(name)
        starts = self.columns.starts[text, piece].tolist()
        ends = self.columns.ends[text, piece].tolist()
        raw = self.raws.raw
        return [
            None if start == ABSENT else raw[start:end].tobytes().decode()
            for start, end in zip(starts, ends, strict=True)
        ]


@cache
def fields_of(event_type: EventType) -> Fields | None:
    """How the type's fields are read; None when they are not all texts and numbers that may be missing, and one time."""
    layout, struct = layout_of(event_type), event_type.struct
    shape = struct.__struct_config__
    if len(layout.names) > MOST_FIELDS or shape.array_like or shape.tag is not None or hasattr(struct, "__post_init__"):
        return None
    rows = []
    for field in msgspec.inspect.type_info(struct).fields:  # type: ignore[attr-defined]
        kinds = {type(kind): kind for kind in map(bare, getattr(field.type, "types", (field.type,)))}
        nullable = kinds.pop(msgspec.inspect.NoneType, None) is not None
        if len(kinds) != 1 or field.encode_name != field.name or not (field.required or field.default is None):
            return None
        (kind,) = kinds.values()
        if field.name in ("event_id", event_type.key) and (nullable or not field.required):
            return None
        if field.name == "occurred_at_ms" and field.required and kind == msgspec.inspect.IntType():
            rows.append((field, TIME, 0, nullable, 0.0, 0.0))
        elif isinstance(kind, msgspec.inspect.StrType) and kind.pattern is None:
            high = np.inf if kind.max_length is None else kind.max_length
            rows.append((field, TEXT, layout.texts.index(field.name), nullable, kind.min_length or 0, high))
        elif isinstance(kind, msgspec.inspect.FloatType) and kind.multiple_of is None:
            rows.append((field, NUMBER, layout.floats.index(field.name), nullable, *_limits(kind)))
        else:
            return None
    given = list(zip(*rows, strict=True))
    return Fields(
        names=pack([field.name.encode() for field in given[0]]),
        kind=np.array(given[1], np.int64),
        column=np.array(given[2], np.int64),
        required=np.array([field.required for field in given[0]]),
        nullable=np.array(given[3]),
        low=np.array(given[4], np.float64),
        high=np.array(given[5], np.float64),
    )


def _limits(kind: Any) -> tuple[float, float]:
    """The smallest and the largest number of the type, both within; infinity is none."""
    largest = np.finfo(np.float64).max
    low = -largest if kind.ge is None else kind.ge
    high = largest if kind.le is None else kind.le
    if kind.gt is not None:
        low = max(low, np.nextafter(kind.gt, np.inf))
    if kind.lt is not None:
        high = min(high, np.nextafter(kind.lt, -np.inf))
    return float(low), float(high)


def _key(event_type: EventType) -> int:
    """Place of the entity among the texts."""
    return layout_of(event_type).texts.index(event_type.key)


def _text(raws: Packed, columns: Columns, text: int, row: int) -> bytes:
    return raws.raw[columns.starts[text, row] : columns.ends[text, row]].tobytes()


def _by_appearance(
    first: NDArray[np.int64], index: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The same with the distinct ones in order of first appearance."""
    order = np.argsort(first)
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    return first[order], place[index]
