"""A recurrent forecast of the next vector from the vectors before it."""

import torch
from torch import Tensor, nn

from training.networks.forecast import ForecastHead
from training.networks.preparation import padded


class GruForecaster(nn.Module):
    """A gated recurrent unit over past vectors (Cho et al. 2014), with a forecast head on its last state.

    Its steps are written out: of 16 steps onnxruntime's operator `GRU` takes twice as long.
    """

    def __init__(self, features: int, hidden: int, dropout: float) -> None:
        """Args: features: of a past vector; hidden: of the state, a multiple of 16."""
        super().__init__()
        self.hidden = hidden
        self.reset_in, self.reset = nn.Linear(2 * features, hidden), nn.Linear(hidden, hidden, bias=False)
        self.update_in, self.update = nn.Linear(2 * features, hidden), nn.Linear(hidden, hidden, bias=False)
        self.candidate_in, self.candidate = nn.Linear(2 * features, hidden), nn.Linear(hidden, hidden)
        self.dropout = nn.Dropout(dropout)
        self.head = ForecastHead(hidden, padded(features))

    def forward(self, standard: Tensor, present: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of the next vector, both (batch, padded feature).

        Args:
            standard, present: past values and mask, (batch, step, feature), the latest step last; steps before
                the entity's first event are all 0.
            valid: 1 for steps that exist, (batch, step); here the masks say the same.
        """
        steps = standard.shape[1]
        past = torch.cat([standard, present], dim=2).flatten(0, 1)  # (batch x step, 2 feature)
        reset_in, update_in, candidate_in = (
            layer(past).unflatten(0, (-1, steps)) for layer in (self.reset_in, self.update_in, self.candidate_in)
        )  # (batch, step, hidden)
        state = standard.new_zeros(standard.shape[0], self.hidden)  # (batch, hidden)
        for step in range(steps):
            reset = torch.sigmoid(torch.addmm(reset_in[:, step], state, self.reset.weight.T))
            update = torch.sigmoid(torch.addmm(update_in[:, step], state, self.update.weight.T))
            candidate = torch.tanh(candidate_in[:, step] + reset * self.candidate(state))
            state = candidate + update * (state - candidate)
        mean, log_variance = self.head(self.dropout(state), standard[:, -1])
        return mean, log_variance
