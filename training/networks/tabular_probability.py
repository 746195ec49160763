"""The whole model that gives a probability: preparation, ensemble, mean of members, calibration, explanation."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from training.networks import wide
from training.networks.ablation import Ablation

MOST_ODDS = 15.0
LOGARITHMS = 16


class TabularProbability(nn.Module):
    """The probability of label 1: the mean of the members' probabilities, its log odds scaled to fit validation data.

    It explains itself by ablation of groups of features (decision 28). A group speaks through the feature that is
    farthest from usual, times what such a distance moved when the feature was set back alone in training. A model that
    also reads the last steps has a feature's steps set back with the feature.
    """

    slope: Tensor
    offset: Tensor
    middle: Tensor
    share: Tensor
    past: Tensor
    past_kept: Tensor
    past_usual: Tensor

    def __init__(
        self, preparation: nn.Module, network: nn.Module, *, inputs: tuple[str, ...], ablation: Ablation, middle: Tensor,
        past: Sequence[int] = (),
    ) -> None:
        """The model around an ensemble.

        Args:
            preparation: from the named inputs to standardised columns and their mask, both (batch, column); the
                features come first.
            network: from these to the members' log odds.
            ablation: of the features' groups.
            middle: standardised usual value of each feature, (feature).
            past: which feature each column of the history is.
        """
        super().__init__()
        self.preparation, self.network, self.ablation = preparation, network, ablation
        self.inputs = inputs
        self.features: int = preparation.features
        self.register_buffer("slope", torch.ones(()))
        self.register_buffer("offset", torch.zeros(()))
        self.register_buffer("middle", middle)
        self.register_buffer("share", torch.ones(self.features))
        columns = torch.tensor(list(past), dtype=torch.int64)
        self.register_buffer("past", columns)
        self.register_buffer("past_kept", ablation.kept[:, columns])  # (variant, column of a step)
        self.register_buffer("past_usual", ablation.usual[columns])

    def odds(self, standard: Tensor, present: Tensor) -> Tensor:
        """Log odds of the mean of the members' probabilities, (batch); values and mask are (batch, column).

        Probabilities are made from exponentials: onnxruntime's sigmoid is 20 % off at log odds of -15, which rare
        events reach; and both sides by themselves, as one minus a mean near 1 would keep few digits.
        """
        each = self.network(standard, present).clamp(-MOST_ODDS, MOST_ODDS)  # (batch, member)
        both = torch.stack([-each, each], dim=1)  # (batch, 2, member)
        sides = (1.0 / (1.0 + torch.exp(both))).mean(dim=2)  # (batch, 2)
        # onnxruntime's logarithm of a tensor's last values depends on how many there are: a multiple of 16 a row
        logarithms = torch.log(sides.repeat(1, LOGARITHMS // 2))  # (batch, 16)
        return logarithms[:, 0] - logarithms[:, 1]

    def calibrated(self, standard: Tensor, present: Tensor) -> Tensor:
        """Log odds of the score, (batch)."""
        return self.odds(standard, present) * self.slope + self.offset

    def forward(self, *inputs: Tensor) -> Tensor:
        """The score, (batch), of the named inputs."""
        return torch.sigmoid(self.calibrated(*self.preparation(*inputs)))

    def variants(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """The named inputs with groups made usual, (batch x variant, …) each."""
        features = self.ablation.variants(inputs[0])
        if len(inputs) == 1:
            return (features,)
        history, lengths = inputs[1:]  # (batch, step, column), (batch)
        stays = self.past_kept[:, None] | torch.isnan(history)[:, None]  # (batch, variant, step, column)
        past = torch.where(stays, history[:, None], self.past_usual).flatten(0, 1)
        return features, past, lengths[:, None].expand(-1, self.past_kept.shape[0]).flatten()

    def contributions(self, *inputs: Tensor) -> Tensor:
        """Shares of minus log(1 - score), (batch, feature); they sum to it less that of the usual values."""
        standard, _ = self.preparation(*inputs)
        weight = (standard[:, : self.features] - self.middle).abs() * self.share  # (batch, feature)
        odds = self.calibrated(*self.preparation(*self.variants(*inputs)))  # (batch x variant)
        there = (~torch.isnan(inputs[0])).to(standard.dtype)
        return self.ablation.contributions(wide.log(1.0 + wide.exp(odds)), weight, there)
