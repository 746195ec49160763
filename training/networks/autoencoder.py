"""Rebuilds a feature vector from a narrow code: what does not fit the usual combinations is rebuilt badly."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn


class Autoencoder(nn.Module):
    """Encoder and decoder over standardised features and their mask.

    Trained with values hidden at random, so that it also learns to tell a feature from the others.
    Source: Vincent, Larochelle, Bengio, Manzagol 2008, "Extracting and composing robust features".
    """

    def __init__(self, width: int, hidden: Sequence[int], dropout: float) -> None:
        """Args: width: of the padded vector; hidden: widths down to the bottleneck; multiples of 16."""
        super().__init__()
        down = [2 * width, *hidden]
        up = [*reversed(hidden), width]
        layers: list[nn.Module] = []
        for come, go in pairwise(down):
            layers += [nn.Linear(come, go), nn.SiLU(), nn.Dropout(dropout)]
        for come, go in pairwise(up):
            layers += [nn.Linear(come, go), nn.SiLU()]
        self.layers = nn.Sequential(*layers[:-1])

    def forward(self, standard: Tensor, present: Tensor) -> Tensor:
        """The rebuilt vector (batch, width) from values and mask, both (batch, width)."""
        return self.layers(torch.cat([standard, present], dim=1))
