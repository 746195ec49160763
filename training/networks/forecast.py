"""What the sequence models share: a forecast of the next vector as mean and log-variance per feature."""

import torch
from torch import Tensor, nn

LOG_VARIANCE = (-3.0, 6.0)  # a spread of at least 0.22: below, float32's last digit would be a surprise


class ForecastHead(nn.Module):
    """From a state to the mean and log-variance of the next vector.

    The mean starts from a learned share of the last vector: averages and volatilities hardly move from one
    event to the next, returns are nearly independent.
    """

    def __init__(self, hidden: int, width: int) -> None:
        super().__init__()
        self.width = width
        self.mean = nn.Linear(hidden, width)
        self.spread = nn.Linear(hidden, width)
        self.persistence = nn.Parameter(torch.full((width,), 0.5))

    def forward(self, state: Tensor, last: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance, (batch, width) each; state is (batch, hidden), last is (batch, feature)."""
        wide = nn.functional.pad(last, (0, self.width - last.shape[1]))  # (batch, width)
        mean = self.mean(state) + wide * self.persistence
        return mean, self.spread(state).clamp(*LOG_VARIANCE)
