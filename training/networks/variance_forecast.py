"""What the next realised variance may be, from those before it: a log-HAR model, and a network that corrects it."""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from training.networks.johnson import Johnson
from training.networks.wide import exp, softplus

KERNELS = 16
SPANS = (1, 5, 22)
CLOCKS = 4
FARTHEST_SKEW, HEAVIEST = 1.5, 1.05
_HALF_LIVES = torch.logspace(math.log10(0.5), math.log10(60.0), KERNELS)


class NextVariance(NamedTuple):
    """Of the logarithm of the next variance over the long run's: mean, log spread, shape; (batch) each.

    Attributes:
        lift: logarithm of the mean variance over the long run's, less `mean`.
    """

    mean: Tensor
    log_spread: Tensor
    lift: Tensor
    shape: Johnson


class VarianceForecaster(nn.Module):
    """Means of past log variances over 1, 5 and 22 steps in a linear model, corrected by a small network.

    The linear part is the heterogeneous autoregressive model of Corsi 2009 in logarithms. The network sees averages whose
    weights fall exponentially at learned rates, of log variances and of falls of the price, and the clock; it starts at
    no correction.
    """

    spans: Tensor
    steps: Tensor

    def __init__(self, past_steps: int, hidden: int, dropout: float) -> None:
        """Args: past_steps: of the past; hidden: of the correcting network; both multiples of 16."""
        super().__init__()
        spans = torch.zeros(past_steps, 16)  # three of the columns are used: the width is padded
        for place, span in enumerate(SPANS):
            spans[-span:, place] = 1.0 / span
        self.register_buffer("spans", spans)
        self.register_buffer("steps", torch.arange(past_steps - 1, -1, -1).float())
        rate = torch.exp(-math.log(2.0) / _HALF_LIVES)
        self.decay = nn.Parameter(torch.log(rate / (1.0 - rate)))
        self.linear = nn.Parameter(torch.zeros(16))
        self.level = nn.Parameter(torch.tensor(0.0))
        self.log_spread = nn.Parameter(torch.tensor(-0.5))
        self.lift = nn.Parameter(torch.tensor(0.0))
        self.skew = nn.Parameter(torch.tensor(0.0))
        self.peak = nn.Parameter(torch.tensor(2.0))
        self.inner = nn.Linear(16 + 2 * KERNELS + 16, hidden)
        self.dropout = nn.Dropout(dropout)
        self.outer = nn.Linear(hidden, 16)  # two of them are used
        nn.init.zeros_(self.outer.weight)
        nn.init.zeros_(self.outer.bias)

    def lags(self, past: Tensor) -> Tensor:
        """Means over the last 1, 5 and 22 steps, (batch, 16) with 0 in the rest."""
        return past @ self.spans

    def forward(self, past: Tensor, falls: Tensor, clock: Tensor) -> NextVariance:
        """The forecast.

        Args:
            past: log variances over the long run's, 0 where missing, (batch, step), the latest last.
            falls: sizes of negative returns over the long run's standard deviation, (batch, step).
            clock: hour and weekday of the last step on the circle, (batch, 16) with 0 behind the fourth.
        """
        rate = torch.sigmoid(self.decay)  # (kernel)
        kernel = (1.0 - rate) * rate ** self.steps[:, None]  # (step, kernel)
        lags = self.lags(past)  # (batch, 16)
        seen = torch.cat([lags, past @ kernel, falls @ kernel, clock], dim=1)  # (batch, 64)
        hidden = self.dropout(torch.tanh(self.inner(seen)))  # (batch, hidden)
        correction = torch.tanh(self.outer(hidden))  # (batch, 16)
        mean = (lags * self.linear).sum(dim=1) + self.level + correction[:, 0]
        log_spread = self.log_spread + correction[:, 1]
        spread = exp(log_spread)
        nothing = torch.zeros_like(mean)
        shape = Johnson(FARTHEST_SKEW * torch.tanh(self.skew) + nothing, HEAVIEST + softplus(self.peak + nothing))
        return NextVariance(mean, log_spread, self.lift + 0.5 * spread * spread, shape)
