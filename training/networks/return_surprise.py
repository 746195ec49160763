"""The whole model over `history` and `lengths` of bars: yesterday's forecast of a return, and its surprise."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from training.networks.ablation import Ablation
from training.networks.johnson import ROOT_2, Johnson
from training.networks.return_forecast import ReturnForecaster
from training.networks.sequence_surprise import steps_at
from training.networks.wide import erf, exp, minus_log_erfc

MOST_RETURN = 10.0
MOST_STANDARD = 30.0
FARTHEST = 1e4
LEAST_SPREAD, MOST_SPREAD = 1e-7, 1.0
PRIOR_RETURNS = 2.0
PERCENT = 100.0
LEVELS = (0.95, 0.99)


class Forecast(NamedTuple):
    """Of the next log return: unit (long-run volatility), location and log variance in it, shape; (batch) each."""

    unit: Tensor
    location: Tensor
    log_variance: Tensor
    shape: Johnson


class ReturnSurprise(nn.Module):
    """Forecasts twice: from the bars before the last one, to score that one, and from all, to say what comes next."""

    inputs = ("history", "lengths")
    behind: Tensor
    inside: Tensor
    usual: Tensor
    beyond: Tensor

    def __init__(
        self, network: ReturnForecaster, ablation: Ablation, *, past_steps: int, of_return: int, of_spread: int,
        feature: int, features: int,
    ) -> None:  # fmt: skip
        """The model around a forecaster.

        Args:
            ablation: over the log return alone: nothing else of a bar is in its score.
            past_steps: of the forecaster; it is shown one less, so that both forecasts see equally many.
            of_return, of_spread: columns of the history with the log return and its long-run standard deviation.
            feature, features: place of the log return in the vector, and how wide that is, for contributions.
        """
        super().__init__()
        self.network = network
        self.ablation = ablation
        self.of_return, self.of_spread = of_return, of_spread
        self.feature, self.features = feature, features
        self.register_buffer("behind", torch.arange(-past_steps, 0))
        self.register_buffer("inside", (torch.arange(past_steps) > 0).float())
        self.register_buffer("usual", torch.tensor(0.02))
        self.register_buffer("beyond", torch.ones(2))  # of shortfalls at 95 and 99 %, decision 32

    def past(self, history: Tensor, lengths: Tensor, before: int) -> tuple[Tensor, Tensor, Tensor]:
        """Standardised returns and which are known, (batch, step), and their unit, (batch).

        Args:
            history: (batch, step, feature), valid steps first.
            lengths: int32 (batch), valid steps.
            before: 1 for the steps before the last one, 0 for all.
        """
        end = lengths.to(torch.int64) - before  # (batch), the step behind the past
        index = end[:, None] + self.behind  # (batch, past)
        raw = steps_at(history, index)  # (batch, past, feature)
        returns = raw[:, :, self.of_return]
        valid = (~torch.isnan(returns)).to(raw.dtype) * (index >= 0).to(raw.dtype) * self.inside
        returns = torch.where(valid > 0, returns, 0.0).clamp(-MOST_RETURN, MOST_RETURN)
        spread = raw[:, -1, self.of_spread]
        known = (~torch.isnan(spread)).to(raw.dtype) * (end > 0).to(raw.dtype)
        spread = torch.where(known > 0, spread, 0.0).clamp(0.0, MOST_SPREAD)
        count = valid.sum(dim=1) * known  # (batch)
        variance = (PRIOR_RETURNS * self.usual * self.usual + count * spread * spread) / (PRIOR_RETURNS + count)
        unit = torch.sqrt(variance).clamp(min=LEAST_SPREAD)
        return (returns / unit[:, None]).clamp(-MOST_STANDARD, MOST_STANDARD), valid, unit

    def own(self, history: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """The last log return, 0 where there is none, and whether there is one, (batch) each."""
        value = steps_at(history, lengths.to(torch.int64) - 1)[:, self.of_return]
        there = (~torch.isnan(value)).to(history.dtype) * (lengths > 0).to(history.dtype)
        return torch.where(there > 0, value, 0.0).clamp(-MOST_RETURN, MOST_RETURN), there

    def forecast(self, history: Tensor, lengths: Tensor, before: int) -> Forecast:
        """What is said of the return behind these steps."""
        past, valid, unit = self.past(history, lengths, before)
        location, log_variance, shape = self.network(past, valid)
        return Forecast(unit, location, log_variance, shape)

    def normal(self, history: Tensor, lengths: Tensor) -> Tensor:
        """The standard normal variable that stands for the last return under yesterday's forecast, (batch).

        Without a return, or before two of them, it is 0: nothing surprises.
        """
        value, there = self.own(history, lengths)
        return _normal(self.forecast(history, lengths, 1), value) * there

    def forward(self, history: Tensor, lengths: Tensor) -> Tensor:
        """One minus the two-sided p-value of the last return, (batch)."""
        return erf(torch.abs(self.normal(history, lengths)) / ROOT_2).clamp(0.0, 1.0)

    def contributions(self, history: Tensor, lengths: Tensor) -> Tensor:
        """Shares of minus log p, (batch, feature): the return's is all that the score has over that of a usual return."""
        value, there = self.own(history, lengths)
        forecast = self.forecast(history, lengths, 1)
        times = self.ablation.kept.shape[0]
        returns = self.ablation.variants(value[:, None])[:, 0]  # (batch x variant)
        unit, location, log_variance, skew, peak, exists = (
            each[:, None].expand(-1, times).flatten()
            for each in (*forecast[:3], forecast.shape.skew, forecast.shape.peak, there)
        )
        normal = _normal(Forecast(unit, location, log_variance, Johnson(skew, peak)), returns) * exists
        nats = minus_log_erfc(torch.abs(normal) / ROOT_2)  # (batch x variant)
        share = self.ablation.contributions(nats, torch.ones_like(value)[:, None], there[:, None])  # (batch, 1)
        return nn.functional.pad(share, (self.feature, self.features - self.feature - 1))

    def outputs(self, history: Tensor, lengths: Tensor) -> Tensor:
        """Of the next log return in percent: volatility, value at risk and shortfall at 95 and 99 %, (batch, 5).

        Losses are below 0; of the last three numbers each is at most the one before it but one.
        """
        unit, location, log_variance, shape = self.forecast(history, lengths, 0)
        scale = exp(0.5 * log_variance)
        below = [shape.mean_below(level) * self.beyond[place] for place, level in enumerate(LEVELS)]
        parts = [*map(shape.quantile, LEVELS), *below]
        said = [scale, *(location + scale * part for part in parts)]
        return torch.stack(said, dim=1) * (PERCENT * unit)[:, None]


def _normal(forecast: Forecast, value: Tensor) -> Tensor:
    """The standard normal variable that stands for a log return under a forecast, (batch)."""
    apart = (value / forecast.unit - forecast.location) * exp(-0.5 * forecast.log_variance)
    return forecast.shape.normal(apart.clamp(-FARTHEST, FARTHEST))
