"""Networks over a table's columns that are also told how badly an autoencoder rebuilds the row."""

import torch
from torch import Tensor, nn

from training.networks.autoencoder import Autoencoder
from training.networks.preparation import WIDTH
from training.networks.tabular import TabularEnsemble

LEAST_ERROR = 1e-3


class ErrorAware(nn.Module):
    """Log odds of label 1 by every member, from the row and from what an autoencoder trained without labels makes of it.

    Beside the row stand the logarithms of its mean squared error and of its largest one: a row that usual payments do
    not explain, whatever the labels have shown so far.
    """

    def __init__(self, autoencoder: Autoencoder, ensemble: TabularEnsemble | None = None) -> None:
        """Args: ensemble: over the width of the row and 16 more; may come later, when the errors are known."""
        super().__init__()
        self.autoencoder = autoencoder
        self.ensemble = ensemble

    def widened(self, standard: Tensor, present: Tensor) -> tuple[Tensor, Tensor]:
        """Values and mask with 16 columns more, of which two hold errors; both (batch, width) and (batch, width + 16)."""
        squared = ((standard - self.autoencoder(standard, present)) * present).square()  # (batch, width)
        mean = squared.sum(dim=1) / present.sum(dim=1).clamp(min=1.0)
        both = torch.stack([mean, squared.amax(dim=1)], dim=1) + LEAST_ERROR  # (batch, 2)
        # onnxruntime's logarithm of a tensor's last values depends on how many there are: a multiple of 16 a row
        errors = torch.log(nn.functional.pad(both, (0, WIDTH - 2), value=1.0))  # (batch, 16)
        there = nn.functional.pad(torch.ones_like(both), (0, WIDTH - 2))  # (batch, 16)
        return torch.cat([standard, errors], dim=1), torch.cat([present, there], dim=1)

    def forward(self, standard: Tensor, present: Tensor) -> Tensor:
        """Log odds, (batch, member); values and mask are (batch, width) each."""
        assert self.ensemble is not None
        odds: Tensor = self.ensemble(*self.widened(standard, present))
        return odds
