"""The first layer for the many vectors of a history: what `Preparation` does, laid out as onnxruntime is fast at."""

import torch
from torch import Tensor, nn

from training.networks.preparation import CLIP, HUGE, Preparation


class StepPreparation(nn.Module):
    """Raw steps to standardised ones, within ±10, with a mask of those that are present; the values of `Preparation`.

    The features of all steps lie side by side, so that a constant per feature is added or multiplied in runs of
    `steps * feature` values: in runs of 16 it took onnxruntime four times as long. A sign is a product that is
    clipped, which takes a quarter of the operator `Sign`. Nothing is padded: what may depend on the batch is the
    logarithm of the last values of a tensor, and a multiple of 16 steps leaves none over.
    """

    used: Tensor
    linear: Tensor
    rate: Tensor
    logarithmic: Tensor
    offset: Tensor

    def __init__(self, preparation: Preparation, steps: int) -> None:
        super().__init__()
        for name in ("used", "linear", "rate", "logarithmic", "offset"):
            of_one = getattr(preparation, name)[: preparation.features]
            self.register_buffer(name, of_one.repeat(steps))

    def forward(self, raw: Tensor, exists: Tensor) -> tuple[Tensor, Tensor]:
        """Standardised values and mask, 0 where missing, both (batch, step, feature).

        Args:
            raw: (batch, step, feature), NaN where missing.
            exists: 1 for the features of steps that exist, else 0, (batch, step x feature).
        """
        flat = raw.flatten(1)  # (batch, step x feature)
        missing = torch.isnan(flat)
        present = (~missing).to(flat.dtype) * self.used * exists
        known = torch.where(missing, 0.0, flat).clamp(-HUGE, HUGE)
        # below 1 / HUGE the product is no sign, and the logarithm is 0
        logarithm = (known * HUGE).clamp(-1.0, 1.0) * torch.log(1.0 + torch.abs(known) * self.rate)
        standard = known * self.linear + logarithm * self.logarithmic + self.offset
        standard = standard.clamp(-CLIP, CLIP) * present
        return standard.view_as(raw), present.view_as(raw)
