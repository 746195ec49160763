"""First layer of every graph: impute, transform, standardise, clip, by constants found in training data."""

import numpy as np
import torch
from torch import Tensor, nn

from training.scaling import Scaling

WIDTH = 16
CLIP = 10.0
HUGE = 1e30


def padded(width: int) -> int:
    """The next multiple of 16: at other widths onnxruntime's products depend on the batch.

    >>> padded(46)
    48
    """
    return -(-width // WIDTH) * WIDTH


class Preparation(nn.Module):
    """Raw features to standardised ones, within ±10, with a mask of those that are present.

    A missing value becomes 0 (the usual value) with mask 0, and so does a feature training data never held.
    """

    used: Tensor
    linear: Tensor
    rate: Tensor
    logarithmic: Tensor
    offset: Tensor

    def __init__(self, scaling: Scaling) -> None:
        super().__init__()
        self.features = len(scaling.used)
        self.width = padded(self.features)
        constants = {
            "used": scaling.used,
            "linear": np.where(scaling.logged, 0.0, 1.0 / scaling.scale),
            "rate": 1.0 / scaling.unit,
            "logarithmic": np.where(scaling.logged, 1.0 / scaling.scale, 0.0),
            "offset": -scaling.centre / scaling.scale,
        }
        for name, values in constants.items():
            wide = np.zeros(self.width, np.float32)
            wide[: self.features] = values
            self.register_buffer(name, torch.from_numpy(wide))

    def forward(self, raw: Tensor) -> tuple[Tensor, Tensor]:
        """Standardised values and mask.

        Both transforms are computed for every feature and weighted by 0 or 1 over the scale: in onnxruntime
        that costs a quarter of choosing between them.

        Args:
            raw: (…, feature), NaN where missing.

        Returns:
            Two tensors (…, width): values within ±10 with 0 where missing, and 1 where present, else 0.
        """
        wide = nn.functional.pad(raw, (0, self.width - self.features))  # (…, width)
        missing = torch.isnan(wide)
        present = (~missing).to(wide.dtype) * self.used
        known = torch.where(missing, 0.0, wide).clamp(-HUGE, HUGE)
        logarithm = torch.sign(known) * torch.log(1.0 + torch.abs(known) * self.rate)
        standard = known * self.linear + logarithm * self.logarithmic + self.offset
        return standard.clamp(-CLIP, CLIP) * present, present
