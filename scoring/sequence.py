"""From one entity to the next: events passed on to an internal topic, and read from it.

The first pass folds its view and writes each event with the features it saw, keyed by the second entity. The second pass
folds the second entity's view in the order of the internal topic, and the model reads both vectors. A worker that went
back writes records again, so the reader keeps, for each origin partition, the offset behind the highest that it has read,
and drops what lies before it.
"""

import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from schemas.as_of import MARK, AsOf, as_question
from schemas.cloudevents import source_of
from schemas.codec import EventDecoder, refusal
from schemas.event import EventType
from schemas.sequenced import Sequenced
from schemas.source import Source
from scoring.blocks import RecordBlock
from scoring.features.spec import FeatureView
from scoring.features.table import SCORED, FeatureTable
from scoring.murmur2 import partitions_of
from scoring.publish import FLAGS, Coordinates, flag_codes, flags_in
from scoring.record_run import InputRecord
from scoring.records import Chunk, Origins, chunk_of, cut
from scoring.store.contract import Partition
from scoring.wire.packed import pack

NOBODY = ""
"""In place of a second entity that an event does not have: no state is kept for it, and its features are missing."""

_SOURCE = "ce_source"


class _PassedOnQuestion(Sequenced, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    event: AsOf


_PASSED_ON_QUESTIONS = msgspec.json.Decoder(_PassedOnQuestion)


def origin_name(origin: Source) -> str:
    """How the partition of an origin is called in the state store.

    >>> origin_name(Source("transactions", 3, 17))
    'transactions/3'
    """
    return f"{origin.topic}/{origin.partition}"


def origin_of(name: str) -> Partition:
    """The partition with that name.

    >>> origin_of("transactions/3")
    Partition(topic='transactions', index=3)
    """
    topic, _, index = name.rpartition("/")
    return Partition(topic, int(index))


def passed_on_identity(topic: str, partition: int, offset: int) -> str:
    """The CloudEvents id of a record that is passed on: the coordinates it has there, where it comes from."""
    return f"{topic}:{partition}:{offset}"


@dataclass(frozen=True, eq=False)
class SequenceWriter:
    """Passes the events of one input partition on to an internal topic.

    Args:
        to: the internal topic's event type.
        view: the first entity's, whose features go along.
        partition_count: of the internal topic.
        from_offset: earlier events stay where they are.
    """

    to: EventType
    view: FeatureView
    partition_count: int
    from_offset: int

    def rows(self, table: FeatureTable, offsets: Sequence[int]) -> NDArray[np.int64]:
        """The rows that are passed on, int64[m]: those with features, from the first offset on."""
        late_enough = np.array(offsets, np.int64) >= self.from_offset
        return np.flatnonzero(table.scored & late_enough)

    def write(
        self,
        table: FeatureTable,
        at: Coordinates,
        raws: Sequence[bytes],
        entities: Sequence[str | None],
        which: NDArray[np.int64],
    ) -> list[RecordBlock]:
        """The records of the rows `which`, int64[m] ascending, a block for each partition of the internal topic.

        Args:
            raws: every event as it came, JSON.
            entities: the second entity of every event.
        """
        places: dict[str | None, int] = {}
        key_of = np.fromiter(
            (places.setdefault(entities[row], len(places)) for row in which.tolist()), np.int64, len(which)
        )
        keys = [(name or NOBODY).encode() for name in places]
        homes = partitions_of(keys, self.partition_count)
        if None in places:  # who has no second entity stays on the partition it is on
            homes[places[None]] = at.partition % self.partition_count
        values = self._values(table, at, raws, which)
        blocks = []
        for home in np.unique(homes[key_of]).tolist():
            mine = np.flatnonzero(homes[key_of] == home)
            identities = [
                passed_on_identity(at.topic, at.partition, at.offsets[row]).encode()
                for row in which[mine].tolist()
            ]
            blocks.append(
                RecordBlock(
                    self.to.topic, home, "sequenced", at.origin, pack(identities),
                    pack([values[place] for place in mine.tolist()]), pack(keys), key_of[mine],
                )
            )  # fmt: skip
        return blocks

    def _values(
        self, table: FeatureTable, at: Coordinates, raws: Sequence[bytes], which: NDArray[np.int64]
    ) -> list[bytes]:
        """JSON as the encoder of the topic's struct writes it, around the event's own bytes; a test compares them."""
        before = f'{{"origin":{{"topic":"{at.topic}","partition":{at.partition},"offset":'.encode()
        seen = f'}},"view":"{self.view.digest}","features":"'.encode()
        vectors = memoryview(np.ascontiguousarray(table.vectors, "<f4").tobytes())
        width = 4 * table.vectors.shape[1]
        flags = [_flags(code) for code in range(1 << len(FLAGS))]
        codes = flag_codes(table, self.view.warm_after).tolist()
        return [
            b"".join(
                (
                    before, b"%d" % at.offsets[row], seen,
                    binascii.b2a_base64(vectors[row * width : (row + 1) * width], newline=False),
                    b'","depth":', b"%d" % table.depth[row], flags[codes[row]], b',"event":', raws[row], b"}",
                )
            )
            for row in which.tolist()
        ]  # fmt: skip


@dataclass(eq=False, repr=False)
class SequenceReader:
    """Reads the records of one partition of an internal topic.

    Args:
        decoder: of the topic's event type.
        view: the first entity's view, whose features the model reads.
        namespace: whose records count; those of others are passed over.
        read_to: the offset behind the highest read, by name of origin partition; moves on with every chunk.
    """

    decoder: EventDecoder
    view: FeatureView
    namespace: str
    read_to: dict[str, int]

    def __post_init__(self) -> None:
        event_type = self.decoder.event_type
        assert event_type.passed_on is not None  # only internal topics are read here
        assert event_type.origin is not None
        self.entity_of = attrgetter(event_type.key)
        self._decode: Callable[[bytes], Any] = msgspec.json.Decoder(event_type.passed_on).decode
        # the source of every partition of the origin topic begins so
        self._ours = source_of(self.namespace, event_type.origin.topic, 0)[:-1].encode()

    def chunks(
        self, records: Sequence[InputRecord], *, most_entities: int, boundaries: Sequence[int] = ()
    ) -> list[Chunk]:
        """As `RecordReader.chunks`; what was read before, and what is not of this namespace, is left out."""
        fresh: list[InputRecord] = []
        found: list[Any] = []
        carried: list[Sequenced | None] = []
        read_to = dict(self.read_to)
        for record in records:
            if not self._is_ours(record):
                continue
            try:
                one = self._decoded(record.value or b"")
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                fresh.append(record)
                found.append(refusal(error, record.value or b""))
                carried.append(None)
                continue
            origin = origin_name(one.origin)
            if one.origin.offset < read_to.get(origin, 0):
                continue  # written again by a worker that went back
            read_to[origin] = one.origin.offset + 1
            fresh.append(record)
            found.append(self._with_entity(one.event))
            carried.append(one)
        if not fresh:
            return [Chunk(first_offset=records[0].offset, next_offset=records[-1].offset + 1, read_to=read_to)]
        chunks = []
        for piece in cut(fresh, found, self.entity_of, most_entities, boundaries):
            chunk = chunk_of(fresh[piece], found[piece])
            self._note_origins(chunk, [one for one in carried[piece] if one is not None])
            chunks.append(chunk)
        return chunks

    def _decoded(self, raw: bytes) -> Any:
        """The record with its event; of a question the event is one of `question_struct`."""
        if MARK not in raw:
            return self._decode(raw)
        try:
            asked = _PASSED_ON_QUESTIONS.decode(raw)
        except msgspec.DecodeError:
            return self._decode(raw)  # a text of that name
        return msgspec.structs.replace(asked, event=as_question(self.decoder.event_type, asked.event))

    def _is_ours(self, record: InputRecord) -> bool:
        return any(name == _SOURCE and value.startswith(self._ours) for name, value in record.headers)

    def _with_entity(self, event: Any) -> Any:
        if self.entity_of(event) is None:
            return msgspec.structs.replace(event, **{self.decoder.event_type.key: NOBODY})
        return event

    def _note_origins(self, chunk: Chunk, carried: Sequence[Any]) -> None:
        places: dict[tuple[str, int], int] = {}
        which = [
            places.setdefault((one.origin.topic, one.origin.partition), len(places)) for one in carried
        ]
        for one in carried:
            self.read_to[origin_name(one.origin)] = one.origin.offset + 1
        chunk.read_to = dict(self.read_to)
        fits = np.array([one.view == self.view.digest for one in carried], np.bool_)
        vectors = np.full((len(carried), len(self.view.feature_names)), np.nan, np.float32)
        if fits.any():
            packed = [binascii.a2b_base64(one.features) for one in carried if one.view == self.view.digest]
            vectors[fits] = np.frombuffer(b"".join(packed), "<f4").reshape(len(packed), -1)
        chunk.origins = Origins(
            partitions=[Partition(topic, index) for topic, index in places],
            partition_of=np.array(which, np.int64),
            offsets=[one.origin.offset for one in carried],
            vectors=vectors,
            depth=np.array([one.depth for one in carried], np.int32),
            late=np.array(["late" in one.flags for one in carried], np.bool_),
            approx=np.array(["approx" in one.flags for one in carried], np.bool_),
            fits=fits,
        )


def joined(origins: Origins, table: FeatureTable) -> FeatureTable:
    """The table with the first entity's features before its own; the flags of either, and the smaller depth."""
    own, status, depth = table.vectors, table.status, table.depth
    nobody = np.array([name == NOBODY for name in table.entities], np.bool_)[table.entity]
    if nobody.any():
        own, status, depth = own.copy(), status.copy(), depth.copy()
        own[nobody], status[nobody], depth[nobody] = np.nan, SCORED, 0
    return replace(
        table,
        vectors=np.concatenate([origins.vectors, own], axis=1),
        status=status,
        depth=np.minimum(depth, origins.depth),
        late=(table.late & ~nobody) | origins.late,
        approx=(table.approx & ~nobody) | origins.approx,
    )


def _flags(code: int) -> bytes:
    named = ",".join(f'"{flag}"' for flag in flags_in(code))
    return f',"flags":[{named}]'.encode() if named else b""
