"""A recurrent reading of an account's last months, beside the ensemble over its features."""

import torch
from torch import Tensor, nn

from training.networks.piecewise import Piecewise
from training.networks.preparation import Preparation
from training.networks.tabular import TabularEnsemble


class MonthsPreparation(nn.Module):
    """Features and past steps side by side: the standardised features, then those of every step, oldest first."""

    def __init__(self, features: Preparation, steps: Preparation) -> None:
        super().__init__()
        self.own, self.steps = features, steps
        self.features = features.features

    def forward(self, features: Tensor, history: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Values and mask, (batch, width + step x step width) each; steps that do not exist are all 0.

        Args:
            features: (batch, feature); history: (batch, step, step feature); lengths: steps that exist, (batch).
        """
        standard, present = self.own(features)  # (batch, width) each
        exists = (torch.arange(history.shape[1]) < lengths[:, None]).to(features.dtype)[:, :, None]  # (batch, step, 1)
        past, seen = self.steps(history)  # (batch, step, step width) each
        return (
            torch.cat([standard, (past * exists).flatten(1)], dim=1),
            torch.cat([present, (seen * exists).flatten(1)], dim=1),
        )


class MonthsEnsemble(nn.Module):
    """Log odds by every member; the state of a gated recurrent unit (Cho et al. 2014) enters the first layer."""

    def __init__(self, ensemble: TabularEnsemble, edges: Tensor, *, width: int, hidden: int) -> None:
        """Args:
        ensemble: over `width` features and `hidden` more inputs.
        edges: of the bins of each feature of a step, (step width, bin + 1).
        """
        super().__init__()
        self.ensemble, self.encoded = ensemble, Piecewise(edges)
        self.width, self.step_width, self.hidden = width, edges.shape[0], hidden
        self.into = nn.ModuleList(nn.Linear(self.encoded.width, hidden) for _ in range(3))
        self.reset, self.update = (nn.Linear(hidden, hidden, bias=False) for _ in range(2))
        self.candidate = nn.Linear(hidden, hidden)

    def forward(self, standard: Tensor, present: Tensor) -> Tensor:
        """Log odds, (batch, member); values and mask are as `MonthsPreparation` lays them out."""
        own = self.ensemble.encoded(standard[:, : self.width], present[:, : self.width])
        state = self._read(standard[:, self.width :], present[:, self.width :])  # (batch, hidden)
        return self.ensemble.members(torch.cat([own, state], dim=1))

    def _read(self, standard: Tensor, present: Tensor) -> Tensor:
        """The state behind the last step that exists, (batch, hidden)."""
        steps = standard.shape[1] // self.step_width
        seen = present.unflatten(1, (steps, self.step_width))  # (batch, step, step width)
        values = standard.unflatten(1, (steps, self.step_width))
        exists = seen.amax(dim=2)  # (batch, step)
        given = self.encoded(values.flatten(0, 1), seen.flatten(0, 1))  # (batch x step, encoded)
        reset_in, update_in, candidate_in = (layer(given).unflatten(0, (-1, steps)) for layer in self.into)
        state = standard.new_zeros(standard.shape[0], self.hidden)
        for step in range(steps):
            reset = torch.sigmoid(reset_in[:, step] + self.reset(state))
            update = torch.sigmoid(update_in[:, step] + self.update(state)) * exists[:, step, None]
            candidate = torch.tanh(candidate_in[:, step] + reset * self.candidate(state))
            state = state + update * (candidate - state)
        return state
