"""Series watched once from their first row to their last, as the Numenta Anomaly Benchmark does it.

No group of series is judged by a model or a threshold that has seen it: what learns does so on the development
series that ship, without the group that is judged.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from scoring.files import read_events, read_mapping
from scoring.scorer import Scorer
from training.dataset import Dataset, collect
from training.errors import TrainingRefused
from training.protocols.outcome import Outcome, verdict_of
from training.protocols.paired import Figure, compare
from training.protocols.protocol import Ground, Protocol
from training.protocols.reading import scorer_of
from training.protocols.rivals import scores_by, session_of
from training.series.rules import RULES, Table
from training.series.windows import Counted, counted, gained, sweep
from training.shipped import DATA
from training.trainer import trainer_named

OPTIMISED, FROZEN = "nab_optimised", "nab_frozen"
Floats = NDArray[np.float64]


class NabOutcome(Outcome, frozen=True, kw_only=True):
    """An outcome with what is behind it.

    Attributes:
        statistics: of the model and, with `baseline_` in front, of the baseline: `windows`, those `found`, and
            `alarms` outside of windows; and of each group of series its figure, None without a window.
    """

    statistics: dict[str, float | int | None]


@dataclass(frozen=True, eq=False)
class Judged:
    """Series of a file: their readings and features, what detections are worth, and their groups.

    Attributes:
        dataset: the rows that were scored; place: the row of the table of each of them, int64[m].
        groups: name of each series' group.
    """

    table: Table
    rows: Counted
    dataset: Dataset
    place: NDArray[np.int64]
    groups: tuple[str, ...]

    def members(self, group: str, *, but: bool = False) -> NDArray[np.int64]:
        """Numbers of the series of a group, or of all others."""
        return np.flatnonzero((np.array(self.groups) == group) != but)

    def scored(self, chosen: NDArray[np.int64]) -> NDArray[np.int64]:
        """Numbers of the data set's rows that are of these series and past probation, int64[k]."""
        return np.flatnonzero(np.isin(self.table.series, chosen)[self.place] & self.rows.counts[self.place])


