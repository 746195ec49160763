"""Many networks in one over a table's columns: they share weights and differ by what they multiply."""

from itertools import pairwise

import torch
from torch import Tensor, nn

from training.networks.piecewise import Piecewise


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

    Members part ways behind the first product, which is the widest and is made once for all: each turns its signs at
    random and adds its own bias.
    """

    def __init__(
        self, edges: Tensor, widths: tuple[int, ...], members: int, dropout: float, *, more: int = 0
    ) -> None:
        """Args:
        edges: of the bins of each feature, (width, bin + 1).
        widths: of the hidden layers; multiples of 16, and so is `members`.
        more: inputs of the first layer besides, a multiple of 16.
        """
        super().__init__()
        self.encoded = Piecewise(edges)
        self.first = nn.Linear(self.encoded.width + more, widths[0], bias=False)
        signs = torch.randint(0, 2, (members, widths[0])).to(torch.float32) * 2 - 1
        self.first_scale = nn.Parameter(signs)
        self.first_bias = nn.Parameter(torch.randn(members, widths[0]) * 0.1)
        self.layers = nn.ModuleList(MemberLayer(come, go, members) for come, go in pairwise(widths))
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Parameter(torch.randn(members, widths[-1]) * widths[-1] ** -0.5)
        self.head_bias = nn.Parameter(torch.zeros(members))

    def members(self, encoded: Tensor) -> Tensor:
        """Log odds, (batch, member); what is read is (batch, width x (bin + 2) + more)."""
        shared = self.first(encoded)[:, None, :]  # (batch, 1, hidden)
        state = self._thinned(torch.relu(shared * self.first_scale + self.first_bias))  # (batch, member, hidden)
        for layer in self.layers:
            state = self._thinned(torch.relu(layer(state)))
        return (state * self.head).sum(dim=2) + self.head_bias  # (batch, member)

    def _thinned(self, state: Tensor) -> Tensor:
        """Dropout of the same units for all members: drawing for each took a third of the training time."""
        return state * self.dropout(torch.ones_like(state[:, :1])) if self.training else state

    def forward(self, standard: Tensor, present: Tensor) -> Tensor:
        """Log odds, (batch, member); values and mask are (batch, width) each."""
        return self.members(self.encoded(standard, present))
