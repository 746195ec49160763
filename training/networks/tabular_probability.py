"""The whole model over the input `features`: preparation, ensemble, mean of probabilities, calibration, explanation."""

import torch
from torch import Tensor, nn

from training.networks.preparation import Preparation
from training.networks.tabular import TabularEnsemble

MOST_ODDS = 15.0
MOST_GROUPS = 16
LOGARITHMS = 16


class TabularProbability(nn.Module):
    """The probability of label 1: the mean of the members' probabilities, its log odds scaled to fit validation data.

    It explains itself by ablation: groups of features are set to their usual values one after another, once in order
    and once in reverse. What the log odds lose at each step is the group's; the mean of both orders sums exactly to
    the log odds over those of a usual row. Within a group the features share by how far they are from usual, times
    what such a distance moved when each was set back alone in training.
    """

    inputs = ("features",)
    slope: Tensor
    offset: Tensor
    usual: Tensor
    kept: Tensor
    groups: Tensor
    share: Tensor

    def __init__(self, preparation: Preparation, network: TabularEnsemble, usual: Tensor, groups: Tensor) -> None:
        """Args:
        usual: standardised values of a usual row and its mask, (2, width).
        groups: which group each feature belongs to, 0 to 15, (width).
        """
        super().__init__()
        self.preparation = preparation
        self.network = network
        self.register_buffer("slope", torch.ones(()))
        self.register_buffer("offset", torch.zeros(()))
        self.register_buffer("usual", usual)
        member = torch.nn.functional.one_hot(groups, MOST_GROUPS).to(torch.float32).T  # (group, width)
        later = torch.tril(torch.ones(MOST_GROUPS, MOST_GROUPS), -1).T @ member  # groups behind each, (group, width)
        before = torch.tril(torch.ones(MOST_GROUPS, MOST_GROUPS), -1) @ member
        self.register_buffer("kept", torch.cat([later, before]))  # what stands after each step, (2 group, width)
        self.register_buffer("groups", member)
        self.register_buffer("share", torch.ones(preparation.width))

    def odds(self, standard: Tensor, present: Tensor) -> Tensor:
        """Log odds of the mean of the members' probabilities, (batch); values and mask are (batch, width)."""
        each = self.network(standard, present).clamp(-MOST_ODDS, MOST_ODDS)  # (batch, member)
        # both sides by themselves: one minus a mean near 1 would keep few digits
        sides = torch.stack([torch.sigmoid(each), torch.sigmoid(-each)], dim=1).mean(dim=2)  # (batch, 2)
        # onnxruntime's logarithm of a tensor's last values depends on how many there are: a multiple of 16 a row
        logarithms = torch.log(sides.repeat(1, LOGARITHMS // 2))  # (batch, 16)
        return logarithms[:, 0] - logarithms[:, 1]

    def calibrated(self, standard: Tensor, present: Tensor) -> Tensor:
        """Log odds of the score, (batch)."""
        return self.odds(standard, present) * self.slope + self.offset

    def forward(self, features: Tensor) -> Tensor:
        """The score, (batch); features is (batch, feature)."""
        return torch.sigmoid(self.calibrated(*self.preparation(features)))

    def contributions(self, features: Tensor) -> Tensor:
        """The log odds over those of a usual row, shared out over the features, (batch, feature)."""
        given = torch.stack(self.preparation(features), dim=1)  # (batch, 2, width)
        apart = given - self.usual  # (batch, 2, width)
        steps = self.usual + apart[:, None] * self.kept[:, None]  # (batch, 2 group, 2, width)
        odds = self.calibrated(*steps.flatten(0, 1).unbind(1)).unflatten(0, (-1, 2, MOST_GROUPS))  # (batch, 2, group)
        whole = self.calibrated(*given.unbind(1))[:, None]  # (batch, 1)
        forward = torch.cat([whole, odds[:, 0, :-1]], dim=1) - odds[:, 0]  # (batch, group)
        backward = torch.cat([odds[:, 1, 1:], whole], dim=1) - odds[:, 1]  # (batch, group)
        of_group = 0.5 * (forward + backward)
        weight = apart.abs().sum(dim=1) * self.share  # (batch, width)
        total = (weight[:, None] * self.groups).sum(dim=2)  # (batch, group)
        rate = torch.where(total > 0, of_group / total.clamp(min=1e-12), 0.0)  # (batch, group)
        parts = (rate[:, :, None] * self.groups).sum(dim=1) * weight  # (batch, width)
        return parts[:, : self.preparation.features]
