"""Chunks that are being scored: the models run in another thread while the loop does other work."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

from scoring.engine import OTHER_VIEW, InForce, Verdicts, judge, withdraw
from scoring.folding import FEW_EVENTS
from scoring.prepared import Folded

Judged = list[list[Verdicts]]


@dataclass(eq=False, repr=False)
class Judging:
    """Chunks whose models run, or have run: one call for each scorer in force over all chunks it scores."""

    parts: Sequence[Folded]
    of: Sequence[tuple[InForce, Sequence[Folded]]]
    running: asyncio.Future[Judged] | Judged

    async def result(self) -> Sequence[Folded]:
        """The chunks with their verdicts."""
        judged = self.running if isinstance(self.running, list) else await self.running
        for (in_force, parts), verdicts in zip(self.of, judged, strict=True):
            for part, said in zip(parts, verdicts, strict=True):
                if part.chunk.origins is not None:
                    withdraw(said, ~part.chunk.origins.fits, OTHER_VIEW)
                part.verdicts[in_force.name] = said
        return self.parts


def begin_judging(parts: Sequence[Folded], models: Executor) -> Judging:
    """Scores the chunks by every scorer in force; few events at once, more of them in `models`."""
    by_scorer: dict[InForce, list[Folded]] = {}
    for part in parts:
        if part.tables:
            for in_force in part.state.scorers_at(part.first_offset):
                # a challenger's answers change no state, so a rebuild need not find them out again
                idle = not in_force.live and part.all_out(in_force.name)
                if in_force.scorer.view.name in part.tables and not idle:
                    by_scorer.setdefault(in_force, []).append(part)
    of = list(by_scorer.items())
    if sum(len(part.chunk.records) for part in parts) < FEW_EVENTS:
        return Judging(parts, of, _judge(of))
    return Judging(parts, of, asyncio.get_running_loop().run_in_executor(models, _judge, of))


def _judge(of: Sequence[tuple[InForce, Sequence[Folded]]]) -> Judged:
    return [
        judge(in_force, [part.tables[in_force.scorer.view.name] for part in parts]) for in_force, parts in of
    ]
