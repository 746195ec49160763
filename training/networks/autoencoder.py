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

    def first(self, standard: Tensor, present: Tensor) -> Tensor:
        """What the first layer makes of values and mask, (batch, hidden)."""
        return self.layers[0](torch.cat([standard, present], dim=1))

    def moved(self, standard: Tensor) -> Tensor:
        """By how much such changes of the values move it, (…, hidden); it is linear, so nothing else counts."""
        return nn.functional.linear(standard, self.layers[0].weight[:, : standard.shape[-1]])

    def rest(self, first: Tensor) -> Tensor:
        """The rebuilt vector, (batch, width), of what the first layer made."""
        return self.layers[1:](first)
