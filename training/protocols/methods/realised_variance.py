"""One-step forecasts of realised variance, fitted on a rolling window; beside log-HAR and other models of each series."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scoring.files import read_mapping
from training.dataset import Dataset, collect
from training.errors import TrainingRefused
from training.market.forecasts import Series
from training.market.losses import mean_test, quasi_likelihood
from training.market.prices import Span, chunk_of
from training.market.realised import read_variances
from training.market.variance_rivals import VARIANCE_RIVALS, VarianceSeries
from training.protocols.methods.value_at_risk import SIGNIFICANT, RiskOutcome
from training.protocols.outcome import Outcome, verdict_of
from training.protocols.paired import Figure, compare
from training.protocols.protocol import Ground, Protocol
from training.protocols.reading import scorer_of
from training.protocols.rivals import said_by
from training.trainer import trainer_named

METRIC = "qlike"
OUTPUT = "volatility"
PERCENT = 100.0
_HOUR_MS = 3_600_000


@dataclass(frozen=True, eq=False)
class Judged:
    """Periods with a forecast by every model, in order of time; n of them.

    Attributes:
        rows: of the data set, int64[n]; said_by: the row of the symbol's period before each, int64[n].
        time: number of the period's end among all ends, int64[n]; series: number of the symbol, int64[n].
        variance: what happened, percent squared, float64[n].
    """

    rows: NDArray[np.int64]
    said_by: NDArray[np.int64]
    time: NDArray[np.int64]
    series: NDArray[np.int64]
    variance: Series


class RealisedVarianceProtocol(
    Protocol, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="realised_variance"
):
    """One model of all series together against models of each series; all see the last `window` periods.

    Attributes:
        period: of which variances are made from bars or ticks, `1d`; files of realised variances are taken as they are.
        through: the last date that is read, UTC; empty for all.
        window: periods that models are fitted to; the first of a series have no forecast.
        refit: periods between fits of networks and of GARCH; HAR models are fitted every period.
        validation_share: last share of a window, on which networks stop.
        block: periods that are resampled together.
    """

    period: str = "1d"
    through: str = ""
    window: int = 1_000
    refit: int = 250
    validation_share: float = 0.2
    block: int = 20

    def run(self, ground: Ground, name: str, sha256: str) -> list[Outcome]:
        """As `Protocol.run`."""
        unknown = [each for each in self.baselines if each not in VARIANCE_RIVALS]
        unknown += [each for each in self.metrics if each != METRIC]
        if unknown:
            known = ", ".join((*VARIANCE_RIVALS, METRIC))
            raise TrainingRefused(f"{name}: {', '.join(unknown)} is unknown; known are {known}")
        scorer = scorer_of(self, name)
        ground.told(f"variances of {self.period}")
        events = read_variances(ground.files, read_mapping(ground.map_ or self.map), Span(self.period, self.through))
        dataset = collect(scorer.view, [chunk_of(events)], with_history=True)
        columns = scorer.view.feature_names.index("variance"), scorer.view.feature_names.index("log_return")
        judged = _judged(dataset, columns[0], self.window, name)
        said: dict[tuple[str, int], Series] = {}
        for baseline in self.baselines:
            ground.told(baseline)
            said[baseline, 0] = _classical(self, dataset, judged, baseline, columns)
        for candidate in self.candidates:
            for seed in self.seeds:
                said[candidate, seed] = _learned(self, dataset, judged, candidate, seed, ground)
        return [
            _outcome(self, said, judged, candidate, baseline, name=name, sha256=sha256)
            for candidate in self.candidates
            for baseline in self.baselines
        ]


def _judged(dataset: Dataset, column: int, window: int, name: str) -> Judged:
    """The periods of each symbol behind its first `window` ones."""
    _, time = np.unique(dataset.occurred_at_ms, return_inverse=True)
    rows, before = [], []
    for series in range(dataset.entities):
        own = np.flatnonzero(dataset.entity == series)
        rows.append(own[window:])
        before.append(own[window - 1 : -1] if len(own) > window else own[:0])
    found = np.concatenate(rows)
    if not len(found):
        raise TrainingRefused(f"{name}: no symbol has more than {window} periods; give more, or a protocol with fewer")
    order = np.argsort(found, kind="stable")
    found = found[order]
    values = PERCENT**2 * dataset.rows.features[found, column].astype(np.float64)
    return Judged(found, np.concatenate(before)[order], time[found], dataset.entity[found], values)


def _classical(
    protocol: RealisedVarianceProtocol, dataset: Dataset, judged: Judged, baseline: str, columns: tuple[int, int]
) -> Series:
    """Forecasts of the judged periods by a model of each series, percent squared, float64[n]."""
    found = np.full(len(dataset), np.nan)
    for series in np.unique(judged.series):
        own = np.flatnonzero(dataset.entity == series)
        variance, returns = (dataset.rows.features[own, column].astype(np.float64) for column in columns)
        given = VarianceSeries(
            variance, np.nan_to_num(returns), dataset.occurred_at_ms[own] // _HOUR_MS % 24, protocol.window,
            range(protocol.window, len(own), protocol.refit),
        )  # fmt: skip
        found[own] = PERCENT**2 * VARIANCE_RIVALS[baseline](given)
    return found[judged.rows]


def _learned(
    protocol: RealisedVarianceProtocol, dataset: Dataset, judged: Judged, candidate: str, seed: int, ground: Ground
) -> Series:
    """Forecasts of the judged periods by a trainer's exported graphs, percent squared, float64[n]."""
    names = [each.name for each in trainer_named(candidate).outputs]
    if names[:1] != [OUTPUT]:
        raise TrainingRefused(f"trainer {candidate} says no {OUTPUT} first; expected the percent of the next period")
    _, time = np.unique(dataset.occurred_at_ms, return_inverse=True)
    found = np.full(len(judged.rows), np.nan)
    cuts = range(protocol.window, int(time.max()) + 1, protocol.refit)
    for number, cut in enumerate(cuts):
        ground.told(f"{candidate}, seed {seed}: fit {number + 1} of {len(cuts)}")
        middle = cut - round(protocol.window * protocol.validation_share)
        train = np.flatnonzero((time >= cut - protocol.window) & (time < middle))
        validation = np.flatnonzero((time >= middle) & (time < cut))
        asked = np.flatnonzero((judged.time >= cut) & (judged.time < cut + protocol.refit))
        said = said_by(
            scorer_of(protocol, candidate), candidate, dataset, train=train, validation=validation,
            test=judged.said_by[asked], seed=seed,
        )  # fmt: skip
        found[asked] = said[:, 0] ** 2
    return found


