"""Forecasts of volatility and tail losses of daily returns, fitted anew on a growing span; beside GARCH models."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.errors import TrainingRefused
from training.market.drawn_portfolios import Drawn
from training.market.forecasts import LEVELS, Forecasts, Series
from training.market.garch import RIVALS
from training.market.losses import coverage, joint_loss, mean_test, quasi_likelihood, second_statistic, zones
from training.market.panel import Panel, read_panel, stands_still
from training.protocols.outcome import Outcome, verdict_of
from training.protocols.paired import Figure, compare
from training.protocols.protocol import Ground, Protocol
from training.protocols.reading import scorer_of
from training.protocols.rivals import said_by
from training.trainer import trainer_named

LOSSES = ("fz0_95", "fz0_99", "qlike")
COVERAGES = ("coverage_95", "coverage_99")
SIGNIFICANT = 0.05
Statistics = dict[str, float | int | str]


class RiskOutcome(Outcome, frozen=True, kw_only=True):
    """An outcome with the statistics of its field.

    Attributes:
        statistics: of losses `dm_statistic` (positive when the model's loss is larger) and `p_behind`, of the pool by
            day, and in how many series the model is behind or ahead at 5 %, one-sided; of coverages the tests of
            Christoffersen, the Z2 of Acerbi and Szekely with its t statistic, and the zones of Basel, of the model and
            of the baseline.
    """

    statistics: Statistics


@dataclass(frozen=True, eq=False)
class Judged:
    """Forecasts of the judged days by one model, float64[days, series] and [days, series, level], and their losses."""

    returns: Series
    variance: Series
    value_at_risk: Series
    shortfall: Series

    def losses(self, metric: str) -> Series:
        """The loss of each forecast, or whether its level was undercut, float64[days, series]."""
        if metric == "qlike":
            return quasi_likelihood(self.returns**2, self.variance)
        place = _level(metric)
        if metric in COVERAGES:
            return (self.returns <= self.value_at_risk[:, :, place]).astype(np.float64)
        return joint_loss(
            self.returns, self.value_at_risk[:, :, place], self.shortfall[:, :, place], LEVELS[place]
        )


class ValueAtRisk(Protocol, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="value_at_risk"):
    """One model of all series together against models of each series; all are fitted on what was before a day.

    Attributes:
        through: the last date that is read, UTC.
        first_days: returns before the first forecast.
        refit_days: returns between fits; a fit sees all returns before it.
        validation_share: last share of a span, on which networks stop.
        most_unchanged: a series with a larger share of unchanged prices among the first days is no part of the pool.
        block_days: days that are resampled together.
        portfolios: where set, the series are these portfolios of the files' symbols, at the same weights on all days.
    """

    through: str
    first_days: int = 1_000
    refit_days: int = 250
    validation_share: float = 0.12
    most_unchanged: float = 0.5
    block_days: int = 20
    portfolios: Drawn | None = None

    def run(self, ground: Ground, name: str, sha256: str) -> list[Outcome]:
        """As `Protocol.run`."""
        unknown = [each for each in self.baselines if each not in RIVALS]
        unknown += [each for each in self.metrics if each not in LOSSES + COVERAGES]
        if unknown:
            known = ", ".join((*RIVALS, *LOSSES, *COVERAGES))
            raise TrainingRefused(f"{name}: {', '.join(unknown)} is unknown; known are {known}")
        panel = read_panel(ground, self.map, scorer_of(self, name), self.through, self.portfolios)
        days = len(panel.returns)
        if days <= self.first_days:
            raise TrainingRefused(f"{name}: {days} returns up to {self.through}; expected more than {self.first_days}")
        refits = list(range(self.first_days, days, self.refit_days))
        said: dict[tuple[str, int], Judged] = {}
        for baseline in self.baselines:
            ground.told(baseline)
            found = [RIVALS[baseline](np.ascontiguousarray(series), refits) for series in panel.returns.T]
            said[baseline, 0] = _judged(panel, self.first_days, found)
        for candidate in self.candidates:
            for seed in self.seeds:
                forecasts = _learned(self, panel, candidate, seed, refits, ground)
                said[candidate, seed] = _judged(panel, self.first_days, forecasts)
        pool = ~stands_still(panel, self.first_days, self.most_unchanged)
        return [
            _outcome(self, said, candidate, baseline, metric, pool, name=name, sha256=sha256)
            for metric in self.metrics
            for candidate in self.candidates
            for baseline in self.baselines
        ]


def _learned(
    protocol: ValueAtRisk, panel: Panel, candidate: str, seed: int, refits: Sequence[int], ground: Ground
) -> list[Forecasts]:
    """Forecasts of every series by a trainer whose models say volatility, value at risk and shortfall.

    They are those of the exported graph, as a worker would publish them.
    """
    trainer, days, series = trainer_named(candidate), *panel.returns.shape
    if [each.name for each in trainer.outputs] != ["volatility", "value_at_risk", "expected_shortfall"]:
        raise TrainingRefused(f"trainer {candidate} says no volatility, value at risk and expected shortfall")
    found = [Forecasts.empty(days) for _ in range(series)]
    scorer = scorer_of(protocol, candidate)
    for number, (first, after) in enumerate(zip(refits, [*refits[1:], days], strict=True)):
        ground.told(f"{candidate}, seed {seed}: fit {number + 1} of {len(refits)}")
        cut = round(first * (1 - protocol.validation_share))
        # the vector whose outputs forecast a day is that of the day before: rows up to `first` hold returns before it
        train, validation = panel.said_by[: cut + 1].ravel(), panel.said_by[cut + 1 : first + 1].ravel()
        rows = panel.said_by[first:after]
        said = said_by(
            scorer, candidate, panel.dataset, train=np.sort(train), validation=np.sort(validation), test=rows.ravel(),
            seed=seed,
        )  # fmt: skip
        said = said.reshape(*rows.shape, -1)  # (day, series, output)
        for place, forecasts in enumerate(found):
            own = said[:, place]
            forecasts.put(slice(first, after), own[:, 0] ** 2, own[:, 1:3], own[:, 3:5])
    return found


def _judged(panel: Panel, first: int, forecasts: Sequence[Forecasts]) -> Judged:
    return Judged(
        returns=panel.returns[first:],
        variance=np.stack([each.variance[first:] for each in forecasts], axis=1),
        value_at_risk=np.stack([each.value_at_risk[first:] for each in forecasts], axis=1),
        shortfall=np.stack([each.shortfall[first:] for each in forecasts], axis=1),
    )


def _outcome(
    protocol: ValueAtRisk, said: Mapping[tuple[str, int], Judged], candidate: str, baseline: str, metric: str,
    pool: NDArray[np.bool_], *, name: str, sha256: str,
) -> RiskOutcome:  # fmt: skip
    ideal = 1 - LEVELS[_level(metric)] if metric in COVERAGES else None
    runs = {seed: said[candidate, seed].losses(metric) for seed in protocol.seeds}
    values = [float(runs[seed][:, pool].mean()) for seed in protocol.seeds]
    middle = protocol.seeds[int(np.argsort(values, kind="stable")[(len(values) - 1) // 2])]
    ours, theirs = runs[middle], said[baseline, 0].losses(metric)
    # resampling days of all series together is resampling the sums over series
    units = np.arange(len(ours)) // protocol.block_days
    found = compare(
        [_mean_of(ours[:, pool])], [_mean_of(theirs[:, pool])], [units], resamples=protocol.resamples,
        seed=protocol.seeds[0], ideal=ideal,
    )  # fmt: skip
    statistics = (
        _loss_statistics(ours - theirs, pool)
        if ideal is None
        else _coverage_statistics(said[candidate, middle], metric, pool, "")
        | _coverage_statistics(said[baseline, 0], metric, pool, "baseline_")
    )
    return RiskOutcome(
        protocol=name, protocol_sha256=sha256, model=candidate, n=int(ours[:, pool].size), metric=metric,
        value=round(found.value, 6), ci95=_rounded(found.ci95), baseline=baseline,
        baseline_value=round(found.baseline, 6), difference=round(found.difference, 6),
        difference_ci95=_rounded(found.difference_ci95),
        verdict=verdict_of(found.difference_ci95, more_is_better=False), seeds=protocol.seeds,
        values=tuple(round(value, 6) for value in values), statistics=statistics,
    )  # fmt: skip


def _loss_statistics(difference: Series, pool: NDArray[np.bool_]) -> Statistics:
    together = mean_test(difference[:, pool].mean(axis=1))
    alone = [mean_test(column) for column in difference.T]
    return {
        "dm_statistic": round(together.statistic, 4),
        "p_behind": float(f"{together.p_above:.4g}"),
        "series": difference.shape[1],
        "series_pooled": int(pool.sum()),
        "series_behind": sum(each.p_above < SIGNIFICANT for each in alone),
        "series_ahead": sum(each.p_above > 1 - SIGNIFICANT for each in alone),
    }


def _coverage_statistics(judged: Judged, metric: str, pool: NDArray[np.bool_], prefix: str) -> Statistics:
    place = _level(metric)
    hits = judged.losses(metric) > 0
    pooled = coverage(hits[:, pool], LEVELS[place])
    alone = [coverage(column, LEVELS[place]) for column in hits.T]
    terms = second_statistic(
        judged.returns, judged.value_at_risk[:, :, place], judged.shortfall[:, :, place], LEVELS[place]
    )
    z2 = mean_test(terms[:, pool].mean(axis=1))
    series_z2 = [mean_test(column).p_above for column in terms.T]
    found: Statistics = {
        "violations": pooled.violations,
        "expected": pooled.expected,
        "unconditional_p": float(f"{pooled.unconditional_p:.4g}"),
        "independence_p": float(f"{pooled.independence_p:.4g}"),
        "joint_p": float(f"{pooled.joint_p:.4g}"),
        "series": len(alone),
        "series_joint_passed": sum(each.joint_p >= SIGNIFICANT for each in alone),
        "z2": round(z2.mean, 4),
        "z2_statistic": round(z2.statistic, 4),
        "series_z2_passed": sum(p <= 1 - SIGNIFICANT for p in series_z2),
    }
    if LEVELS[place] == 0.99:
        found |= dict(zip(("green", "yellow", "red"), (round(share, 4) for share in zones(hits[:, pool])), strict=True))
    return {prefix + key: value for key, value in found.items()}


def _mean_of(losses: Series) -> Figure:
    by_day = losses.mean(axis=1)
    return lambda weights: float(weights @ by_day / weights.sum())


def _level(metric: str) -> int:
    return int(metric.endswith("99"))


def _rounded(interval: tuple[float, float]) -> tuple[float, float]:
    return round(interval[0], 6), round(interval[1], 6)


METHOD = ValueAtRisk
