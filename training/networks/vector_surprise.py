"""The whole model over the input `features`: preparation, autoencoder, surprise, calibration."""

import torch
from torch import Tensor, nn

from training.networks.ablation import Ablation
from training.networks.autoencoder import Autoencoder
from training.networks.calibration import Calibration
from training.networks.preparation import Preparation
from training.networks.surprise import total_surprise
from training.networks.tail import TailSurprise


class VectorSurprise(nn.Module):
    """Surprise of a vector: per feature the larger of its error when rebuilt and its own extremeness.

    An autoencoder rebuilds what lies along the usual combinations, however far out; so a feature that is
    extreme by itself counts even where it was rebuilt well.
    """

    inputs = ("features",)

    def __init__(
        self, preparation: Preparation, network: Autoencoder, upper: Tensor, ablation: Ablation
    ) -> None:
        """Args: upper: bool (width), features of which only larger values than expected count."""
        super().__init__()
        self.preparation = preparation
        self.network = network
        self.error_tail = TailSurprise(upper)
        self.value_tail = TailSurprise(upper)
        self.calibration = Calibration()
        self.ablation = ablation

    def errors(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """What is left after rebuilding, the standardised values, and the mask; (batch, width) each."""
        standard, present = self.preparation(features)
        return standard - self.network(standard, present), standard, present

    def nats(self, features: Tensor) -> Tensor:
        """Surprise per feature in nats, (batch, width); features is (batch, feature)."""
        error, standard, present = self.errors(features)
        return torch.maximum(self.error_tail(error, present), self.value_tail(standard, present))

    def total(self, features: Tensor) -> Tensor:
        """Total surprise, (batch)."""
        return total_surprise(self.nats(features))[0]

    def forward(self, features: Tensor) -> Tensor:
        """The score, (batch)."""
        return self.calibration(self.total(features))

    def contributions(self, features: Tensor) -> Tensor:
        """Shares of minus log p, (batch, feature): they sum to -log(1 - score) less that of the usual values.

        A group of the ablation speaks through its most surprising feature.
        """
        standard, present = self.preparation(features)  # (batch, width) each
        usual = self.preparation(self.ablation.usual[None])[0] * present  # what is missing stays missing
        moved = self.ablation.moved(standard, usual)  # (batch, group, width)
        first, first_usual = self.network.first(standard, present), self.network.first(usual, present)
        rebuilt = self.network.rest(self.ablation.around(first, first_usual, self.network.moved(moved)))
        error = self.ablation.around(standard, usual, moved) - rebuilt  # (batch x variant, width)
        own, own_usual = self.value_tail(standard, present), self.value_tail(usual, present)
        own = self.ablation.around(own, own_usual, self.ablation.moved(own, own_usual))
        nats = torch.maximum(self.error_tail(error, self._of_variants(present)), own)
        values = self.calibration.minus_log_p(total_surprise(nats)[0])
        _, share = total_surprise(self.nats(features))
        there = (~torch.isnan(features)).to(values.dtype)
        return self.ablation.contributions(values, share[:, : self.preparation.features], there)

    def _of_variants(self, of_row: Tensor) -> Tensor:
        """The same for all variants of a row, (batch x variant, width); it is (batch, width)."""
        return of_row[:, None].expand(-1, self.ablation.kept.shape[0], -1).flatten(0, 1)
