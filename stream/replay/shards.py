"""The engine over files on several cores: entities are shared out, each shard folds and scores its own in a thread.

Folding, models and columns run outside Python's lock. Entities know nothing of each other, no score depends on its batch,
and rows come back in the order of the file, so that the number of shards changes no byte.
"""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from scoring.engine import InForce
from scoring.features.spec import FeatureView
from stream.replay.fold import Replay, ScoredRows

SEED = 7


@dataclass(eq=False)
class UnderWay:
    """A chunk in work: per shard its rows in the chunk, int64[m], and what is made of them."""

    parts: list[tuple[NDArray[np.int64], "Future[list[ScoredRows]]"]]

    def frames(self) -> list[pl.DataFrame]:
        """A frame of scores per scorer, in the order of the chunk's rows, when all shards are done."""
        done = [(rows, future.result()) for rows, future in self.parts]
        return [_in_order([(rows, found[scorer]) for rows, found in done]) for scorer in range(len(done[0][1]))]


class Shards:
    """Replays chunks of files; a context manager that ends its threads.

    Args:
        views: what is folded; one that carries another view needs entities of both, and gets one shard.
        most: shards at most.

    Attributes:
        runs: one per shard, with the counts.
    """

    def __init__(self, views: Sequence[FeatureView], most: int) -> None:
        shards = 1 if any(view.carries for view in views) else max(1, most)
        self.runs = [Replay(views) for _ in range(shards)]
        # one thread each: chunks of a shard follow one another
        self._threads = [ThreadPoolExecutor(1, f"shard-{number}") for number in range(shards)]
        self._key = views[0].event.key

    def begin(self, frame: pl.DataFrame, in_force: Sequence[InForce]) -> UnderWay:
        """Gives a chunk to the shards; those given before are done first."""
        parts = [
            (rows, thread.submit(run.take_frame, part, in_force))
            for (rows, part), run, thread in zip(self._shared_out(frame), self.runs, self._threads, strict=True)
        ]
        return UnderWay(parts)

    def _shared_out(self, frame: pl.DataFrame) -> Iterator[tuple[NDArray[np.int64], pl.DataFrame]]:
        if len(self.runs) == 1:
            yield np.arange(frame.height), frame
            return
        shard = frame[self._key].hash(SEED).to_numpy() % np.uint64(len(self.runs))
        for number in range(len(self.runs)):
            rows = np.flatnonzero(shard == number)
            yield rows, frame[rows]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for thread in self._threads:
            thread.shutdown(cancel_futures=True)


def usable_cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _in_order(parts: Sequence[tuple[NDArray[np.int64], ScoredRows]]) -> pl.DataFrame:
    if len(parts) == 1:
        return parts[0][1].frame
    places = np.concatenate([rows[found.rows] for rows, found in parts])
    return pl.concat([found.frame for _, found in parts])[np.argsort(places)]