def _outcome(
    protocol: RealisedVarianceProtocol, said: Mapping[tuple[str, int], Series], judged: Judged, candidate: str,
    baseline: str, *, name: str, sha256: str,
) -> RiskOutcome:  # fmt: skip
    runs = [quasi_likelihood(judged.variance, said[candidate, seed]) for seed in protocol.seeds]
    values = [float(run.mean()) for run in runs]
    middle = int(np.argsort(values, kind="stable")[(len(values) - 1) // 2])
    ours, theirs = runs[middle], quasi_likelihood(judged.variance, said[baseline, 0])
    found = compare(
        [_mean_of(ours)], [_mean_of(theirs)], [judged.time // protocol.block], resamples=protocol.resamples,
        seed=protocol.seeds[0],
    )  # fmt: skip
    return RiskOutcome(
        protocol=name, protocol_sha256=sha256, model=candidate, n=len(ours), metric=METRIC,
        value=round(found.value, 6), ci95=_rounded(found.ci95), baseline=baseline,
        baseline_value=round(found.baseline, 6), difference=round(found.difference, 6),
        difference_ci95=_rounded(found.difference_ci95),
        verdict=verdict_of(found.difference_ci95, more_is_better=False), seeds=protocol.seeds,
        values=tuple(round(value, 6) for value in values), statistics=_statistics(ours - theirs, judged),
    )  # fmt: skip


def _statistics(difference: Series, judged: Judged) -> dict[str, float | int | str]:
    counts, sums = np.bincount(judged.time), np.bincount(judged.time, weights=difference)
    together = mean_test(sums[counts > 0] / counts[counts > 0])
    alone = [mean_test(difference[judged.series == series]) for series in np.unique(judged.series)]
    return {
        "dm_statistic": round(together.statistic, 4),
        "p_behind": float(f"{together.p_above:.4g}"),
        "series": len(alone),
        "series_behind": sum(each.p_above < SIGNIFICANT for each in alone),
        "series_ahead": sum(each.p_above > 1 - SIGNIFICANT for each in alone),
    }


def _mean_of(losses: Series) -> Figure:
    return lambda weights: float(weights @ losses / weights.sum())


def _rounded(interval: Sequence[float]) -> tuple[float, float]:
    return round(interval[0], 6), round(interval[1], 6)


METHOD = RealisedVarianceProtocol
