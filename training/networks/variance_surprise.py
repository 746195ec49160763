"""The whole model over `history` and `lengths` of realised variances: yesterday's forecast, and today's."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from training.networks.ablation import Ablation
from training.networks.johnson import ROOT_2, Johnson
from training.networks.sequence_surprise import steps_at
from training.networks.variance_forecast import CLOCKS, NextVariance, VarianceForecaster
from training.networks.wide import erf, exp, log, minus_log_erfc

MOST_VARIANCE = 100.0
LEAST_LONG_RUN = 1e-14
LEAST_SHARE, MOST_SHARE = 1e-3, 1e3
MOST_FALL, FARTHEST, MOST_LOG = 10.0, 1e3, 12.0
PERCENT = 100.0
LEVELS = (0.95, 0.99)


class Columns(NamedTuple):
    """Places in the history of what the model reads; `clock` are hour and weekday, sine and cosine."""

    variance: int
    log_return: int
    long_run: int
    clock: tuple[int, ...]


class VarianceSurprise(nn.Module):
    """Forecasts twice: from the periods before the last one, to score that one, and from all, to say what comes next."""

    inputs = ("history", "lengths")
    behind: Tensor
    inside: Tensor
    usual: Tensor

    def __init__(
        self, network: VarianceForecaster, ablation: Ablation, *, past_steps: int, columns: Columns, feature: int,
        features: int,
    ) -> None:  # fmt: skip
        """The model around a forecaster.

        Args:
            ablation: over the variance alone: nothing else of a period is in its score.
            past_steps: of the forecaster; it is shown one less, so that both forecasts see equally many.
            feature, features: place of the variance in the vector, and how wide that is, for contributions.
        """
        super().__init__()
        self.network, self.ablation = network, ablation
        self.columns, self.feature, self.features = columns, feature, features
        self.register_buffer("behind", torch.arange(-past_steps, 0))
        self.register_buffer("inside", (torch.arange(past_steps) > 0).float())
        self.register_buffer("usual", torch.tensor(1e-4))

    def past(self, history: Tensor, lengths: Tensor, before: int) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """What the forecaster takes, which steps are known, (batch, step), and the long run's variance, (batch).

        Args:
            history: (batch, step, feature), valid steps first.
            lengths: int32 (batch), valid steps.
            before: 1 for the steps before the last one, 0 for all.
        """
        end = lengths.to(torch.int64) - before  # (batch), the step behind the past
        index = end[:, None] + self.behind  # (batch, past)
        raw = steps_at(history, index)  # (batch, past, feature)
        exists = (index >= 0).to(raw.dtype) * self.inside  # (batch, past)
        there = (end > 0).to(raw.dtype)  # (batch)
        long_run = raw[:, -1, self.columns.long_run]
        known = ~torch.isnan(long_run) & (end > 0)
        long_run = torch.where(known, long_run, self.usual).clamp(LEAST_LONG_RUN, MOST_VARIANCE)
        variance, valid = _known(raw[:, :, self.columns.variance], exists)
        share = (variance / long_run[:, None]).clamp(LEAST_SHARE, MOST_SHARE)
        returns, _ = _known(raw[:, :, self.columns.log_return], exists)
        falls = (-returns.clamp(-MOST_VARIANCE, 0.0) / torch.sqrt(long_run)[:, None]).clamp(max=MOST_FALL)
        clock, _ = _known(raw[:, -1, list(self.columns.clock)], there[:, None])
        wide = nn.functional.pad(clock.clamp(-1.0, 1.0), (0, 16 - CLOCKS))
        return torch.log(share) * valid, falls, wide, valid, long_run

    def own(self, history: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """The last variance, 0 where there is none, and whether there is one, (batch) each."""
        return _known(
            steps_at(history, lengths.to(torch.int64) - 1)[:, self.columns.variance], (lengths > 0).to(history.dtype)
        )

    def forecast(self, history: Tensor, lengths: Tensor, before: int) -> tuple[Tensor, NextVariance]:
        """The long run's variance, (batch), and what is said of the one behind these steps."""
        past, falls, clock, _, long_run = self.past(history, lengths, before)
        return long_run, self.network(past, falls, clock)

    def normal(self, history: Tensor, lengths: Tensor) -> Tensor:
        """The standard normal variable that stands for the last variance, (batch); very low where there is none."""
        value, there = self.own(history, lengths)
        long_run, said = self.forecast(history, lengths, 1)
        return torch.where(there > 0, _normal(long_run, said, value), -FARTHEST)

    def forward(self, history: Tensor, lengths: Tensor) -> Tensor:
        """The share of variances below the last one under yesterday's forecast, (batch)."""
        return (0.5 + 0.5 * erf(self.normal(history, lengths).clamp(-10.0, 10.0) / ROOT_2)).clamp(0.0, 1.0)

    def contributions(self, history: Tensor, lengths: Tensor) -> Tensor:
        """Shares of minus log p, (batch, feature): the variance's is all that the score has over that of a usual one."""
        value, there = self.own(history, lengths)
        long_run, said = self.forecast(history, lengths, 1)
        times = self.ablation.kept.shape[0]
        variants = self.ablation.variants(value[:, None])[:, 0]  # (batch x variant)
        long_run, mean, log_spread, lift, skew, peak, exists = (
            each[:, None].expand(-1, times).flatten()
            for each in (long_run, said.mean, said.log_spread, said.lift, said.shape.skew, said.shape.peak, there)
        )
        normal = _normal(long_run, NextVariance(mean, log_spread, lift, Johnson(skew, peak)), variants)
        nats = _minus_log_above(normal) * exists  # (batch x variant)
        share = self.ablation.contributions(nats, torch.ones_like(value)[:, None], there[:, None])  # (batch, 1)
        return nn.functional.pad(share, (self.feature, self.features - self.feature - 1))

    def outputs(self, history: Tensor, lengths: Tensor) -> Tensor:
        """Of the next period, in percent: volatility, and what it exceeds in 5 and in 1 % of all cases, (batch, 3)."""
        long_run, said = self.forecast(history, lengths, 0)
        mirrored = Johnson(-said.shape.skew, said.shape.peak)  # its lower tail is the upper one
        spread = exp(said.log_spread)
        logs = [said.mean + said.lift, *(said.mean - spread * mirrored.quantile(level) for level in LEVELS)]
        scale = PERCENT * torch.sqrt(long_run)
        return torch.stack([scale * exp(0.5 * each.clamp(-MOST_LOG, MOST_LOG)) for each in logs], dim=1)


def _known(values: Tensor, exists: Tensor) -> tuple[Tensor, Tensor]:
    """The values with 0 where they are missing or do not exist, and 1 where they are known."""
    known = (~torch.isnan(values)).to(values.dtype) * exists
    return torch.where(known > 0, values, 0.0), known


def _normal(long_run: Tensor, said: NextVariance, variance: Tensor) -> Tensor:
    """The standard normal variable that stands for a variance under a forecast, (batch)."""
    share = log((variance / long_run).clamp(LEAST_SHARE, MOST_SHARE))
    return said.shape.normal(((share - said.mean) * exp(-said.log_spread)).clamp(-FARTHEST, FARTHEST))


def _minus_log_above(normal: Tensor) -> Tensor:
    """Minus the logarithm of the share of standard normal values above these, (batch)."""
    size = minus_log_erfc(torch.abs(normal).clamp(max=FARTHEST) / ROOT_2)  # of both tails
    far = size + 0.6931472
    near = -log((1.0 - 0.5 * exp(-size)).clamp(min=0.25))
    return torch.where(normal > 0.0, far, near)
