"""Last layer of every surprise model: the total surprise to one minus its p-value, by knots and a tail."""

import torch
from torch import Tensor, nn

KNOTS = 32


class Calibration(nn.Module):
    """A rising broken line from the total surprise to minus log p, straight beyond the last knot.

    The line is a sum of clipped ramps with slopes of at least 0: rounding cannot make it fall, so a larger
    surprise never scores less.
    """

    knots: Tensor
    spans: Tensor
    slopes: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("knots", torch.zeros(KNOTS))
        self.register_buffer("spans", torch.ones(KNOTS))
        self.register_buffer("slopes", torch.zeros(KNOTS))

    def minus_log_p(self, total: Tensor) -> Tensor:
        """Minus the natural logarithm of the p-value, (batch); total is (batch)."""
        ramps = torch.minimum((total[:, None] - self.knots).clamp(min=0.0), self.spans)  # (batch, knot)
        return (ramps * self.slopes).sum(dim=1)  # (batch)

    def forward(self, total: Tensor) -> Tensor:
        """One minus the p-value, in [0, 1], (batch); total is (batch)."""
        return (1.0 - torch.exp(-self.minus_log_p(total))).clamp(0.0, 1.0)
