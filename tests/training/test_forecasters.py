"""The sequence networks compute what the books say, in another order of the work."""

import math

import pytest
import torch
from torch import nn

from training.networks.attention import HEADS, AttentionForecaster
from training.networks.gru import GruForecaster

pytestmark = pytest.mark.training
ROWS, STEPS, FEATURES, HIDDEN = 50, 16, 12, 32


@pytest.fixture
def past() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Values, masks and which steps exist; rows with no step, with some, and with all of them."""
    generator = torch.Generator().manual_seed(0)
    steps = torch.arange(ROWS) % (STEPS + 1)  # how many steps exist, the latest last
    valid = (torch.arange(STEPS) >= STEPS - steps[:, None]).float()
    present = (torch.rand((ROWS, STEPS, FEATURES), generator=generator) < 0.8) * valid[:, :, None]
    return torch.randn((ROWS, STEPS, FEATURES), generator=generator) * present, present, valid


@torch.no_grad()
def test_attention_without_tokens_is_attention_over_tokens(past):
    """The embedding is moved to the query and to the mix; nothing but the order of the sums may change."""
    torch.manual_seed(0)
    network = AttentionForecaster(FEATURES, HIDDEN, STEPS, 0.0).eval()
    standard, present, valid = past
    token = network.embed(torch.cat([standard, present], dim=2)) + network.place  # (batch, step, hidden)
    asked = token[:, -1] + network.next
    query = network.query(asked).view(-1, HEADS, HIDDEN)
    match = query @ token.transpose(1, 2) / math.sqrt(HIDDEN)
    weight = torch.softmax(match.masked_fill(valid[:, None] == 0, -1e9), dim=2) * valid[:, None]
    mixed = network.mix(torch.cat([asked, (weight @ token).flatten(1)], dim=1))
    expected = network.head(asked + network.out(nn.functional.silu(mixed)), standard[:, -1])
    for found, by_the_book in zip(network(*past), expected, strict=True):
        assert found.numpy() == pytest.approx(by_the_book.numpy(), abs=1e-5)


@torch.no_grad()
def test_the_written_out_recurrent_unit_is_torchs(past):
    """Same gates, same order of them; a step that is written out wrongly would still train."""
    torch.manual_seed(0)
    network = GruForecaster(FEATURES, 16, 0.0).eval()
    book = nn.GRU(2 * FEATURES, 16, batch_first=True)
    inputs, states = ("reset_in", "update_in", "candidate_in"), ("reset", "update", "candidate")
    book.weight_ih_l0.copy_(torch.cat([getattr(network, name).weight for name in inputs]))
    book.bias_ih_l0.copy_(torch.cat([getattr(network, name).bias for name in inputs]))
    book.weight_hh_l0.copy_(torch.cat([getattr(network, name).weight for name in states]))
    book.bias_hh_l0.copy_(torch.cat([torch.zeros(32), network.candidate.bias]))
    standard, present, _ = past
    state = book(torch.cat([standard, present], dim=2))[1][0]
    for found, by_the_book in zip(network(*past), network.head(state, standard[:, -1]), strict=True):
        assert found.numpy() == pytest.approx(by_the_book.numpy(), abs=1e-5)
