"""A chunk of a poll whose features are being made: the kernels run in another thread while the loop does other work."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from itertools import repeat

from scoring.engine import history_readers
from scoring.features.batch import EventBatch
from scoring.features.spec import FeatureView
from scoring.features.table import Fold
from scoring.prepared import Folded
from scoring.sequence import NOBODY, joined
from scoring.store.contract import Blob

SPARE_SECONDS = 7 * 86_400
"""How long Redis keeps a state past its horizon: outages do not make it forget early."""

FEW_EVENTS = 64
"""Below it the kernel runs at once: another thread takes longer to wake than the fold takes."""


@dataclass(eq=False, repr=False)
class Folding:
    """A chunk whose kernel runs, or has run: one fold per view."""

    part: Folded
    views: Sequence[FeatureView]
    keys: Sequence[Sequence[str]]
    folds: Sequence[Fold]
    running: asyncio.Future[None] | None = None

    def run(self) -> None:
        """The kernels, in whichever thread."""
        for fold in self.folds:
            fold.run()

    async def result(self) -> Folded:
        """The chunk with its tables, when the kernels are done; its states are in the partition's cache.

        Raises:
            CorruptState: a state that was given is none.
        """
        if self.running is not None:
            await self.running
        for view, keys, fold in zip(self.views, self.keys, self.folds, strict=True):
            table = fold.table()
            origins = self.part.chunk.origins
            self.part.tables[view.name] = table if origins is None else joined(origins, table)
            states = table.states
            if NOBODY in table.entities:
                some = [place for place, entity in enumerate(table.entities) if entity != NOBODY]
                keys, states = [keys[place] for place in some], [states[place] for place in some]
            keep_seconds = (view.horizon_ms + view.grace_ms) // 1000 + SPARE_SECONDS
            self.part.state.cache.put_all(keys, states)
            self.part.blobs += map(Blob, keys, states, repeat(keep_seconds))
        return self.part


def begin_fold(part: Folded, batch: EventBatch, kernels: Executor) -> Folding:
    """Folds the chunk's events onto the cached states, in every view; few events at once, more of them in `kernels`."""
    views = part.state.views_at(part.first_offset) if len(batch) else []
    folds, keys = [], []
    readers = history_readers(part.state.scorers_at(part.first_offset)) if views else ()
    for view in views:
        keys.append(part.keys[view.name])
        states = _states(part, keys[-1], batch.entities)
        folds.append(Fold.of(view, batch, states, with_history=view.name in readers))
    folding = Folding(part, views, keys, folds)
    if len(batch) < FEW_EVENTS:
        folding.run()
    else:
        folding.running = asyncio.get_running_loop().run_in_executor(kernels, folding.run)
    return folding


def _states(part: Folded, keys: Sequence[str], entities: Sequence[str]) -> list[bytes | None]:
    look_up = part.state.cache.look_up
    if NOBODY not in entities:
        return look_up(keys)
    return [look_up([key])[0] if entity != NOBODY else None for key, entity in zip(keys, entities, strict=True)]
