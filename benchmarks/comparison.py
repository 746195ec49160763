"""Whether scores are riskstream's: a sample of them beside what riskstream's core says of the same payments.

The core folds the payments in this process; a worker gives the same, which the row of riskstream itself shows.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from benchmarks.broker import Broker
from benchmarks.contestants import SCORER
from benchmarks.payments import Payments
from benchmarks.plan import Plan
from schemas.events.transaction import EVENT
from scoring.catalog import scorers
from scoring.features.frame import batch_of_frame
from scoring.features.table import FeatureTable, fold_table
from stream.bundle_library import BundleLibrary

TOLERANCE = 1e-4
"""Of values; of features relative to their size as well, since they travel as float32."""

MOST_NAMED = 3
SAMPLED_UP_TO = 0.8
"""Share of a partition's part of the compared payments after which nothing is read: partitions are not equally full."""


class WrittenScore(msgspec.Struct, frozen=True):
    """What is compared of a score record; the rest of it is not looked at."""

    scorer: str
    event_id: str
    value: float
    features: bytes


@dataclass(frozen=True)
class Compared:
    """A pipeline's scores beside riskstream's.

    Attributes:
        scores: how many were compared; same: how many of them have the same value and features.
        approximate: how many of the others riskstream itself flags as `approx`: it counts by tiles or estimates there,
            where who keeps every payment is exact.
        differing: the features that differ most often, and in how many scores.
    """

    scores: int
    same: int
    approximate: int = 0
    differing: tuple[tuple[str, int], ...] = ()

    @property
    def share(self) -> float | None:
        """Of the scores compared, how many are riskstream's; None when none was."""
        return self.same / self.scores if self.scores else None


class Reference:
    """What riskstream's core says of the plan's first payments; worked out when it is first asked for.

    Args:
        plan: its payments, and how many of them.
        library: has the model.
    """

    def __init__(self, plan: Plan, library: BundleLibrary) -> None:
        self._plan, self._library = plan, library
        self._scorer = scorers()[SCORER]

    def compare(self, broker: Broker, topic: str) -> Compared:
        """A sample of the topic's scores beside the reference."""
        plan = self._plan
        until = int(SAMPLED_UP_TO * plan.compared_payments / plan.partitions)
        return self.judge(broker.sample(topic, until=until, most=plan.compared_per_partition))

    def judge(self, records: Iterable[bytes]) -> Compared:
        """Score records beside the reference; those of other scorers and of later payments are passed over.

        Raises:
            msgspec.MsgspecError: one is no score.
        """
        scores = list(self._own(records))
        if not scores:
            return Compared(0, 0)
        rows = [number for number, _ in scores]
        vectors, approx = self._table.vectors[rows], self._table.approx[rows]  # (score, feature), (score,)
        given = np.array([_features(score, vectors.shape[1]) for _, score in scores])  # (score, feature)
        values = self._library.champion(self._scorer).session.run(vectors)  # (score,)
        other = ~np.isclose(given, vectors, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True)
        near = np.abs(np.array([score.value for _, score in scores]) - values) <= TOLERANCE
        same = near & ~other.any(axis=1)
        counts = Counter(
            dict(zip(self._scorer.view.feature_names, other.sum(axis=0).tolist(), strict=True))
        ).most_common(MOST_NAMED)
        return Compared(
            scores=len(scores),
            same=int(same.sum()),
            approximate=int((~same & approx).sum()),
            differing=tuple((name, count) for name, count in counts if count),
        )

    def _own(self, records: Iterable[bytes]) -> Iterator[tuple[int, WrittenScore]]:
        for record in records:
            score = msgspec.json.decode(record, type=WrittenScore)
            number = self._numbers.get(score.event_id)
            if number is not None and score.scorer == SCORER:
                yield number, score

    @cached_property
    def _payments(self) -> pl.DataFrame:
        plan = self._plan
        return pl.concat(Payments(plan.seed, plan.accounts).frames(plan.compared_payments))

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {event_id: number for number, event_id in enumerate(self._payments["event_id"].to_list())}

    @cached_property
    def _table(self) -> FeatureTable:
        return fold_table(self._scorer.view, batch_of_frame(EVENT, self._payments))


def _features(score: WrittenScore, count: int) -> NDArray[np.float32]:
    """Its features, float32[count]; none of them a number when it has not so many."""
    found = np.frombuffer(score.features, "<f4")
    return found if len(found) == count else np.full(count, np.inf, np.float32)
