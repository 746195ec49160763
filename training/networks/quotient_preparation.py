"""First layer of a graph that also reads quotients of features: the standardised row, ratios of its values beside."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from training.networks.preparation import CLIP, HUGE, Preparation
from training.quotients import quotients

LEAST_UNIT = 1e-4
"""Of a quotient's unit, as a share of its usual value: differences below that are rounding."""


class QuotientPreparation(nn.Module):
    """Raw features to standardised ones and standardised quotients of pairs of them, with a mask of what is present.

    A quotient is a signed logarithm of how far it is from its usual one, in units of the nearer quarter of such
    distances: what is close to usual is told apart finely, and a denominator near 0 does no harm. The usual one is taken
    off before anything else, so that no digits are lost.
    """

    first: Tensor
    second: Tensor
    centre: Tensor
    rate: Tensor
    scale: Tensor

    def __init__(self, own: Preparation, pairs: NDArray[np.int64], vectors: NDArray[np.float32]) -> None:
        """Args:
        own: of the features.
        pairs: numbers of features, a multiple of 16 of them, int64[pair, 2].
        vectors: raw training rows, float32[n, F].
        """
        super().__init__()
        self.own, self.features = own, own.features
        constants = [_fit_one(column[~np.isnan(column)]) for column in quotients(vectors, pairs).T]
        centre, rate, scale = (torch.tensor(each, dtype=torch.float32) for each in zip(*constants, strict=True))
        self.register_buffer("first", torch.from_numpy(pairs[:, 0].copy()))
        self.register_buffer("second", torch.from_numpy(pairs[:, 1].copy()))
        self.register_buffer("centre", centre)
        self.register_buffer("rate", rate)
        self.register_buffer("scale", scale)

    def forward(self, raw: Tensor) -> tuple[Tensor, Tensor]:
        """Values within ±10 with 0 where missing, and the mask, (batch, width + pair) each; raw is (batch, feature)."""
        standard, present = self.own(raw)  # (batch, width) each
        given = raw[:, self.first] / raw[:, self.second]  # (batch, pair)
        known = given.abs() < HUGE  # not where it is NaN
        apart = torch.where(known, given, self.centre) - self.centre
        far = torch.sign(apart) * torch.log(1.0 + apart.abs() * self.rate) * self.scale
        return (
            torch.cat([standard, far.clamp(-CLIP, CLIP)], dim=1),
            torch.cat([present, known.to(standard.dtype)], dim=1),
        )


def _fit_one(known: NDArray[np.float32]) -> tuple[float, float, float]:
    """Centre, one over the unit, and one over the spread of the logarithm."""
    if not len(known):
        return 0.0, 1.0, 1.0
    centre = float(np.median(known))
    apart = np.abs(known.astype(np.float64) - centre)
    unit = float(np.quantile(apart[apart > 0], 0.25)) if (apart > 0).any() else 1.0
    unit = max(unit, LEAST_UNIT * abs(centre), 1e-9)
    return centre, 1.0 / unit, 1.0 / max(float(np.sqrt(np.mean(np.log1p(apart / unit) ** 2))), 0.1)
