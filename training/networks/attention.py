"""Self-attention over the past vectors, read at the place of the masked next one."""

import math

import torch
from torch import Tensor, nn

from training.networks.forecast import ForecastHead
from training.networks.preparation import padded

HEADS = 2
_FAR = 1e9


class AttentionForecaster(nn.Module):
    """One block of self-attention (Vaswani et al. 2017) whose query is the place of the vector to come.

    Only that place is read, so only its query is computed. A step's token is `embed(vector) + place`, but no token is
    made: all that is linear in them, keys, values and the embedding itself, is moved to the query and to the mix, where
    it acts on one vector instead of on every step. The same function, at about half the time of making the tokens.
    """

    def __init__(self, features: int, hidden: int, steps: int, dropout: float) -> None:
        """Args: features: of a past vector; hidden, steps: multiples of 16."""
        super().__init__()
        self.hidden, self.steps = hidden, steps
        self.embed = nn.Linear(2 * features, hidden)
        self.place = nn.Parameter(torch.randn(steps, hidden) * 0.1)
        self.next = nn.Parameter(torch.randn(hidden) * 0.1)
        self.query = nn.Linear(hidden, HEADS * hidden)
        self.mix = nn.Linear((1 + HEADS) * hidden, 2 * hidden)
        self.out = nn.Linear(2 * hidden, hidden)
        self.dropout = nn.Dropout(dropout)
        self.head = ForecastHead(hidden, padded(features))

    def forward(self, standard: Tensor, present: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of the next vector, both (batch, padded feature).

        Args:
            standard, present: past values and mask, (batch, step, feature), the latest step last.
            valid: 1 for steps that exist, else 0, (batch, step).
        """
        past = torch.cat([standard, present], dim=2)  # (batch, step, 2 feature)
        asked = self._last_token(past[:, -1]) + self.next  # (batch, hidden)
        match = self._match(asked, past)  # (batch, head, step)
        weight = torch.softmax(match + (valid[:, None] - 1.0) * _FAR, dim=2) * valid[:, None]
        state = asked + self.out(self.dropout(nn.functional.silu(self._mix(asked, weight, past))))  # (batch, hidden)
        mean, log_variance = self.head(state, standard[:, -1])
        return mean, log_variance

    @property
    def _places(self) -> Tensor:
        """What a token is besides its vector's share, (step, hidden)."""
        return self.place + self.embed.bias

    def _last_token(self, vector: Tensor) -> Tensor:
        """The token of the last step, (batch, hidden); vector is (batch, 2 feature)."""
        spare = padded(vector.shape[1]) - vector.shape[1]
        weight = nn.functional.pad(self.embed.weight, (0, spare))
        return nn.functional.linear(nn.functional.pad(vector, (0, spare)), weight, self._places[-1])

    def _match(self, asked: Tensor, past: Tensor) -> Tensor:
        """Query times token of every step, over the root of their width, (batch, head, step)."""
        query = self.query.weight.view(HEADS, self.hidden, self.hidden) / math.sqrt(self.hidden)
        bias = self.query.bias.view(HEADS, 1, self.hidden) / math.sqrt(self.hidden)
        embed, places = self.embed.weight, self._places  # (hidden, 2 feature), (step, hidden)
        of_vector = nn.functional.linear(
            asked, torch.matmul(embed.T, query).flatten(0, 1), torch.matmul(bias, embed).flatten()
        ).unflatten(1, (HEADS, -1))  # (batch, head, 2 feature)
        of_place = nn.functional.linear(
            asked, torch.matmul(places, query).flatten(0, 1), torch.matmul(bias, places.T).flatten()
        ).unflatten(1, (HEADS, -1))  # (batch, head, step)
        return torch.matmul(of_vector, past.transpose(1, 2)) + of_place

    def _mix(self, asked: Tensor, weight: Tensor, past: Tensor) -> Tensor:
        """The mix of the asking token and the tokens it sees, (batch, 2 hidden); weight is (batch, head, step)."""
        seen = torch.matmul(weight, past).flatten(1)  # (batch, head x 2 feature)
        of_asked = self.mix.weight[:, : self.hidden]  # (2 hidden, hidden)
        of_seen = self.mix.weight[:, self.hidden :].unflatten(1, (HEADS, self.hidden))  # (2 hidden, head, hidden)
        of_vector = torch.matmul(of_seen, self.embed.weight).flatten(1)  # (2 hidden, head x 2 feature)
        of_place = torch.matmul(of_seen, self._places.T).flatten(1)  # (2 hidden, head x step)
        given = torch.cat([asked, seen, weight.flatten(1)], dim=1)
        return nn.functional.linear(given, torch.cat([of_asked, of_vector, of_place], dim=1), self.mix.bias)
