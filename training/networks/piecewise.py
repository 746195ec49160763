"""A value by its place between quantiles: a broken line with a bend at each, so that a layer tells what happens where."""

import torch
from torch import Tensor, nn


class Piecewise(nn.Module):
    """Of each value, besides itself and its mask, how far it is through each bin of training data: 0, 1 or between.

    Source: Gorishniy, Rubachev, Babenko 2022, "On embeddings for numerical features" (piecewise linear encoding).
    """

    left: Tensor
    rate: Tensor

    def __init__(self, edges: Tensor) -> None:
        """Args: edges: rising places of the bends of each feature, (width, bin + 1); equal ones make an empty bin."""
        super().__init__()
        spans = edges[:, 1:] - edges[:, :-1]  # (width, bin)
        self.register_buffer("left", edges[:, :-1].clone())
        self.register_buffer("rate", torch.where(spans > 0, 1.0 / spans.clamp(min=1e-6), 0.0))
        self.width: int = spans.shape[0] * (spans.shape[1] + 2)

    def forward(self, standard: Tensor, present: Tensor) -> Tensor:
        """(batch, width x (bin + 2)) from values and mask, (batch, width) each."""
        places = ((standard[:, :, None] - self.left) * self.rate).clamp(0.0, 1.0) * present[:, :, None]
        return torch.cat([places.flatten(1), standard, present], dim=1)
