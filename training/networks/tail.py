"""How surprising a standardised error is: minus the logarithm of its tail probability, per feature."""

import torch
from torch import Tensor, nn

MOST_NATS = 20.0


class TailSurprise(nn.Module):
    """Errors to nats by the survival function of the generalised Pareto distribution, fitted per feature.

    `nats = log(1 + shape · error / width) / shape`: exponential tails for a small shape, heavy ones for a
    large one. Source: Pickands 1975, "Statistical inference using extreme order statistics".
    """

    lower: Tensor
    rate: Tensor
    inverse_shape: Tensor

    def __init__(self, upper: Tensor) -> None:
        """Args: upper: bool (width), features of which only errors above 0 count."""
        super().__init__()
        self.register_buffer("lower", torch.where(upper, 0.0, -1.0))
        self.register_buffer("rate", torch.zeros(len(upper)))
        self.register_buffer("inverse_shape", torch.ones(len(upper)))

    def magnitude(self, error: Tensor) -> Tensor:
        """The size of the error on the sides that count, at least 0; error (batch, width)."""
        return torch.maximum(error, error * self.lower)

    def forward(self, error: Tensor, present: Tensor) -> Tensor:
        """Nats within [0, 20], 0 where missing; error and present are (batch, width)."""
        nats = torch.log(1.0 + self.magnitude(error) * self.rate) * self.inverse_shape
        return nats.clamp(max=MOST_NATS) * present
