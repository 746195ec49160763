"""Puts the surprises of the features together, so that one clear anomaly is not averaged away."""

import torch
from torch import Tensor

POWER = 3
_LEAST = 1e-6  # a cube; features of a hundredth of a nat together, far below anything usual


def total_surprise(nats: Tensor) -> tuple[Tensor, Tensor]:
    """The 3-norm over the features, and each feature's share in it.

    Between the sum, which many slightly unusual features dominate, and the maximum, which sees only one: on
    labelled card payments the powers 2 and 3 found most frauds among few alerts.

    Args:
        nats: surprise per feature, at least 0, (batch, width).

    Returns:
        The total, (batch), and shares that sum to 1 (or are all 0 without surprise), (batch, width).
    """
    cubes = nats * nats * nats  # (batch, width)
    together = cubes.sum(dim=1).clamp(min=_LEAST)  # (batch)
    return torch.pow(together, 1.0 / POWER), cubes / together[:, None]
