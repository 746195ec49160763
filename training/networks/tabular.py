"""Many networks in one over a table's columns: they share weights and differ by what they multiply."""

from itertools import pairwise

import torch
from torch import Tensor, nn


class MemberLayer(nn.Module):
    """One linear layer for all members; each scales what goes in and what comes out, and has a bias of its own.

    Source: Wen, Tran, Ba 2020, "BatchEnsemble"; Gorishniy, Kotelnikov, Babenko 2024, "TabM".
    """

    def __init__(self, come: int, go: int, members: int) -> None:
        """Args: come, go: widths, multiples of 16."""
        super().__init__()
        self.shared = nn.Linear(come, go, bias=False)
        self.scale_in = nn.Parameter(torch.ones(members, come))
        self.scale_out = nn.Parameter(torch.ones(members, go))
        self.bias = nn.Parameter(torch.zeros(members, go))

    def forward(self, given: Tensor) -> Tensor:
        """From (batch, member, come) to (batch, member, go)."""
        return self.shared(given * self.scale_in) * self.scale_out + self.bias


class TabularEnsemble(nn.Module):
    """Log odds of label 1 by every member, from standardised values and their mask.

    A value enters as itself and by its place between quantiles of training data: a broken line per feature with a
    bend at each, so that the first layer can tell what happens where. Members part ways behind the first product, which
    is the widest and is made once for all: each turns its signs at random and adds its own bias.

    Source: Gorishniy, Rubachev, Babenko 2022, "On embeddings for numerical features" (piecewise linear encoding).
    """

    left: Tensor
    rate: Tensor

    def __init__(self, edges: Tensor, widths: tuple[int, ...], members: int, dropout: float) -> None:
        """Args:
        edges: rising places of the bends of each feature, (width, bin + 1); equal ones make an empty bin.
        widths: of the hidden layers; multiples of 16, and so is `members`.
        """
        super().__init__()
        spans = edges[:, 1:] - edges[:, :-1]  # (width, bin)
        self.register_buffer("left", edges[:, :-1].clone())
        self.register_buffer("rate", torch.where(spans > 0, 1.0 / spans.clamp(min=1e-6), 0.0))
        width, bins = spans.shape
        self.first = nn.Linear(width * (bins + 2), widths[0], bias=False)
        signs = torch.randint(0, 2, (members, widths[0])).to(torch.float32) * 2 - 1
        self.first_scale = nn.Parameter(signs)
        self.first_bias = nn.Parameter(torch.randn(members, widths[0]) * 0.1)
        self.layers = nn.ModuleList(
            MemberLayer(come, go, members) for come, go in pairwise(widths)
        )
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Parameter(torch.randn(members, widths[-1]) * widths[-1] ** -0.5)
        self.head_bias = nn.Parameter(torch.zeros(members))

    def encoded(self, standard: Tensor, present: Tensor) -> Tensor:
        """What the first layer reads, (batch, width x (bin + 2)); values and mask are (batch, width) each."""
        places = ((standard[:, :, None] - self.left) * self.rate).clamp(0.0, 1.0) * present[:, :, None]
        return torch.cat([places.flatten(1), standard, present], dim=1)

    def members(self, encoded: Tensor) -> Tensor:
        """Log odds, (batch, member); what is read is (batch, width x (bin + 2))."""
        shared = self.first(encoded)[:, None, :]  # (batch, 1, hidden)
        state = self.dropout(torch.relu(shared * self.first_scale + self.first_bias))  # (batch, member, hidden)
        for layer in self.layers:
            state = self.dropout(torch.relu(layer(state)))
        return (state * self.head).sum(dim=2) + self.head_bias  # (batch, member)

    def forward(self, standard: Tensor, present: Tensor) -> Tensor:
        """Log odds, (batch, member); values and mask are (batch, width) each."""
        return self.members(self.encoded(standard, present))
