"""Whether an explanation says what moves the score: against deletion of what it names, and against exact Shapley values.

Features are looked at in at most 16 groups, those whose reasons people tell apart; deleting a group sets its features to
their usual values (the training medians, or what the view names); what is missing stays missing. The quantity is minus
the logarithm of one minus the score.

Source of deletion: Samek et al. 2017, "Evaluating the visualization of what a deep neural network has learned"; of the
values: Shapley 1953, "A value for n-person games".
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from scoring.features.spec import FeatureView
from scoring.model.manifest import Manifest
from scoring.model.rows import Rows
from scoring.model.session import Session
from training.groups import Group, groups_of, usual_of
from training.protocols.outcome import Verdict, verdict_of
from training.protocols.paired import Figure, compare

MOST_ROWS = 200
LEAST_CORRELATION = 0.8
RESAMPLES = 2_000
_MOST_SCORE = 1 - 1e-6


class Faithfulness(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured on the rows with the largest scores; intervals over rows.

    Attributes:
        rows, groups: how many.
        deletion: mean share of the quantity that is left while groups are deleted, most important first; less is better.
            `explanation`, `random` and `zscore` (farthest from usual first).
        against_random, against_zscore: verdicts of the explanation's order against the others.
        shapley: mean rank correlation of the groups' shares with exact Shapley values, [value, low, high].
        holds: whether it beats both orders and the correlation is at least 0.8.
    """

    rows: int
    groups: int
    deletion: dict[str, float]
    against_random: Verdict
    against_zscore: Verdict
    shapley: tuple[float, float, float]
    holds: bool


def measure(session: Session, manifest: Manifest, view: FeatureView, rows: Rows, *, seed: int) -> Faithfulness:
    """The faithfulness of a bundle's explanations.

    Args:
        rows: of the test part; the 200 with the largest scores are looked at, if above 0: a score of 0 has no reasons.
        seed: of random orders and of the resampling.
    """
    scores = session.run(rows.features, rows.history, rows.lengths)
    largest = np.argsort(-scores, kind="stable")[:MOST_ROWS]
    rows = rows.take(np.sort(largest[scores[largest] > 0]))
    subject = _Subject.of(session, manifest, view, rows)
    generator = np.random.default_rng(seed)
    shares = subject.shares()
    exact = np.stack([subject.shapley(row) for row in range(len(rows))])
    orders = {"explanation": -shares, "random": generator.random(shares.shape), "zscore": -subject.distances()}
    left = {name: subject.deletion(np.argsort(order, axis=1, kind="stable")) for name, order in orders.items()}
    correlation = np.array([rank_correlation(ours, theirs) for ours, theirs in zip(shares, exact, strict=True)])
    units = [np.arange(len(rows))]
    against = {
        name: verdict_of(
            compare(
                [_mean(left["explanation"])], [_mean(left[name])], units, resamples=RESAMPLES, seed=seed
            ).difference_ci95,
            more_is_better=False,
        )
        for name in ("random", "zscore")
    }
    mean = compare([_mean(correlation)], [_mean(np.zeros(len(rows)))], units, resamples=RESAMPLES, seed=seed)
    return Faithfulness(
        rows=len(rows),
        groups=len(subject.groups),
        deletion={name: round(float(values.mean()), 4) for name, values in left.items()},
        against_random=against["random"],
        against_zscore=against["zscore"],
        shapley=(round(mean.value, 4), round(mean.ci95[0], 4), round(mean.ci95[1], 4)),
        holds=set(against.values()) == {"ahead"} and mean.value >= LEAST_CORRELATION,
    )


