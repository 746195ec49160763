"""Explains a quantity by what is lost without a group of features, and what is gained with it alone."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

ALIKE, LEAST = 0.9999, 1e-6
AGAINST = 1e-3
"""What a feature that moves a row against its group's share counts for, of one that moves it as far with it."""


class Ablation(nn.Module):
    """Shares of groups of features in a quantity, between a row as it is and the same with usual values.

    A group's share is the mean of what the row loses when the group becomes usual, and what a usual row gains when the
    group becomes as it is: the first and the last of the terms that Shapley's value averages over all orders of deleting,
    for two rows a group instead of one for every subset. What is left of the whole difference is shared out in proportion
    to the size of the shares, so that they sum to it, and what changes nothing has none (decision 28).
    """

    kept: Tensor
    member: Tensor
    usual: Tensor

    def __init__(
        self, groups: Sequence[NDArray[np.int64]], usual: NDArray[np.float32], *, singly: bool = False
    ) -> None:
        """The ablation of these groups.

        Args:
            groups: numbers of features, each in one of them.
            usual: of each feature, NaN for missing.
            singly: whether behind the variants of groups there are those with one feature made usual, in their order.
        """
        super().__init__()
        member = torch.zeros(len(groups), len(usual))
        for place, group in enumerate(groups):
            member[place, torch.from_numpy(group)] = 1.0
        inside = member > 0
        everything = torch.ones(1, len(usual), dtype=torch.bool)
        alone = [~torch.eye(len(usual), dtype=torch.bool)] if singly else []
        kept = torch.cat([everything, ~inside, ~everything, inside, *alone])
        self.register_buffer("kept", kept)  # (variant, feature)
        self.register_buffer("member", member)
        self.register_buffer("usual", torch.from_numpy(usual))

    def variants(self, raw: Tensor) -> Tensor:
        """The rows with groups made usual, (batch x variant, feature); raw is (batch, feature). Missing stays missing."""
        stays = self.kept | torch.isnan(raw)[:, None]
        return torch.where(stays, raw[:, None], self.usual).flatten(0, 1)

    def around(self, whole: Tensor, nothing: Tensor, moved: Tensor) -> Tensor:
        """A quantity of the variants, (batch x variant, width), that is linear in the features, or made of each alone.

        Args:
            whole, nothing: of the row, and of the one with all values usual, (batch, width).
            moved: by how much each group takes it from usual, (batch, group, width).
        """
        whole, nothing = whole[:, None], nothing[:, None]  # (batch, 1, width)
        return torch.cat([whole, whole - moved, nothing, nothing + moved], dim=1).flatten(0, 1)

    def moved(self, whole: Tensor, nothing: Tensor) -> Tensor:
        """By how much each group takes values of the single features from usual, (batch, group, width).

        Args:
            whole, nothing: as of `around`; columns behind those of the features belong to no group.
        """
        member = nn.functional.pad(self.member, (0, whole.shape[1] - self.member.shape[1]))  # (group, width)
        return (whole - nothing)[:, None] * member

    def contributions(self, values: Tensor, weight: Tensor, there: Tensor) -> Tensor:
        """Shares of the features, (batch, feature); they sum to the first variant's value less the all-usual one's.

        What is missing has no share: it cannot be a reason. A row of which all is missing has none at all.

        Args:
            values: the quantity of every variant, (batch x variant).
            weight: at least 0, (batch, feature); a group speaks through its feature of the greatest one, and features
                that differ by less than a ten-thousandth share it.
            there: 1 for features that are not missing, else 0, (batch, feature).
        """
        return self._spoken(self._shares(values, there), weight, there)

    def contributions_singly(self, values: Tensor, lost: Tensor, there: Tensor) -> Tensor:
        """As `contributions`; a group speaks through the feature that alone moves the row as the group's share says.

        Of the features that move it that way when they are set back it is the one that moves it most; where none does,
        the one that moves it most the other way.

        Args:
            values: the quantity of the variants of groups, (batch x variant).
            lost: of that quantity or of one that rises with it, when a feature alone is set back, (batch, feature).
            there: as of `contributions`.
        """
        shares = self._shares(values, there)  # (batch, group)
        way = (self.member * torch.sign(shares)[:, :, None]).sum(dim=1)  # (batch, feature)
        return self._spoken(shares, (lost * way).clamp(min=0.0) + AGAINST * lost.abs(), there)

    def _shares(self, values: Tensor, there: Tensor) -> Tensor:
        """Shares of the groups, (batch, group)."""
        groups = self.member.shape[0]
        whole, without, nothing, alone = values.view(-1, 2 * groups + 2).split([1, groups, 1, groups], dim=1)
        some = (there[:, None] * self.member).amax(dim=2)  # (batch, group), 1 where not all of it is missing
        shares = 0.5 * ((whole - without) + (alone - nothing)) * some  # (batch, group)
        rest = (whole - nothing) - shares.sum(dim=1, keepdim=True)  # (batch, 1)
        sizes = shares.abs() + LEAST * some
        return shares + rest * sizes / sizes.sum(dim=1, keepdim=True).clamp(min=LEAST)

    def _spoken(self, shares: Tensor, weight: Tensor, there: Tensor) -> Tensor:
        """The groups' shares given to the features they speak through, (batch, feature)."""
        inside = there[:, None] * self.member  # (batch, group, feature)
        most = (weight[:, None] * inside).amax(dim=2, keepdim=True)  # (batch, group, 1)
        speaks = inside * (weight[:, None] >= ALIKE * most).to(weight.dtype)
        return (speaks * (shares / speaks.sum(dim=2).clamp(min=1.0))[:, :, None]).sum(dim=1)
