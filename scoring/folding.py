"""Chunks of a poll whose features are being made: the kernels run in another thread while the loop does other work."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from itertools import repeat

from scoring.engine import history_readers
from scoring.features.spec import FeatureView
from scoring.features.table import FeatureTable, Fold
from scoring.gathering import Gathered
from scoring.prepared import Folded
from scoring.sequence import NOBODY, joined
from scoring.store.contract import Blob

SPARE_SECONDS = 7 * 86_400
"""How long Redis keeps a state past its horizon: outages do not make it forget early."""

FEW_EVENTS = 256
"""Below it kernel and models run at once: another thread takes longer to wake than they take."""


@dataclass(eq=False, repr=False)
class Folding:
    """Chunks whose kernel runs, or has run: one fold per view for all of them."""

    gathered: Gathered
    views: Sequence[FeatureView]
    folds: Sequence[Fold]
    running: asyncio.Future[None] | None = None

    def run(self) -> None:
        """The kernels, in whichever thread."""
        for fold in self.folds:
            fold.run()

    async def result(self) -> Sequence[Folded]:
        """The chunks with their tables, when the kernels are done; their states are in the partitions' caches.

        Raises:
            CorruptState: a state that was given is none.
        """
        if self.running is not None:
            await self.running
        gathered = self.gathered
        for view, fold in zip(self.views, self.folds, strict=True):
            table = fold.table()
            if len(gathered.parts) == 1:
                _take_in(gathered.parts[0], view, table)
                continue
            for part, rows, entities in zip(gathered.parts, gathered.rows, gathered.entities, strict=True):
                _take_in(part, view, table.cut(rows, entities))
        return gathered.parts


def begin_fold(gathered: Gathered, kernels: Executor) -> Folding:
    """Folds the chunks' events onto the cached states, in every view; few events at once, more of them in `kernels`."""
    views, first = gathered.views, gathered.parts[0]
    readers = history_readers(first.state.scorers_at(first.first_offset)) if views else ()
    folds = []
    for view in views:
        states: list[bytes | None] = []
        for part, entities in zip(gathered.parts, gathered.entities, strict=True):
            states += _states(part, part.keys[view.name], gathered.batch.entities[entities])
        folds.append(Fold.of(view, gathered.batch, states, with_history=view.name in readers))
    folding = Folding(gathered, views, folds)
    if len(gathered.batch) < FEW_EVENTS:
        folding.run()
    else:
        folding.running = asyncio.get_running_loop().run_in_executor(kernels, folding.run)
    return folding


def _take_in(part: Folded, view: FeatureView, table: FeatureTable) -> None:
    """A chunk's table of one view, and the states that came of it."""
    origins = part.chunk.origins
    part.tables[view.name] = table if origins is None else joined(origins, table)
    keys, states = part.keys[view.name], table.states
    if NOBODY in table.entities:
        some = [place for place, entity in enumerate(table.entities) if entity != NOBODY]
        keys, states = [keys[place] for place in some], [states[place] for place in some]
    keep_seconds = view.meaningful_ms // 1000 + SPARE_SECONDS
    part.state.cache.put_all(keys, states)
    part.blobs += map(Blob, keys, states, repeat(keep_seconds))


def _states(part: Folded, keys: Sequence[str], entities: Sequence[str]) -> list[bytes | None]:
    look_up = part.state.cache.look_up
    if NOBODY not in entities:
        return look_up(keys)
    return [look_up([key])[0] if entity != NOBODY else None for key, entity in zip(keys, entities, strict=True)]
