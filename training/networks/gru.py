"""A recurrent forecast of the next vector from the vectors before it."""

import torch
from torch import Tensor, nn

from training.networks.forecast import ForecastHead


class GruForecaster(nn.Module):
    """A gated recurrent unit over past vectors (Cho et al. 2014), with a forecast head on its last state."""

    def __init__(self, width: int, hidden: int, dropout: float) -> None:
        """Args: width: of the padded vector; hidden: of the state; both multiples of 16."""
        super().__init__()
        self.recurrent = nn.GRU(2 * width, hidden, batch_first=True)
        self.dropout = nn.Dropout(dropout)
        self.head = ForecastHead(hidden, width)

    def forward(self, standard: Tensor, present: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of the next vector, both (batch, width).

        Args:
            standard, present: past values and mask, (batch, step, width), the latest step last; steps before
                the entity's first event are all 0.
            valid: 1 for steps that exist, (batch, step); here the masks say the same.
        """
        past = torch.cat([standard, present], dim=2)  # (batch, step, 2 width)
        _, state = self.recurrent(past)  # (1, batch, hidden)
        mean, log_variance = self.head(self.dropout(state[0]), standard[:, -1])
        return mean, log_variance
