"""The figures of a scorer on labelled events, with intervals over entities."""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec
import numpy as np

from scoring.metrics import Estimate, Ranking, Weights, bootstrap, decisions
from stream.judge.joined import LEVELS, Joined, Rows

Figure = list[float | None]
"""Value, low and high, rounded to 6 decimals; None where it is not defined."""


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """How good a scorer is by the labels known.

    Attributes:
        n: labelled events it scored; positives: how many are what it looks for; entities: how many different ones.
        bundles: digests of the models that gave these scores.
        auc, average_precision: of the ranking by score.
        watch, alert: precision and recall of the scores from that level on, as published.
        scores, unlabelled, repeated, scored_again, dead_letters: as `Joined` counts them.
    """

    scorer: str
    shadow: bool
    bundles: tuple[str, ...]
    n: int
    positives: int
    entities: int
    auc: Figure
    average_precision: Figure
    watch: dict[str, Figure]
    alert: dict[str, Figure]
    scores: int
    unlabelled: int
    repeated: int
    scored_again: int
    dead_letters: dict[str, int]


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """A scorer beside another on the labelled events that both scored; differences are its own less the other's."""

    scorer: str
    against: str
    n: int
    positives: int
    auc_difference: Figure
    average_precision_difference: Figure


@dataclass(frozen=True)
class Draws:
    """How often entities are drawn anew, and the seed of it."""

    resamples: int
    seed: int

    def of(self, figure: Callable[[Weights], float], rows: Rows) -> Figure:
        """A figure of rows with its interval."""
        if not len(rows.events):
            return Estimate(float("nan"), float("nan"), float("nan")).rounded()
        return bootstrap(figure, rows.entity, seed=self.seed, resamples=self.resamples).rounded()


def judged(joined: Joined, draws: Draws) -> Judged:
    """The figures of one scorer."""
    rows = joined.rows()
    ranking = Ranking(rows.values, rows.positive)
    return Judged(
        scorer=joined.scorer, shadow=joined.shadow, bundles=tuple(sorted(joined.bundles)),
        n=len(rows.events), positives=int(rows.positive.sum()), entities=len(np.unique(rows.entity)),
        auc=draws.of(ranking.auc, rows), average_precision=draws.of(ranking.average_precision, rows),
        watch=_from_level("watch", rows, draws), alert=_from_level("alert", rows, draws),
        scores=joined.scores, unlabelled=joined.unlabelled, repeated=joined.repeated,
        scored_again=joined.scored_again, dead_letters=dict(sorted(joined.dead_letters.items())),
    )  # fmt: skip


def compared(joined: Joined, other: Joined, draws: Draws) -> Compared:
    """Both scorers on the same events and the same draws."""
    ours, theirs = joined.rows(), other.rows()
    place_of = {event: place for place, event in enumerate(theirs.events)}
    places = [place for place, event in enumerate(ours.events) if event in place_of]
    mine = ours.take(places)
    his = theirs.take([place_of[event] for event in mine.events])
    first, second = Ranking(mine.values, mine.positive), Ranking(his.values, his.positive)
    return Compared(
        scorer=joined.scorer, against=other.scorer, n=len(places), positives=int(mine.positive.sum()),
        auc_difference=draws.of(lambda weights: first.auc(weights) - second.auc(weights), mine),
        average_precision_difference=draws.of(
            lambda weights: first.average_precision(weights) - second.average_precision(weights), mine
        ),
    )  # fmt: skip


def _from_level(level: str, rows: Rows, draws: Draws) -> dict[str, Figure]:
    flagged = rows.levels >= LEVELS[level]  # type: ignore[index]

    def decided(name: str) -> Callable[[Weights], float]:
        return lambda weights: decisions(flagged, rows.positive, weights)[name]

    return {name: draws.of(decided(name), rows) for name in ("precision", "recall")}
