"""What an autoencoder makes of a row, beside the row: for networks that learn from labels."""

import torch
from torch import Tensor, nn

from training.networks.autoencoder import Autoencoder
from training.networks.preparation import WIDTH, Preparation

LEAST_ERROR = 1e-3


class ErrorAware(nn.Module):
    """A preparation that adds how badly an autoencoder, trained without labels, rebuilds the row.

    Beside the row stand the logarithms of its mean squared error and of its largest one: a row that usual payments do
    not explain, whatever the labels have shown so far.
    """

    def __init__(self, preparation: Preparation, autoencoder: Autoencoder) -> None:
        """Args: autoencoder: trained behind this preparation; it stays as it is."""
        super().__init__()
        self.preparation = preparation
        self.autoencoder = autoencoder.requires_grad_(False)
        self.features = preparation.features

    def forward(self, raw: Tensor) -> tuple[Tensor, Tensor]:
        """Values and mask, (batch, width + 16) each, two of the last 16 columns are errors; raw is (batch, feature)."""
        standard, present = self.preparation(raw)  # (batch, width) each
        squared = ((standard - self.autoencoder(standard, present)) * present).square()  # (batch, width)
        mean = squared.sum(dim=1) / present.sum(dim=1).clamp(min=1.0)
        both = torch.stack([mean, squared.amax(dim=1)], dim=1) + LEAST_ERROR  # (batch, 2)
        # onnxruntime's logarithm of a tensor's last values depends on how many there are: a multiple of 16 a row
        errors = torch.log(nn.functional.pad(both, (0, WIDTH - 2), value=1.0))  # (batch, 16)
        there = nn.functional.pad(torch.ones_like(both), (0, WIDTH - 2))  # (batch, 16)
        return torch.cat([standard, errors], dim=1), torch.cat([present, there], dim=1)
