"""Self-attention over the past vectors, read at the place of the masked next one."""

import math

import torch
from torch import Tensor, nn

from training.networks.forecast import ForecastHead

HEADS = 2
_FAR = 1e9


class AttentionForecaster(nn.Module):
    """One block of self-attention (Vaswani et al. 2017) whose query is the place of the vector to come.

    Only that place is read, so only its query is computed. The products with key and value matrices are moved
    to
    the query and to the mix, where they act on one vector instead of on every step: the same function, a
        third
    of the cost.
    """

    def __init__(self, width: int, hidden: int, steps: int, dropout: float) -> None:
        """Args: width: of the padded vector; hidden, steps: multiples of 16."""
        super().__init__()
        self.hidden = hidden
        self.embed = nn.Linear(2 * width, hidden)
        self.place = nn.Parameter(torch.randn(steps, hidden) * 0.1)
        self.next = nn.Parameter(torch.randn(hidden) * 0.1)
        self.query = nn.Linear(hidden, HEADS * hidden)
        self.mix = nn.Sequential(
            nn.Linear((1 + HEADS) * hidden, 2 * hidden), nn.SiLU(), nn.Linear(2 * hidden, hidden)
        )
        self.dropout = nn.Dropout(dropout)
        self.head = ForecastHead(hidden, width)

    def forward(self, standard: Tensor, present: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of the next vector, both (batch, width).

        Args:
            standard, present: past values and mask, (batch, step, width), the latest step last.
            valid: 1 for steps that exist, else 0, (batch, step).
        """
        token = self.embed(torch.cat([standard, present], dim=2)) + self.place  # (batch, step, hidden)
        asked = token[:, -1] + self.next  # (batch, hidden)
        query = self.query(asked).reshape(-1, HEADS, self.hidden)  # (batch, head, hidden)
        match = torch.matmul(query, token.transpose(1, 2)) / math.sqrt(self.hidden)  # (batch, head, step)
        weight = torch.softmax(match + (valid[:, None] - 1.0) * _FAR, dim=2) * valid[:, None]
        seen = torch.matmul(weight, token).reshape(-1, HEADS * self.hidden)  # (batch, head x hidden)
        state = asked + self.mix(self.dropout(torch.cat([asked, seen], dim=1)))  # (batch, hidden)
        mean, log_variance = self.head(state, standard[:, -1])
        return mean, log_variance
