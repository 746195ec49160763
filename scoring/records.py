"""Records of one partition into chunks: decoded, refused where they must be, cut so that each is one atomic commit."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, Protocol

from schemas.codec import EventDecoder, Refused
from schemas.dead_letter import Reason
from scoring.murmur2 import partition_of, partitions_of

LOG_APPEND_TIME = 1
MOST_VERIFIED = 200_000
_offset = attrgetter("offset")


class InputRecord(Protocol):
    """What is read of a consumed record; the timestamp is the broker's when its type is `LOG_APPEND_TIME`."""

    offset: int
    timestamp: int
    timestamp_type: int
    key: bytes | None
    value: bytes | None


@dataclass(frozen=True, slots=True)
class Letter:
    """A record refused before the fold."""

    record: InputRecord
    refused: Refused


@dataclass(eq=False, repr=False)
class Chunk:
    """Consecutive records of one partition that are committed together.

    Attributes:
        events: decoded events; offsets and records go with them, one each.
        letters: records refused before the fold.
        next_offset: where the partition goes on after this chunk.
    """

    events: list[Any] = field(default_factory=list)
    records: list[InputRecord] = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)
    next_offset: int = 0

    @property
    def offsets(self) -> list[int]:
        """Source offset of each event."""
        return [record.offset for record in self.records]


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
        if self.key_check == "murmur2":
            self._verify({record.key for record in records if record.key is not None})
        found = self._all_good(records)
        if found is None:
            found = [self._event_or_refusal(record) for record in records]
        ends = [*self._cuts(records, found, most_entities, boundaries), len(records)]
        starts = [0, *ends]
        pieces = [slice(start, end) for start, end in zip(starts, ends, strict=False) if start < end]
        return [_chunk(records[piece], found[piece]) for piece in pieces]

    def _all_good(self, records: Sequence[InputRecord]) -> list[Any] | None:
        """The events when nothing is to be refused: 1.5 us a record less than one by one. Else None."""
        events = self.decoder.decode_all([record.value for record in records])
        if events is None or any(map(self._from_the_future, records, events)):
            return None
        if self.key_check != "none":
            keys = [record.key for record in records]
            if keys != [self.entity_of(event).encode() for event in events]:
                return None
            if self.key_check == "murmur2" and not self._verified.issuperset(keys):
                return None
        return events

    def _event_or_refusal(self, record: InputRecord) -> Any:
        try:
            return self._decode(record)
        except Refused as refused:
            return refused

    def _cuts(
        self, records: Sequence[InputRecord], found: Sequence[Any], most_entities: int, boundaries: Sequence[int]
    ) -> list[int]:
        """Where chunks end, ascending: at boundaries, and where one would have too many entities or letters."""
        if not boundaries and len(found) <= most_entities:
            return []
        edges = {bisect_left(records, edge, key=_offset) for edge in boundaries}
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
                entity = self.entity_of(event)
                full = len(entities) >= most_entities and entity not in entities
                entities.add(entity)
            if full:
                cuts.append(place)
                entities = set() if type(event) is Refused else {entity}
                letters = int(type(event) is Refused)
        return cuts

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


def _chunk(records: Sequence[InputRecord], found: Sequence[Any]) -> Chunk:
    next_offset = records[-1].offset + 1
    letters = [Letter(record, it) for record, it in zip(records, found, strict=True) if type(it) is Refused]
    if not letters:
        return Chunk(list(found), list(records), letters, next_offset)
    good = [(record, it) for record, it in zip(records, found, strict=True) if type(it) is not Refused]
    return Chunk([event for _, event in good], [record for record, _ in good], letters, next_offset)
