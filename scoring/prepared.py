"""What a poll came to: outputs to produce, and steps to commit once they are acknowledged."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from schemas.source import Source
from schemas.topics import ALERTS, SCORES
from scoring.blocks import RecordBlock
from scoring.engine import Verdicts
from scoring.features.table import FeatureTable
from scoring.partition import Emitted, PartitionState
from scoring.publish import Coordinates, Output
from scoring.records import Chunk
from scoring.store.contract import Blob, Partition, Step


@dataclass(eq=False, repr=False)
class Written:
    """What is to be produced of one input partition, in order.

    Attributes:
        blocks: scores, and events that are passed on.
        others: alerts and dead letters, one by one.
    """

    blocks: list[RecordBlock] = field(default_factory=list)
    others: list[Output] = field(default_factory=list)

    def add(self, more: "Written") -> None:
        """Adds what comes after."""
        self.blocks += more.blocks
        self.others += more.others

    def outputs(self) -> list[Output]:
        """All of it as single records, the blocks first."""
        return [output for block in self.blocks for output in block.outputs()] + self.others


@dataclass(frozen=True, eq=False, repr=False)
class Place:
    """Rows of a chunk that come from one input partition.

    Attributes:
        at: coordinates of all rows of the chunk, of which only `rows`, int64[m] ascending, are from there.
        emitted: what is already out of that partition.
    """

    at: Coordinates
    rows: NDArray[np.int64]
    emitted: Emitted

    @property
    def some_rows(self) -> NDArray[np.int64] | None:
        """Its rows; None when all of the chunk's are."""
        return self.rows if len(self.rows) < len(self.at.offsets) else None

    def open_rows(self, kind: str, name: str, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Those of the rows, int64[m] ascending, that are from here and that nobody has written yet."""
        if self.some_rows is not None:
            rows = np.intersect1d(rows, self.rows, assume_unique=True)
        if self.emitted:
            rows = rows[~self.emitted.which(kind, name, np.array(self.at.offsets, np.int64)[rows])]
        return rows


@dataclass(eq=False, repr=False)
class Folded:
    """A chunk after the fold: one table per view.

    Attributes:
        keys: of the states of its entities, by name of the view.
    """

    state: PartitionState
    chunk: Chunk
    keys: dict[str, list[str]] = field(default_factory=dict)
    tables: dict[str, FeatureTable] = field(default_factory=dict)
    verdicts: dict[str, Verdicts] = field(default_factory=dict)
    blobs: list[Blob] = field(default_factory=list)
    written: Written = field(default_factory=Written)

    @property
    def first_offset(self) -> int:
        """Offset of the chunk's first record."""
        return self.chunk.first_offset

    @cached_property
    def places(self) -> list[Place]:
        """Where the events come from: this partition, or those whose events were passed on to it."""
        state, origins = self.state, self.chunk.origins
        own = state.partition
        if origins is None:
            offsets = self.chunk.offsets
            at = Coordinates(state.namespace, own.topic, own.index, offsets)
            return [Place(at, np.arange(len(offsets)), state.emitted)]
        return [
            Place(
                Coordinates(state.namespace, origin.topic, origin.index, origins.offsets, own.index),
                np.flatnonzero(origins.partition_of == number),
                state.emitted_of(origin),
            )
            for number, origin in enumerate(origins.partitions)
        ]

    def lacking(self, entities: Sequence[str]) -> Iterator[str]:
        """Keys of the states of its entities that must be read first, and of the alert states that may be needed."""
        state = self.state
        alerts = [
            state.alert_prefix(name)
            for name, known in state.in_force.items()
            if any(entry and entry.live for _, entry in known)
        ]
        for view in state.views:
            prefix = state.state_prefix(view)
            self.keys[view.name] = keys = [prefix + entity for entity in entities]
            for key in state.cache.lacking(keys):
                if key != prefix:  # nobody has a state
                    yield key
                    # read with the state: later, a commit in flight would have to be waited for
                    entity = key.removeprefix(prefix)
                    yield from (alert + entity for alert in alerts)

    def all_out(self, scorer: str) -> bool:
        """Whether every event here has the answer of a scorer already."""
        return all(
            bool(place.emitted)
            and place.emitted.which("terminal", scorer, np.array(place.at.offsets, np.int64)[place.rows]).all()
            for place in self.places
        )

    def place_of(self, row: int) -> Place:
        """Where one event comes from."""
        return self.places[0 if self.chunk.origins is None else int(self.chunk.origins.partition_of[row])]

    def source_of(self, row: int) -> Source:
        """Coordinates of the input record of one event."""
        at = self.place_of(row).at
        return Source(at.topic, at.partition, at.offsets[row])

    def put(self, kind: str, scorer: str, written: Iterable[tuple[Source, Output]]) -> None:
        """Adds outputs with the sources they are about, but for those that an earlier worker has already written."""
        for source, output in written:
            emitted = self.state.emitted_of(Partition(source.topic, source.partition))
            if not emitted or not emitted.has(kind, scorer, source.offset):
                self.written.others.append(output)

    def let_go(self) -> None:
        """Drops what only its outputs needed: the columns of a whole poll are some ten megabytes."""
        self.tables, self.verdicts = {}, {}
        self.chunk.drop_events()


@dataclass(eq=False, repr=False)
class Prepared:
    """What a poll wants done; the events themselves are let go.

    Attributes:
        outputs: every record to write, by the partition it comes from, in order.
        steps: what to commit once they are acknowledged.
        pinned: keys that stay in the partition's cache until then.
        refused: source offsets of the records refused before the fold.
        counts: scores, alerts and letters among the outputs.
        seconds: spent, by stage.
    """

    outputs: dict[PartitionState, Written]
    steps: dict[PartitionState, list[Step]]
    pinned: dict[PartitionState, list[str]]
    refused: dict[PartitionState, set[int]]
    counts: dict[str, int]
    seconds: dict[str, float]

    @classmethod
    def of(cls, folded: Sequence[Folded], seconds: dict[str, float]) -> "Prepared":
        """The steps of chunks in order; each partition moves on past them."""
        made = cls({}, {}, {}, {}, {"scores": 0, "alerts": 0, "letters": 0}, seconds)
        for part in folded:
            state = part.state
            views = state.views_at(part.first_offset)
            expected = {view.digest: state.committed.get(view.digest) for view in views}
            following = {view.digest: part.chunk.next_offset for view in views}
            blobs = {blob.key: blob for blob in part.blobs}
            made.steps.setdefault(state, []).append(
                Step(
                    expected=expected, next=following, blobs=list(blobs.values()), outputs={}, notes=state.new_notes,
                    origins=part.chunk.read_to,
                )
            )  # fmt: skip
            state.new_notes = {}
            state.committed.update(following)
            state.next_offset = part.chunk.next_offset
            made.pinned.setdefault(state, []).extend(blobs)
            made.outputs.setdefault(state, Written()).add(part.written)
            made.refused.setdefault(state, set()).update(
                letter.record.offset for letter in part.chunk.letters
            )
            made.counts["scores"] += sum(len(block) for block in part.written.blocks if block.topic == SCORES)
            for output in part.written.others:
                made.counts["alerts" if output.topic == ALERTS else "letters"] += 1
        for state, keys in made.pinned.items():
            state.cache.pin(keys)
        return made

    def note(self, state: PartitionState, name: str, text: str) -> None:
        """Adds a note to what is committed for a partition."""
        last = self.steps[state][-1]
        self.steps[state][-1] = replace(last, notes={**last.notes, name: text})


def with_outputs(steps: Sequence[Step], outputs: Mapping[str, int]) -> list[Step]:
    """The steps, the last of which also records how far the output partitions are covered.

    Only the last one may: an earlier one would claim outputs of records that it does not commit.
    """
    if not outputs:
        return list(steps)
    return [*steps[:-1], replace(steps[-1], outputs=outputs)]