def rank_correlation(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> float:
    """Spearman's correlation, ties at their middle rank; 0 where one of them says nothing.

    >>> rank_correlation(np.array([1.0, 2.0, 3.0]), np.array([10.0, 20.0, 30.0]))
    1.0
    """
    first, second = _ranks(ours), _ranks(theirs)
    if first.std() == 0 or second.std() == 0:
        return 0.0
    return float(np.round(np.corrcoef(first, second)[0, 1], 12))


@dataclass(frozen=True, eq=False)
class _Subject:
    """A model and rows whose groups can be deleted.

    Attributes:
        usual: of each feature, float32[F], NaN for missing.
        spread: distance of the outer quantiles, float64[F].
        columns: for every feature its column of the history, or -1.
        steps: whether a feature's steps before the last one are deleted with it: where the features are inputs too, the
            history tells how they came about; where they are not, it is what the last step is judged by.
    """

    session: Session
    rows: Rows
    groups: list[Group]
    usual: NDArray[np.float32]
    spread: NDArray[np.float64]
    columns: NDArray[np.int64]
    steps: bool

    @classmethod
    def of(cls, session: Session, manifest: Manifest, view: FeatureView, rows: Rows) -> "_Subject":
        known: list[Sequence[float | None]] = [manifest.baseline[name] for name in manifest.features]
        spread = [1.0 if row[0] is None or row[-1] is None else max(row[-1] - row[0], 1e-9) for row in known]
        names = manifest.history_features
        columns = [names.index(name) if name in names else -1 for name in manifest.features]
        return cls(
            session, rows, groups_of(view), usual_of(view, known), np.array(spread), np.array(columns, np.int64),
            steps="features" in manifest.inputs,
        )  # fmt: skip

    def shares(self) -> NDArray[np.float64]:
        """What the explanation gives each group, float64[n, groups]."""
        rows = self.rows
        shares = self.session.explain(rows.features, rows.history, rows.lengths).astype(np.float64)
        return np.stack([shares[:, group].sum(axis=1) for group in self.groups], axis=1)

    def distances(self) -> NDArray[np.float64]:
        """How far the farthest feature of each group is from its usual value, float64[n, groups]."""
        apart = np.abs(self.rows.features - self.usual) / self.spread
        apart = np.where(np.isnan(apart), 0.0, apart)
        return np.stack([apart[:, group].max(axis=1) for group in self.groups], axis=1)

    def values(self, row: int, kept: NDArray[np.bool_]) -> NDArray[np.float64]:
        """The quantity of one row with only some groups as they are, float64[m]; kept is bool[m, groups]."""
        count = len(kept)
        keeps = np.zeros((count, len(self.usual)), bool)
        for place, group in enumerate(self.groups):
            keeps[:, group] = kept[:, place, None]
        features = np.where(keeps | np.isnan(self.rows.features[row]), self.rows.features[row], self.usual)
        history = lengths = None
        if self.rows.history is not None and self.rows.lengths is not None:
            history = np.repeat(self.rows.history[row : row + 1], count, axis=0)
            lengths = np.repeat(self.rows.lengths[row : row + 1], count)
            last = int(self.rows.lengths[row]) - 1
            there = np.flatnonzero(self.columns >= 0)
            own = self.columns[there]
            if self.steps:
                stays = keeps[:, None, there] | np.isnan(history[:, :, own])
                history[:, :, own] = np.where(stays, history[:, :, own], self.usual[there])
            elif last >= 0:
                history[:, last, own] = features[:, there]
        scores = self.session.run(features.astype(np.float32), history, lengths).astype(np.float64)
        return -np.log1p(-np.clip(scores, 0.0, _MOST_SCORE))

    def deletion(self, orders: NDArray[np.int64]) -> NDArray[np.float64]:
        """Mean share left while groups are deleted in the order of each row, float64[n]; orders is int64[n, groups]."""
        steps = len(self.groups)
        found = np.zeros(len(orders))
        for row, order in enumerate(orders):
            kept = np.ones((steps + 1, steps), bool)
            for step, group in enumerate(order):
                kept[step + 1 :, group] = False
            values = self.values(row, kept)
            whole = values[0] - values[-1]
            found[row] = float(((values - values[-1]) / whole).mean()) if whole > 0 else 1.0
        return found

    def shapley(self, row: int) -> NDArray[np.float64]:
        """The exact Shapley values of the groups of one row, over all of their subsets, float64[groups]."""
        count = len(self.groups)
        subsets = np.arange(1 << count)
        kept = (subsets[:, None] >> np.arange(count)) & 1 == 1
        values, sizes = self.values(row, kept), kept.sum(axis=1)
        weight = np.array([1.0 / (count * math.comb(count - 1, size)) for size in range(count)])
        found = np.zeros(count)
        for group in range(count):
            without = subsets[~kept[:, group]]
            gain = values[without | (1 << group)] - values[without]
            found[group] = float((weight[sizes[without]] * gain).sum())
        return found


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    middle: NDArray[np.float64] = (last - (counts - 1) / 2)[places]
    return middle


def _mean(values: NDArray[np.float64]) -> Figure:
    return lambda weights: float((weights * values).sum() / weights.sum())
