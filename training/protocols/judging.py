"""From folds with the scores of every model to outcomes: the median seed, paired intervals, verdicts."""

from collections.abc import Sequence

import numpy as np

from training.errors import TrainingRefused
from training.protocols.figures import METRICS, Fold, Metric
from training.protocols.outcome import Outcome, verdict_of
from training.protocols.paired import Figure, compare, mean_figure
from training.protocols.protocol import Protocol


def outcomes_of(protocol: Protocol, folds: Sequence[Fold], name: str, sha256: str) -> list[Outcome]:
    """Every metric of every candidate beside every baseline, in the order of the protocol.

    Raises:
        TrainingRefused: a metric nobody knows.
    """
    unknown = [metric for metric in protocol.metrics if metric not in METRICS]
    if unknown:
        raise TrainingRefused(f"{name}: metric {', '.join(unknown)} is unknown; known are {', '.join(METRICS)}")
    found = []
    for metric in protocol.metrics:
        for candidate in protocol.candidates:
            found += [
                _outcome(protocol, folds, candidate, baseline, metric, name=name, sha256=sha256)
                for baseline in protocol.baselines
            ]
    return found


def _outcome(
    protocol: Protocol, folds: Sequence[Fold], candidate: str, baseline: str, metric: str, *, name: str, sha256: str
) -> Outcome:
    judged, units = METRICS[metric], [fold.unit for fold in folds]
    values, ours = _median_run(protocol, folds, candidate, judged)
    _, theirs = _median_run(protocol, folds, baseline, judged)
    found = compare(
        ours, theirs, units, resamples=protocol.resamples, seed=protocol.seeds[0], ideal=judged.ideal
    )
    return Outcome(
        protocol=name,
        protocol_sha256=sha256,
        model=candidate,
        n=sum(map(len, units)),
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
        values=tuple(round(value, 6) for value in values),
        positives=sum(int((fold.truth == 1).sum()) for fold in folds),
    )


def _median_run(
    protocol: Protocol, folds: Sequence[Fold], model: str, metric: Metric
) -> tuple[list[float], list[Figure]]:
    """The figure of every seed, and the figures per fold of the seed in the middle."""
    units = [fold.unit for fold in folds]
    runs = [[metric.prepare(fold, fold.said[model, seed]) for fold in folds] for seed in protocol.seeds]
    values = [mean_figure(figures, units) for figures in runs]
    return values, runs[int(np.argsort(values, kind="stable")[(len(values) - 1) // 2])]


def _rounded(interval: tuple[float, float]) -> tuple[float, float]:
    return round(interval[0], 6), round(interval[1], 6)
