"""Records of one partition into chunks: decoded, refused where they must be, cut so that each is one atomic commit."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.codec import EventDecoder, Refused
from schemas.dead_letter import Reason
from schemas.event import EventType
from scoring.event_columns import EventColumns
from scoring.features.batch import EventBatch
from scoring.murmur2 import partition_of, partitions_of
from scoring.record_run import (
    LOG_APPEND_TIME,
    InputRecord,
    RecordRun,
    keys_of,
    offsets_of,
    times_of,
    values_of,
)
from scoring.store.contract import Partition

MOST_VERIFIED = 200_000


@dataclass(frozen=True, slots=True)
class Letter:
    """A record refused before the fold."""

    record: InputRecord
    refused: Refused


@dataclass(frozen=True, eq=False, repr=False)
class Origins:
    """Where the n events of an internal topic come from, and what was seen there.

    Attributes:
        partitions, partition_of: the distinct input partitions, and which one is each event's, int64[n].
        offsets: in those partitions.
        vectors: features of the first entity, float32[n, F]; NaN where they are of another view.
        depth: int32[n], earlier events of the first entity.
        late, approx: bool[n], flags of the first entity.
        fits: bool[n], False where the features are of another view than the model reads.
    """

    partitions: list[Partition]
    partition_of: NDArray[np.int64]
    offsets: list[int]
    vectors: NDArray[np.float32]
    depth: NDArray[np.int32]
    late: NDArray[np.bool_]
    approx: NDArray[np.bool_]
    fits: NDArray[np.bool_]


@dataclass(eq=False, repr=False)
class Chunk:
    """Consecutive records of one partition that are committed together.

    Attributes:
        events: decoded events; offsets and records go with them, one each.
        letters: records refused before the fold.
        first_offset, next_offset: of its first record, and where the partition goes on after it.
        origins: of an internal topic, where its events come from.
        read_to: of an internal topic, the offset behind the highest read of each origin partition, by its name.
        second_entities: what each event is keyed by when it is passed on; None where it has none.
        columns, piece: the events in place of `events`, when they were read as columns, and which of these.
    """

    events: list[Any] = field(default_factory=list)
    records: Sequence[InputRecord] = ()
    letters: list[Letter] = field(default_factory=list)
    first_offset: int = 0
    next_offset: int = 0
    origins: Origins | None = None
    read_to: Mapping[str, int] = field(default_factory=dict)
    second_entities: dict[str, list[str | None]] = field(default_factory=dict)
    columns: EventColumns | None = None
    piece: slice = field(default_factory=partial(slice, None))

    def batch(self, event_type: EventType) -> EventBatch:
        """The events for the fold."""
        if self.columns is not None:
            return self.columns.batch(self.piece)
        return EventBatch.from_events(event_type, self.events)

    def texts(self, name: str) -> list[str | None]:
        """What each event has in a text field."""
        if self.columns is not None:
            return self.columns.texts(name, self.piece)
        return [getattr(event, name) for event in self.events]

    def drop_events(self) -> None:
        """Lets the events go; the records stay."""
        self.events, self.columns = [], None

    @property
    def offsets(self) -> list[int]:
        """Source offset of each event."""
        found: list[int] = offsets_of(self.records).tolist()
        return found


@dataclass(eq=False, repr=False)
class RecordReader:
    """Decodes the records of one input partition.

    Args:
        decoder: of the topic's event type.
        partition, partition_count: to check that a key belongs here.
        key_check: `murmur2` checks key and partition, `key` only the key, `none` neither.
        skew_ms: how far an event may lie after its broker time.
    """

    decoder: EventDecoder
    partition: int
    partition_count: int
    key_check: str
    skew_ms: int
    _verified: set[bytes] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.entity_of = attrgetter(self.decoder.event_type.key)

    def chunks(
        self, records: Sequence[InputRecord], *, most_entities: int, boundaries: Sequence[int] = ()
    ) -> list[Chunk]:
        """The records cut so that no chunk touches more than `most_entities`, nor spans a boundary offset."""
        columns = self.usual(records)
        if columns is not None:
            offsets = offsets_of(records)
            edges = set(np.searchsorted(offsets, boundaries).tolist()) if boundaries else set()
            ends = [*columns.cuts(edges - {0, len(records)}, most_entities), len(records)]
            pieces = [slice(start, end) for start, end in pairwise([0, *ends])]
            return [
                Chunk(
                    records=records[piece], columns=columns, piece=piece,
                    first_offset=int(offsets[piece.start]), next_offset=int(offsets[piece.stop - 1]) + 1,
                )
                for piece in pieces
            ]  # fmt: skip
        if self.key_check == "murmur2":
            self._verify({record.key for record in records if record.key is not None})
        found = self._all_good(records)
        if found is None:
            found = [self._event_or_refusal(record) for record in records]
        pieces = cut(records, found, self.entity_of, most_entities, boundaries)
        return [chunk_of(records[piece], found[piece]) for piece in pieces]

    def usual(self, records: Sequence[InputRecord]) -> EventColumns | None:
        """The events when all are usual and nothing is to be refused: 2 us a record less than as structs. Else None."""
        if isinstance(records, RecordRun) and records.was_read:
            columns = records.columns
        else:
            columns = EventColumns.read(self.decoder.event_type, values_of(records))
        if columns is None or (columns.columns.times > times_of(records) + self.skew_ms).any():
            return None
        if self.key_check != "none" and not columns.same_keys(keys_of(records)):
            return None
        if self.key_check == "murmur2" and not columns.all_at_home(self.partition, self.partition_count):
            return None
        return columns

    def _all_good(self, records: Sequence[InputRecord]) -> list[Any] | None:
        """The same as structs, for what is good and not usual: 1.5 us a record less than one by one. Else None."""
        events = self.decoder.decode_all([record.value for record in records])
        if events is None or any(map(self._from_the_future, records, events)):
            return None
        if self.key_check != "none":
            keys = [record.key for record in records]
            if keys != [self.entity_of(event).encode() for event in events] or not self._at_home(keys):
                return None
        return events

    def _at_home(self, keys: Sequence[bytes | None]) -> bool:
        return self.key_check != "murmur2" or self._verified.issuperset(keys)

    def _event_or_refusal(self, record: InputRecord) -> Any:
        try:
            return self._decode(record)
        except Refused as refused:
            return refused

    def _decode(self, record: InputRecord) -> Any:
        event = self.decoder.decode(record.value)
        if self._from_the_future(record, event):
            ahead = event.occurred_at_ms - record.timestamp
            raise Refused(
                Reason.FAR_FUTURE, "$.occurred_at_ms",
                f"expected at most {self.skew_ms} ms after the broker's time, was {ahead} ms after it",
            )  # fmt: skip
        if self.key_check != "none":
            self._check_key(record.key, self.entity_of(event))
        return event

    def _from_the_future(self, record: InputRecord, event: Any) -> bool:
        ahead: bool = event.occurred_at_ms > record.timestamp + self.skew_ms
        return ahead and record.timestamp_type == LOG_APPEND_TIME

    def _check_key(self, key: bytes | None, entity: str) -> None:
        field_name = self.decoder.event_type.key
        if key is None:
            raise Refused(
                Reason.NO_KEY,
                "$",
                f"expected a record key equal to {field_name}, was none; set key_check or rekey",
            )
        expected = entity.encode()
        if key != expected:
            raise Refused(Reason.KEY_MISMATCH, f"$.{field_name}", "expected the record key, was another text")
        if self.key_check == "murmur2" and key not in self._verified:
            home = partition_of(key, self.partition_count)
            raise Refused(
                Reason.WRONG_PARTITION,
                "$",
                f"expected partition {home} of {self.partition_count} by murmur2 of the key, was {self.partition}; "
                "use Java's default partitioner or set key_check",
            )

    def _verify(self, keys: set[bytes]) -> None:
        """Remembers which of the keys belong to this partition: one call for the new ones of a poll."""
        if len(self._verified) > MOST_VERIFIED:
            self._verified.clear()
        new = [key for key in keys if key not in self._verified]
        homes = partitions_of(new, self.partition_count).tolist()
        self._verified.update(key for key, home in zip(new, homes, strict=True) if home == self.partition)


def cut(
    records: Sequence[InputRecord],
    found: Sequence[Any],
    entity_of: Callable[[Any], str],
    most_entities: int,
    boundaries: Sequence[int],
) -> list[slice]:
    """The records in pieces: new ones begin at boundaries, and where one would have too many entities or letters.

    Args:
        found: the event or the refusal of each record.
    """
    ends = [*_cuts(records, found, entity_of, most_entities, boundaries), len(records)]
    return [slice(start, end) for start, end in zip([0, *ends], ends, strict=False) if start < end]


def _cuts(
    records: Sequence[InputRecord],
    found: Sequence[Any],
    entity_of: Callable[[Any], str],
    most_entities: int,
    boundaries: Sequence[int],
) -> list[int]:
    if not boundaries and len(found) <= most_entities:
        return []
    edges = set(np.searchsorted(offsets_of(records), boundaries).tolist())
    cuts: list[int] = []
    entities: set[str] = set()
    letters = 0
    for place, event in enumerate(found):
        if place in edges:
            cuts.append(place)
            entities.clear()
            letters = 0
        if type(event) is Refused:
            full = letters >= most_entities
            letters += 1
        else:
            entity = entity_of(event)
            full = len(entities) >= most_entities and entity not in entities
            entities.add(entity)
        if full:
            cuts.append(place)
            entities = set() if type(event) is Refused else {entity}
            letters = int(type(event) is Refused)
    return cuts


def chunk_of(records: Sequence[InputRecord], found: Sequence[Any]) -> Chunk:
    """The chunk of consecutive records, given the event or the refusal of each."""
    first_offset, next_offset = records[0].offset, records[-1].offset + 1
    letters = [Letter(record, it) for record, it in zip(records, found, strict=True) if type(it) is Refused]
    if not letters:
        return Chunk(list(found), list(records), letters, first_offset, next_offset)
    good = [(record, it) for record, it in zip(records, found, strict=True) if type(it) is not Refused]
    return Chunk(
        [event for _, event in good], [record for record, _ in good], letters, first_offset, next_offset
    )
