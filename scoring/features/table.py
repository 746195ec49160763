"""Folds a batch of events into feature vectors and new states: one code for live, replay and training."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring.features.batch import EventBatch
from scoring.features.grouping import by_entity
from scoring.features.kernel import CONFLICT, DUPLICATE, SCORED, fold_entities, scratch_of
from scoring.features.packing import largest_state
from scoring.features.plan import inputs_of, plan_of
from scoring.features.spec import FeatureView, History
from scoring.features.vectors import Folded

__all__ = ["CONFLICT", "DUPLICATE", "SCORED", "CorruptState", "FeatureTable", "Fold", "fold_table"]


class CorruptState(Exception):
    """A stored state is not one of this view; the store was changed by someone else, or is damaged."""


@dataclass(frozen=True, eq=False)
class FeatureTable:
    """Feature vectors of a batch, and the new state of its entities.

    Attributes:
        vectors: float32[n, F], NaN where missing; rows of duplicates are all NaN.
        history: float32[n, T, Fh], oldest step first and the event's own vector last; None without history, or where
            nobody asked for it.
        lengths: int32[n], valid steps of `history`.
        depth: int32[n], events of the entity in the ring before this one.
        status: uint8[n]: `SCORED`, `DUPLICATE` or `CONFLICT`.
        late, approx: bool[n].
        states: packed state of each of `batch.entities`.
        whole, at: what this was cut from, if from anything, and its first row there.
    """

    batch: EventBatch
    vectors: NDArray[np.float32]
    history: NDArray[np.float32] | None
    lengths: NDArray[np.int32] | None
    depth: NDArray[np.int32]
    status: NDArray[np.uint8]
    late: NDArray[np.bool_]
    approx: NDArray[np.bool_]
    states: list[bytes]
    whole: "FeatureTable | None" = None
    at: int = 0

    def cut(self, rows: slice, entities: slice) -> "FeatureTable":
        """Some events, which must be all those of these entities."""
        return FeatureTable(
            batch=self.batch.cut(rows, entities),
            vectors=self.vectors[rows],
            history=None if self.history is None else self.history[rows],
            lengths=None if self.lengths is None else self.lengths[rows],
            depth=self.depth[rows],
            status=self.status[rows],
            late=self.late[rows],
            approx=self.approx[rows],
            states=self.states[entities],
            whole=self,
            at=rows.start,
        )

    @property
    def scored(self) -> NDArray[np.bool_]:
        """bool[n], False for duplicates and conflicts."""
        return np.equal(self.status, SCORED)

    @property
    def entities(self) -> list[str]:
        """Distinct entities of the batch."""
        return self.batch.entities

    @property
    def entity(self) -> NDArray[np.int64]:
        """Index into `entities`, int64[n]."""
        return self.batch.entity

    @property
    def event_ids(self) -> Sequence[str]:
        """Ids of the events."""
        return self.batch.event_ids

    @property
    def occurred_at_ms(self) -> NDArray[np.int64]:
        """Event time, int64[n]."""
        return self.batch.occurred_at_ms


def room_for(view: FeatureView, n: int, *, with_history: bool = True) -> Folded:
    """Arrays for what the kernel writes of n events.

    Args:
        with_history: whether each event has a row of history.
    """
    history = view.history or History(features=(), length=1)
    return Folded(
        vectors=np.empty((n, len(view.features)), np.float32),
        history=np.empty((n if with_history else 1, history.length * len(history.features)), np.float32),
        lengths=np.empty(n, np.int32),
        depth=np.empty(n, np.int32),
        status=np.empty(n, np.uint8),
        late=np.empty(n, np.bool_),
        approx=np.empty(n, np.bool_),
    )


def fold_table(
    view: FeatureView, batch: EventBatch, states: Sequence[bytes | None] | None = None, *, with_history: bool = True
) -> FeatureTable:
    """Vectors of the events of a batch, folded in order onto the given states.

    Args:
        view: the declaration.
        batch: events of the view's type.
        states: packed state of each of `batch.entities`; None for empty state.
        with_history: whether a model is going to read the vector history; states are the same without.

    Raises:
        CorruptState: a given state is not one of this view.
    """
    fold = Fold.of(view, batch, states, with_history=with_history)
    fold.run()
    return fold.table()


@dataclass(eq=False, repr=False)
class Fold:
    """A fold in three parts, for callers that have other work while the kernel runs: `of`, `run`, `table`.

    `run` may be called in another thread and holds no lock of Python's meanwhile; the others belong to the caller's.
    """

    view: FeatureView
    batch: EventBatch
    given: list[bytes]
    arguments: tuple[Any, ...]
    folded: Folded
    out: NDArray[np.uint8]
    ends: NDArray[np.int64]
    with_history: bool
    broken: int = -1

    @classmethod
    def of(
        cls, view: FeatureView, batch: EventBatch, states: Sequence[bytes | None] | None, *, with_history: bool = True
    ) -> "Fold":
        """Everything that the kernel needs, as arrays; the arguments are those of `fold_table`."""
        entities = len(batch.entities)
        plans, folded = plan_of(view), room_for(view, len(batch), with_history=with_history)
        given = [state or b"" for state in states] if states is not None else [b""] * entities
        sizes = np.fromiter(map(len, given), np.int64, entities)
        bounds = np.zeros(entities + 1, np.int64)
        np.cumsum(sizes, out=bounds[1:])
        order, starts = by_entity(batch.entity, entities)
        out, ends = np.empty(entities * largest_state(plans[0]), np.uint8), np.zeros(entities, np.int64)
        raw = np.frombuffer(bytearray().join(given) or bytearray(8), np.uint8)
        scratch, inputs = scratch_of(len(view.features)), inputs_of(view, batch)
        arguments = (plans, *scratch, raw, bounds, order, starts, inputs, folded, out, ends)
        uneven = np.flatnonzero(sizes % 8)  # the kernel reads words of 8 bytes
        broken = int(uneven[0]) if len(uneven) else -1
        return cls(view, batch, given, arguments, folded, out, ends, with_history, broken)

    def run(self) -> None:
        """The kernel."""
        if self.broken < 0:
            self.broken = fold_entities(*self.arguments)

    def table(self) -> FeatureTable:
        """What came out.

        Raises:
            CorruptState: a given state is not one of this view.
        """
        if self.broken >= 0:
            raise CorruptState(
                f"view {self.view.name}@{self.view.digest}: the state of one entity is not readable "
                f"({len(self.given[self.broken])} bytes); delete the partition's keys, they are rebuilt from the log"
            )
        folded, history = self.folded, self.view.history if self.with_history else None
        packed, cuts = self.out.data, [0, *self.ends.tolist()]
        return FeatureTable(
            batch=self.batch,
            vectors=folded.vectors,
            history=folded.history.reshape(len(self.batch), history.length, len(history.features)) if history else None,
            lengths=folded.lengths if history else None,
            depth=folded.depth,
            status=folded.status,
            late=folded.late,
            approx=folded.approx,
            states=[bytes(packed[start:end]) for start, end in pairwise(cuts)],
        )
