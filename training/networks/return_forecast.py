"""What the next return may be, from a convolution of the past ones: location, volatility and shape."""

import math

import torch
from torch import Tensor, nn

from training.networks.johnson import Johnson
from training.networks.wide import log, softplus

KERNELS = 16
HEAVIEST, FARTHEST_SKEW = 1.05, 1.5
_HALF_LIVES = torch.logspace(math.log10(0.7), math.log10(90.0), KERNELS)
_LEAST = 1e-4


class ReturnForecaster(nn.Module):
    """A convolution over past returns with kernels as long as the past, then a variance and what corrects it.

    Returns come in units of their long-run volatility. The kernels fall exponentially at learned rates, over squares,
    squares of falls and returns; so a sum of them with weights of at least 0 is a GJR-GARCH model written as its
    infinite sum (Glosten, Jagannathan, Runkle 1993), and several rates make it one of long memory (Corsi 2009). A small
    network on the logarithms of all sums corrects location, logarithm of variance and shape; it starts at no
    correction.
    """

    decay: nn.Parameter
    start: Tensor
    steps: Tensor

    def __init__(self, past_steps: int, hidden: int, dropout: float) -> None:
        """Args: past_steps: of the past; hidden: of the correcting network; both multiples of 16."""
        super().__init__()
        rate = torch.exp(-math.log(2.0) / _HALF_LIVES)
        self.decay = nn.Parameter(torch.log(rate / (1.0 - rate)))
        self.register_buffer("steps", torch.arange(past_steps - 1, -1, -1).float())
        self.squares = nn.Parameter(torch.full((KERNELS,), -4.0))
        self.falls = nn.Parameter(torch.full((KERNELS,), -4.0))
        self.base = nn.Parameter(torch.tensor(-3.0))
        self.inner = nn.Linear(4 * KERNELS, hidden)
        self.dropout = nn.Dropout(dropout)
        self.outer = nn.Linear(hidden, 16)  # four of them are used: the width is padded
        nn.init.zeros_(self.outer.weight)
        nn.init.zeros_(self.outer.bias)
        self.location = nn.Parameter(torch.tensor(0.0))
        start = torch.zeros(16)
        start[2], start[3] = 0.05, 0.4  # of skew and peak
        self.register_buffer("start", start)

    def forward(self, past: Tensor, valid: Tensor) -> tuple[Tensor, Tensor, Johnson]:
        """Location and logarithm of the variance of the next return, (batch) each, and its shape.

        Args:
            past: returns in units of the long-run volatility, 0 where missing, (batch, step), the latest last.
            valid: 1 where there is a return, (batch, step).
        """
        rate = torch.sigmoid(self.decay)  # (kernel)
        kernel = (1.0 - rate) * rate ** self.steps[:, None]  # (step, kernel)
        squares = past * past
        falls = squares * (past < 0.0).to(past.dtype)
        unknown = 1.0 - valid @ kernel  # (batch, kernel): for what is not known the long run stands
        ups = squares @ kernel + unknown
        downs = falls @ kernel + 0.5 * unknown
        trend = past @ kernel  # (batch, kernel)
        size = torch.abs(past) @ kernel + 0.8 * unknown
        weighed = ups * nn.functional.softplus(self.squares) + downs * nn.functional.softplus(self.falls)
        variance = weighed.sum(dim=1) + nn.functional.softplus(self.base)  # (batch)
        seen = [torch.log(ups + _LEAST), torch.log(downs + _LEAST), trend, torch.log(size + _LEAST)]
        hidden = self.dropout(torch.tanh(self.inner(torch.cat(seen, dim=1))))  # (batch, hidden)
        correction = self.outer(hidden) + self.start  # (batch, 16)
        bounded = torch.tanh(correction)  # (batch, 16)
        location = self.location + 0.2 * bounded[:, 0]
        log_variance = log(variance) + 1.5 * bounded[:, 1]
        skew = FARTHEST_SKEW * bounded[:, 2]
        peak = HEAVIEST + softplus(correction[:, 3])
        return location, log_variance, Johnson(skew, peak)
