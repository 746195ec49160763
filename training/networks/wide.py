"""Functions of one number per row that do not depend on the batch.

onnxruntime computes the last few values of a tensor by another routine than the others, to a last digit of its own; so
a number per row is repeated 16 times, which leaves no last few, and one of them is kept.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

WIDTH = 16
_ERFC = (
    0.17087277, -0.82215223, 1.48851587, -1.13520398, 0.27886807, -0.18628806, 0.09678418, 0.37409196, 1.00002368,
    -1.26551223,
)  # fmt: skip


def log(value: Tensor) -> Tensor:
    """The natural logarithm, (batch)."""
    return _widely(torch.log, value)


def exp(value: Tensor) -> Tensor:
    """The exponential, (batch)."""
    return _widely(torch.exp, value)


def erf(value: Tensor) -> Tensor:
    """The error function, (batch)."""
    return _widely(torch.erf, value)


def softplus(value: Tensor) -> Tensor:
    """The logarithm of one plus the exponential, (batch)."""
    return _widely(nn.functional.softplus, value)


def minus_log_erfc(value: Tensor) -> Tensor:
    """Minus the logarithm of one minus the error function, of values of at least 0, (batch); exact far out too.

    Source: Press, Teukolsky, Vetterling, Flannery, "Numerical Recipes", 6.2; fractional error below 1.2e-7.
    """
    part = 1.0 / (1.0 + 0.5 * value)
    inner = torch.full_like(part, _ERFC[0])
    for coefficient in _ERFC[1:]:
        inner = inner * part + coefficient
    return (value * value - inner - log(part)).clamp(min=0.0)


def _widely(function: Callable[[Tensor], Tensor], value: Tensor) -> Tensor:
    found: Tensor = function(value[:, None] + value.new_zeros(WIDTH))[:, 0]
    return found