class Nab(Protocol, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="nab"):
    """Two figures: with the threshold that the optimiser finds on the series judged, and with one fixed before.

    The fixed threshold is the optimiser's on the development series, by the model that is judged. A series' group is
    what its name says before the first `/`.

    Attributes:
        development: file of the series that are learned from, of those that ship.
        development_map: reads it.
        validation_share: of the development series that are learned from, the share to stop and calibrate on.
    """

    development: str = "series_train.parquet"
    development_map: str = "nab_series"
    validation_share: float = 0.25

    def run(self, ground: Ground, name: str, sha256: str) -> list[Outcome]:
        """As `Protocol.run`.

        Raises:
            TrainingRefused: a metric nobody knows, no label, or no window.
        """
        unknown = [each for each in self.metrics if each not in (OPTIMISED, FROZEN)]
        if unknown:
            raise TrainingRefused(f"{name}: metric {', '.join(unknown)} is unknown; known are {OPTIMISED}, {FROZEN}")
        scorer = scorer_of(self, name)
        ground.told("folding the features")
        trained = [each for each in (*self.candidates, *self.baselines) if each not in RULES]
        with_history = any("history" in trainer_named(each).inputs for each in trained)
        known = _read((DATA / self.development,), self.development_map, scorer, with_history=with_history)
        tested = _read(ground.files, ground.map_ or self.map, scorer, with_history=with_history)
        if not tested.rows.windows.sum():
            raise TrainingRefused(f"{name}: no series has a marked window past its probation; expected {self.data}")
        runs = {
            (model, seed): self._run(model, seed, scorer, known, tested, ground)
            for model in dict.fromkeys((*self.candidates, *self.baselines))
            for seed in (self.seeds[:1] if model in RULES else self.seeds)
        }
        return [
            self._outcome(runs, tested, (metric, candidate, baseline), name=name, sha256=sha256)
            for metric in self.metrics
            for candidate in self.candidates
            for baseline in self.baselines
        ]

    def _run(
        self, model: str, seed: int, scorer: Scorer, known: Judged, tested: Judged, ground: Ground
    ) -> "Detections":
        """Scores of all rows, and whether each is at or above the threshold that was fixed before."""
        scores, detected = np.zeros(len(tested.table.values)), np.zeros(len(tested.table.values), bool)
        for unseen in dict.fromkeys(group if group in known.groups else "" for group in tested.groups):
            ground.told(f"{model}, seed {seed}: {unseen or 'groups that development lacks'}")
            learned = known.members(unseen, but=True)
            ours, theirs = self._scores(model, seed, scorer, known, tested, learned)
            threshold = sweep(known.rows.of(learned), theirs).best()[1]
            judged = [group == unseen or (not unseen and group not in known.groups) for group in tested.groups]
            rows = np.array(judged)[tested.table.series]
            scores[rows], detected[rows] = ours[rows], (ours >= threshold)[rows]
        return Detections(scores, detected)

    def _scores(
        self, model: str, seed: int, scorer: Scorer, known: Judged, tested: Judged, learned: NDArray[np.int64]
    ) -> tuple[Floats, Floats]:
        """What a model that has learned from these development series says of the tested rows and of the known ones."""
        if model in RULES:
            return RULES[model](tested.table), RULES[model](known.table)
        drawn = np.random.default_rng(seed).permutation(learned)
        held = max(1, round(self.validation_share * len(drawn)))
        session = session_of(
            scorer, model, known.dataset, train=known.scored(drawn[held:]), validation=known.scored(drawn[:held]),
            seed=seed,
        )  # fmt: skip
        found = []
        for judged in (tested, known):
            scores = np.zeros(len(judged.table.values))  # what is not scored, a duplicate, is no detection
            scores[judged.place] = scores_by(session, judged.dataset.rows)
            found.append(scores)
        return found[0], found[1]

    def _outcome(
        self, runs: Mapping[tuple[str, int], "Detections"], tested: Judged, pair: tuple[str, str, str], *, name: str,
        sha256: str,
    ) -> NabOutcome:  # fmt: skip
        metric, candidate, baseline = pair
        values, ours = self._median(runs, tested, metric, candidate)
        _, theirs = self._median(runs, tested, metric, baseline)
        found = compare(
            [ours.figure(tested.rows, metric)], [theirs.figure(tested.rows, metric)],
            [np.arange(len(tested.groups))], resamples=self.resamples, seed=self.seeds[0],
        )  # fmt: skip
        beside = {f"baseline_{key}": value for key, value in theirs.statistics(tested, metric).items()}
        return NabOutcome(
            protocol=name, protocol_sha256=sha256, model=candidate, n=int(tested.rows.counts.sum()), metric=metric,
            value=round(found.value, 4), ci95=_rounded(found.ci95), baseline=baseline,
            baseline_value=round(found.baseline, 4), difference=round(found.difference, 4),
            difference_ci95=_rounded(found.difference_ci95),
            verdict=verdict_of(found.difference_ci95, more_is_better=True), seeds=self.seeds,
            values=tuple(round(value, 4) for value in values),
            positives=int((tested.rows.counts & (tested.rows.window >= 0)).sum()),
            statistics=ours.statistics(tested, metric) | beside,
        )  # fmt: skip

    def _median(
        self, runs: Mapping[tuple[str, int], "Detections"], tested: Judged, metric: str, model: str
    ) -> tuple[list[float], "Detections"]:
        """The figure of every seed, and the run of the one in the middle."""
        own = [run for (each, _), run in runs.items() if each == model]
        values = [run.figure(tested.rows, metric)(np.ones(len(tested.groups))) for run in own]
        return values, own[int(np.argsort(values, kind="stable")[(len(values) - 1) // 2])]


@dataclass(frozen=True, eq=False)
class Detections:
    """What a model says of all rows: scores, float64[n], and detections by its fixed threshold, bool[n]."""

    scores: Floats
    fixed: NDArray[np.bool_]

    def figure(self, rows: Counted, metric: str) -> Figure:
        """The figure under weights of the series."""
        if metric == OPTIMISED:
            swept = sweep(rows, self.scores)
            return lambda weights: swept.best(weights)[0]
        worth = gained(rows, self.fixed)
        return lambda weights: (
            100 * float(weights @ worth) / (2 * float(weights @ rows.windows))
            if weights @ rows.windows
            else float("nan")
        )

    def statistics(self, tested: Judged, metric: str) -> dict[str, float | int | None]:
        """Windows, those found, alarms outside, and the figure of each group, by the one threshold of all."""
        rows = tested.rows
        detected = self.fixed if metric == FROZEN else self.scores >= sweep(rows, self.scores).best()[1]
        detected = detected & rows.counts
        found: dict[str, float | int | None] = {
            "windows": int(rows.windows.sum()),
            "found": len(np.unique(rows.window[detected & (rows.window >= 0)])),
            "alarms": int((detected & (rows.window < 0)).sum()),
        }
        worth = gained(rows, detected)
        for group in dict.fromkeys(tested.groups):
            own = tested.members(group)
            windows = int(rows.windows[own].sum())
            found[group] = round(100 * float(worth[own].sum()) / (2 * windows), 2) if windows else None
        return found


def _read(files: Sequence[Path], mapping_name: str, scorer: Scorer, *, with_history: bool) -> Judged:
    """The series of files, each in the order in which its readings come."""
    chunks = [chunk for chunk in read_events(files, read_mapping(mapping_name), scorer.event) if chunk.frame.height]
    if not chunks or any(chunk.labels is None for chunk in chunks):
        raise TrainingRefused("this protocol needs readings with labels; give a mapping with `label`")
    dataset = collect(scorer.view, chunks, with_history=with_history)
    frame = pl.concat([chunk.frame for chunk in chunks])
    labels = pl.concat([chunk.labels for chunk in chunks if chunk.labels is not None])
    names = frame[scorer.event.key].unique(maintain_order=True).to_list()
    numbers = dict(zip(names, range(len(names)), strict=True))
    series = np.array([numbers[name] for name in frame[scorer.event.key].to_list()], np.int64)
    order = np.argsort(series, kind="stable")  # series after series
    marked = (labels.fill_null(0).to_numpy() == 1)[order]
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    assert dataset.place is not None
    own = place[dataset.place]
    vectors = np.full((len(order), len(scorer.view.feature_names)), np.nan, np.float32)
    vectors[own] = dataset.rows.features
    table = Table(
        frame["value"].to_numpy()[order], series[order], vectors, scorer.view.feature_names, tuple(names)
    )
    cuts = np.flatnonzero(np.diff(table.series)) + 1
    return Judged(
        table, counted(np.split(marked, cuts)), dataset, own, tuple(name.split("/")[0] for name in names)
    )


def _rounded(interval: tuple[float, float]) -> tuple[float, float]:
    return round(interval[0], 4), round(interval[1], 4)


METHOD = Nab
