"""What a poll came to: outputs to produce, and steps to commit once they are acknowledged."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from schemas.topics import ALERTS
from scoring.engine import Verdicts
from scoring.features.table import FeatureTable
from scoring.partition import PartitionState
from scoring.publish import Output
from scoring.records import Chunk
from scoring.score_writer import ScoreBlock
from scoring.store.contract import Blob, Step


@dataclass(eq=False, repr=False)
class Written:
    """What is to be produced of one input partition, in order: scores in blocks; alerts and dead letters one by one."""

    scores: list[ScoreBlock] = field(default_factory=list)
    others: list[Output] = field(default_factory=list)

    def add(self, more: "Written") -> None:
        """Adds what comes after."""
        self.scores += more.scores
        self.others += more.others

    def outputs(self) -> list[Output]:
        """All of it as single records, the scores first."""
        return [output for block in self.scores for output in block.outputs()] + self.others


@dataclass(eq=False, repr=False)
class Folded:
    """A chunk after the fold: one table per view."""

    state: PartitionState
    chunk: Chunk
    tables: dict[str, FeatureTable] = field(default_factory=dict)
    verdicts: dict[str, Verdicts] = field(default_factory=dict)
    blobs: list[Blob] = field(default_factory=list)
    written: Written = field(default_factory=Written)

    @property
    def first_offset(self) -> int:
        """Source offset of the chunk's first record."""
        firsts = [record.offset for record in self.chunk.records[:1]]
        return min(firsts + [letter.record.offset for letter in self.chunk.letters[:1]])

    def open_rows(self, verdicts: Verdicts, offsets: Sequence[int]) -> NDArray[np.int64]:
        """Rows with a score, int64[m], but for those that an earlier worker has already written."""
        rows = np.flatnonzero(~np.isnan(verdicts.values))
        emitted, name = self.state.emitted, verdicts.in_force.name
        if emitted:
            there = [emitted.has("terminal", name, offsets[row]) for row in rows.tolist()]
            rows = rows[~np.array(there, np.bool_)]
        return rows

    def put(self, kind: str, scorer: str, written: Iterable[tuple[int, Output]]) -> None:
        """Adds outputs with their source offsets, but for those that an earlier worker has already written."""
        emitted = self.state.emitted
        if emitted:
            written = [pair for pair in written if not emitted.has(kind, scorer, pair[0])]
        self.written.others += [output for _, output in written]

    def let_go(self) -> None:
        """Drops what only its outputs needed: the columns of a whole poll are some ten megabytes."""
        self.tables, self.verdicts, self.chunk.events = {}, {}, []


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
            blobs = list({blob.key: blob for blob in part.blobs}.values())
            made.steps.setdefault(state, []).append(
                Step(expected=expected, next=following, blobs=blobs, outputs={}, notes=state.new_notes)
            )
            state.new_notes = {}
            state.committed.update(following)
            state.next_offset = part.chunk.next_offset
            keys = [blob.key for blob in blobs]
            made.pinned.setdefault(state, []).extend(keys)
            state.cache.pin(keys)
            made.outputs.setdefault(state, Written()).add(part.written)
            made.refused.setdefault(state, set()).update(
                letter.record.offset for letter in part.chunk.letters
            )
            made.counts["scores"] += sum(map(len, part.written.scores))
            for output in part.written.others:
                made.counts["alerts" if output.topic == ALERTS else "letters"] += 1
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
