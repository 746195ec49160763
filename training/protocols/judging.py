"""From folds with the scores of every model to outcomes: the median seed, paired intervals, verdicts."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from training.errors import TrainingRefused
from training.protocols.figures import METRICS, Fold, Metric
from training.protocols.outcome import Outcome, verdict_of
from training.protocols.paired import Figure, mean_figure, paired, resampled
from training.protocols.protocol import Protocol


def outcomes_of(protocol: Protocol, folds: Sequence[Fold], name: str, sha256: str) -> list[Outcome]:
    """Every metric of every candidate beside every baseline, in the order of the protocol.

    Raises:
        TrainingRefused: a metric nobody knows.
    """
    unknown = [metric for metric in protocol.metrics if metric not in METRICS]
    if unknown:
        raise TrainingRefused(f"{name}: metric {', '.join(unknown)} is unknown; known are {', '.join(METRICS)}")
    units = [fold.unit for fold in folds]
    models = tuple(dict.fromkeys((*protocol.candidates, *protocol.baselines)))
    runs = {
        (metric, model): _median_run(protocol, folds, model, METRICS[metric])
        for metric in protocol.metrics
        for model in models
    }
    drawn = resampled(
        [run.figures for run in runs.values()], units, resamples=protocol.resamples, seed=protocol.seeds[0]
    )
    for run, column in zip(runs.values(), drawn.T, strict=True):
        run.drawn = column
    found = []
    for metric in protocol.metrics:
        for candidate in protocol.candidates:
            for baseline in protocol.baselines:
                pair = (metric, candidate, baseline)
                ours, theirs = runs[metric, candidate], runs[metric, baseline]
                found.append(_outcome(protocol, folds, pair, ours, theirs, name=name, sha256=sha256))
    return found


@dataclass
class _Run:
    """A model's figure of every seed, the figures per fold of the seed in the middle, and those of the resamples."""

    values: list[float]
    middle: int
    figures: list[Figure]
    drawn: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))


def _outcome(
    protocol: Protocol, folds: Sequence[Fold], pair: tuple[str, str, str], ours: _Run, theirs: _Run, *, name: str,
    sha256: str,
) -> Outcome:
    metric, candidate, baseline = pair
    judged = METRICS[metric]
    found = paired(
        ours.values[ours.middle], ours.drawn, theirs.values[theirs.middle], theirs.drawn, ideal=judged.ideal
    )
    return Outcome(
        protocol=name,
        protocol_sha256=sha256,
        model=candidate,
        n=sum(len(fold.unit) for fold in folds),
        metric=metric,
        value=round(found.value, 6),
        ci95=_rounded(found.ci95),
        baseline=baseline,
        baseline_value=round(found.baseline, 6),
        difference=round(found.difference, 6),
        difference_ci95=_rounded(found.difference_ci95),
        verdict=verdict_of(
            found.difference_ci95, more_is_better=judged.more_is_better and judged.ideal is None
        ),
        seeds=protocol.seeds,
        values=tuple(round(value, 6) for value in ours.values),
        positives=sum(int((fold.truth == 1).sum()) for fold in folds),
    )  # fmt: skip


def _median_run(protocol: Protocol, folds: Sequence[Fold], model: str, metric: Metric) -> _Run:
    """The run of a model without its resamples."""
    units = [fold.unit for fold in folds]
    runs = [[metric.prepare(fold, fold.said[model, seed]) for fold in folds] for seed in protocol.seeds]
    values = [mean_figure(figures, units) for figures in runs]
    middle = int(np.argsort(values, kind="stable")[(len(values) - 1) // 2])
    return _Run(values, middle, runs[middle])


def _rounded(interval: tuple[float, float]) -> tuple[float, float]:
    return round(interval[0], 6), round(interval[1], 6)
