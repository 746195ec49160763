"""Alarms on bars with faults put into them: how many are found at a bearable number of false alarms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from scoring.files import read_events, read_mapping
from training.dataset import Dataset, collect
from training.errors import TrainingRefused
from training.market.bar_alarms import BAR_RULES, false_alarms, found_faults, threshold_for
from training.market.bar_faults import KINDS, Fault, Kind, with_faults
from training.market.forecasts import Series
from training.market.prices import chunk_of
from training.protocols.methods.value_at_risk import RiskOutcome, Statistics
from training.protocols.outcome import Outcome, verdict_of
from training.protocols.paired import Figure, compare
from training.protocols.protocol import Ground, Protocol
from training.protocols.reading import scorer_of
from training.protocols.rivals import scores_of

METRIC = "recall"
_DAY_MS = 86_400_000


@dataclass(frozen=True, eq=False)
class Found:
    """What one model made of the faults of one seed.

    Attributes:
        hits: whether it found each fault at the bearable number of false alarms among them.
        set_before: with the threshold of the part before: the share it found, and false alarms a day.
        kinds: of the faults.
    """

    hits: NDArray[np.bool_]
    set_before: tuple[float, float]
    kinds: NDArray[np.str_]


class BarAlarms(Protocol, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="bar_alarms"):
    """Learn on the first bars, find faults in the last, at the same number of false alarms a day for everybody.

    What a threshold set on the bars in between would have given, faults found and false alarms, stands beside each
    figure: scores that drift keep no such promise.

    Attributes:
        train_share, threshold_share: shares of the bars; the rest is the test part, into which faults are put.
        validation_share: last share of the first part, on which networks stop.
        false_alarms_a_day: at which faults are counted.
        faults_of_each: of every kind; each seed puts them at other places.
        kinds: of faults.
    """

    train_share: float = 0.4
    threshold_share: float = 0.2
    validation_share: float = 0.2
    false_alarms_a_day: float = 1.0
    faults_of_each: int = 12
    kinds: tuple[Kind, ...] = KINDS

    def run(self, ground: Ground, name: str, sha256: str) -> list[Outcome]:
        """As `Protocol.run`."""
        unknown = [each for each in self.baselines if each not in BAR_RULES]
        unknown += [each for each in self.metrics if each != METRIC]
        if unknown:
            raise TrainingRefused(f"{name}: {', '.join(unknown)} is unknown; known are {', '.join((*BAR_RULES, METRIC))}")
        scorer = scorer_of(self, name)
        mapping = read_mapping(ground.map_ or self.map)
        frames = [chunk.frame for chunk in read_events(ground.files, mapping, scorer.event) if chunk.frame.height]
        if not frames:
            raise TrainingRefused(f"{name}: no bar could be used; check --events and --map")
        bars = pl.concat(frames)
        if bars["symbol"].n_unique() != 1:
            raise TrainingRefused(f"{name}: {bars['symbol'].n_unique()} symbols; expected the bars of one")
        said: dict[tuple[str, int], Found] = {}
        for seed in self.seeds:
            said |= _of_seed(self, bars, seed, ground)
        return [
            _outcome(self, said, candidate, baseline, bars.height, name=name, sha256=sha256)
            for candidate in self.candidates
            for baseline in self.baselines
        ]


def _of_seed(protocol: BarAlarms, bars: pl.DataFrame, seed: int, ground: Ground) -> dict[tuple[str, int], Found]:
    """What every model makes of the faults that a seed draws."""
    scorer = scorer_of(protocol, "bars")
    first = round(bars.height * protocol.train_share)
    second = round(bars.height * (protocol.train_share + protocol.threshold_share))
    try:
        changed, faults = with_faults(bars, second, protocol.faults_of_each, seed, protocol.kinds)
    except ValueError as error:
        raise TrainingRefused(f"{error}; give more bars or fewer faults") from None
    dataset = collect(scorer.view, [chunk_of(changed)], with_history=True)
    if len(dataset) != bars.height:
        raise TrainingRefused(f"{bars.height - len(dataset)} bars are twice in the files; remove them")
    returns = _returns(changed)
    found = {}
    for rule in protocol.baselines:
        found[rule, seed] = _found(protocol, BAR_RULES[rule](returns), (first, second), faults, dataset)
    middle = round(first * (1 - protocol.validation_share))
    for candidate in protocol.candidates:
        ground.told(f"{candidate}, seed {seed}")
        scores = scores_of(
            scorer, candidate, dataset, train=np.arange(middle), validation=np.arange(middle, first),
            test=np.arange(len(dataset)), seed=seed,
        )  # fmt: skip
        found[candidate, seed] = _found(protocol, scores, (first, second), faults, dataset)
    return found


def _found(
    protocol: BarAlarms, scores: Series, parts: tuple[int, int], faults: Sequence[Fault], dataset: Dataset
) -> Found:
    first, second = parts
    days = len(np.unique(dataset.occurred_at_ms[first:second] // _DAY_MS))
    before = threshold_for(scores[first:second], round(days * protocol.false_alarms_a_day))
    moved = [replace(each, first=each.first - second, last=each.last - second) for each in faults]
    tested = scores[second:]
    tested_days = len(np.unique(dataset.occurred_at_ms[second:] // _DAY_MS))
    threshold = threshold_for(tested, round(tested_days * protocol.false_alarms_a_day), moved)
    found_before = float(found_faults(tested, before, moved).mean())
    return Found(
        found_faults(tested, threshold, moved),
        (found_before, false_alarms(tested, before, moved) / tested_days),
        np.array([each.kind for each in faults]),
    )


def _outcome(
    protocol: BarAlarms, said: Mapping[tuple[str, int], Found], candidate: str, baseline: str, bars: int, *, name: str,
    sha256: str,
) -> RiskOutcome:  # fmt: skip
    values = [float(said[candidate, seed].hits.mean()) for seed in protocol.seeds]
    middle = protocol.seeds[int(np.argsort(values, kind="stable")[(len(values) - 1) // 2])]
    ours, theirs = said[candidate, middle], said[baseline, middle]
    found = compare(
        [_mean_of(ours.hits)], [_mean_of(theirs.hits)], [np.arange(len(ours.hits))], resamples=protocol.resamples,
        seed=protocol.seeds[0],
    )  # fmt: skip
    return RiskOutcome(
        protocol=name, protocol_sha256=sha256, model=candidate, n=bars, metric=METRIC, value=round(found.value, 6),
        ci95=_rounded(found.ci95), baseline=baseline, baseline_value=round(found.baseline, 6),
        difference=round(found.difference, 6), difference_ci95=_rounded(found.difference_ci95),
        verdict=verdict_of(found.difference_ci95, more_is_better=True), seeds=protocol.seeds,
        values=tuple(round(value, 6) for value in values), positives=len(ours.hits),
        statistics=_statistics(ours, "") | _statistics(theirs, "baseline_"),
    )  # fmt: skip


def _statistics(found: Found, prefix: str) -> Statistics:
    recall, alarms = found.set_before
    said: Statistics = {
        f"{prefix}recall_by_threshold_set_before": round(recall, 4),
        f"{prefix}false_alarms_a_day_by_it": round(alarms, 4),
    }
    kinds = [kind for kind in KINDS if kind in found.kinds]
    return said | {f"{prefix}recall_{kind}": round(float(found.hits[found.kinds == kind].mean()), 4) for kind in kinds}


def _returns(bars: pl.DataFrame) -> Series:
    """Log returns of the closes, 0 for the first, float64[n]."""
    return np.diff(np.log(bars["close"].to_numpy().astype(np.float64)), prepend=np.log(bars["close"][0]))


def _mean_of(hits: NDArray[np.bool_]) -> Figure:
    values = hits.astype(np.float64)
    return lambda weights: float(weights @ values / weights.sum())


def _rounded(interval: tuple[float, float]) -> tuple[float, float]:
    return round(interval[0], 6), round(interval[1], 6)


METHOD = BarAlarms
