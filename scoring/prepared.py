"""What a poll came to: outputs to produce, and steps to commit once they are acknowledged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from schemas.topics import ALERTS, DEAD_LETTERS, SCORES
from scoring.engine import Verdicts
from scoring.features.table import FeatureTable
from scoring.partition import PartitionState
from scoring.publish import Output
from scoring.records import Chunk
from scoring.store.contract import Blob, Step

_COUNTED = {SCORES: "scores", ALERTS: "alerts", DEAD_LETTERS: "letters"}


@dataclass(eq=False, repr=False)
class Folded:
    """A chunk after the fold: one table per view."""

    state: PartitionState
    chunk: Chunk
    tables: dict[str, FeatureTable] = field(default_factory=dict)
    verdicts: dict[str, Verdicts] = field(default_factory=dict)
    blobs: list[Blob] = field(default_factory=list)
    outputs: list[Output] = field(default_factory=list)

    @property
    def first_offset(self) -> int:
        """Source offset of the chunk's first record."""
        firsts = [record.offset for record in self.chunk.records[:1]]
        return min(firsts + [letter.record.offset for letter in self.chunk.letters[:1]])


@dataclass(eq=False, repr=False)
class Prepared:
    """What a poll wants done: outputs by partition to produce, then the steps by partition to commit."""

    folded: list[Folded]
    steps: dict[PartitionState, list[Step]]
    pinned: dict[PartitionState, list[str]]
    counts: dict[str, int]
    seconds: dict[str, float]

    @classmethod
    def of(cls, folded: list[Folded], seconds: dict[str, float]) -> "Prepared":
        """The steps of chunks in order; each partition moves on past them."""
        steps: dict[PartitionState, list[Step]] = {}
        pinned: dict[PartitionState, list[str]] = {}
        counts = {"events": 0, "scores": 0, "alerts": 0, "refused": 0, "letters": 0}
        for part in folded:
            state = part.state
            views = state.views_at(part.first_offset)
            expected = {view.digest: state.committed.get(view.digest) for view in views}
            following = {view.digest: part.chunk.next_offset for view in views}
            blobs = list({blob.key: blob for blob in part.blobs}.values())
            steps.setdefault(state, []).append(
                Step(expected=expected, next=following, blobs=blobs, outputs={}, notes=state.new_notes)
            )
            state.new_notes = {}
            state.committed.update(following)
            state.next_offset = part.chunk.next_offset
            keys = [blob.key for blob in blobs]
            pinned.setdefault(state, []).extend(keys)
            state.cache.pin(keys)
            counts["events"] += len(part.chunk.events)
            counts["refused"] += len(part.chunk.letters)
            for output in part.outputs:
                counts[_COUNTED[output.topic]] += 1
        return cls(folded, steps, pinned, counts, seconds)

    @property
    def outputs(self) -> dict[PartitionState, list[Output]]:
        """Every record to write, by the partition it comes from, in order."""
        found: dict[PartitionState, list[Output]] = {}
        for folded in self.folded:
            found.setdefault(folded.state, []).extend(folded.outputs)
        return found

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
