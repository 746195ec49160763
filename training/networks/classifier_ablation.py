"""Explains the log odds of a classifier that is no torch module: which rows it is asked about, and what they say."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from training.groups import filled_up
from training.networks import wide
from training.networks.ablation import Ablation

MOST_ODDS = 15.0
"""Beyond it one minus the score has no digits in float32."""


class ClassifierAblation(nn.Module):
    """The ablation of decision 28 in two halves, with the classifier's own graph between them.

    It is also asked about the row with each feature alone made usual: a tree moves in steps, so how far a feature is from
    usual says little about what it moves (decision 38).
    """

    def __init__(self, groups: Sequence[NDArray[np.int64]], usual: NDArray[np.float32]) -> None:
        """Args: groups, usual: as of `Ablation`."""
        super().__init__()
        self.ablation = Ablation(filled_up(groups), usual, singly=True)
        self.variants: int = self.ablation.kept.shape[0]
        self.features: int = len(usual)

    def asked(self, raw: Tensor) -> Tensor:
        """The rows to ask about, (batch x variant, feature); raw is (batch, feature)."""
        return self.ablation.variants(raw)

    def contributions(self, odds: Tensor, raw: Tensor) -> Tensor:
        """Shares of minus log(1 - score), (batch, feature); odds are (batch, variant), raw is (batch, feature)."""
        grouped, single = odds.split([self.variants - self.features, self.features], dim=1)
        bounded = grouped.clamp(-MOST_ODDS, MOST_ODDS).flatten()  # (batch x variant)
        there = (~torch.isnan(raw)).to(odds.dtype)
        return self.ablation.contributions_singly(
            wide.log(1.0 + wide.exp(bounded)), odds[:, :1] - single, there
        )
