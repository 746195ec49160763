"""The training loop does what its configuration says."""

import msgspec
import pytest
import torch
from torch import nn

from training.config import TrainingConfig
from training.loop import fit, seed_everything

pytestmark = pytest.mark.training

CONFIG = TrainingConfig(epochs=30, batch_rows=32, learning_rate=0.02, patience=30)


def line(config: TrainingConfig, seed: int = 0):
    """Fits y = 2x - 1 with one unit; returns the curve and the weights."""
    seed_everything(seed)
    network = nn.Linear(1, 1)
    x = torch.linspace(-1, 1, 256)[:, None]

    def loss(inputs, generator):
        return (network(inputs[0]) - inputs[1]).square().mean()

    curve = fit(network, loss, (x, 2 * x - 1), (x[::7], 2 * x[::7] - 1), config)
    return curve, [float(each.detach()) for each in network.parameters()]


@pytest.mark.parametrize(("optimiser", "rate"), [("sgd", 0.05), ("adam", 0.05), ("adamw", 0.05)])
def test_every_optimiser_learns_a_line(optimiser, rate):
    """Each is offered by the command, so each must work."""
    config = msgspec.structs.replace(CONFIG, optimiser=optimiser, learning_rate=rate, weight_decay=0.0)
    _, weights = line(config)
    assert weights == pytest.approx([2.0, -1.0], abs=0.05)


def test_the_same_seed_gives_the_same_weights():
    """The bundle's digest rests on this."""
    assert line(CONFIG) == line(CONFIG)
    assert line(CONFIG)[1] != line(CONFIG, seed=1)[1]


def test_training_stops_early_and_keeps_the_best_weights():
    """A validation loss that only rises: the first epoch's weights are the ones to keep."""
    seed_everything(0)
    network = nn.Linear(1, 1)
    x = torch.ones(64, 1)

    def loss(inputs, generator):
        aim = 5.0 if generator is not None else -5.0  # learning moves away from what validation wants
        return (network(inputs[0]) - aim).square().mean()

    curve = fit(network, loss, (x,), (x,), msgspec.structs.replace(CONFIG, patience=3, schedule="constant"))
    assert curve.best == 0
    assert len(curve.validation) == 4
    with torch.no_grad():
        assert float(loss((x,), None)) == pytest.approx(curve.validation[0])
    assert not network.training


def test_the_gradient_is_clipped():
    """One broken row must not throw the weights away."""
    seed_everything(0)
    network = nn.Linear(1, 1, bias=False)
    before = float(network.weight.detach())
    config = TrainingConfig(
        epochs=1, batch_rows=1, optimiser="sgd", momentum=0.0, learning_rate=0.1, weight_decay=0.0
    )

    def loss(inputs, generator):
        return (network(inputs[0]) * 1e9).mean()

    fit(network, loss, (torch.ones(1, 1),), (torch.ones(1, 1),), config)
    assert abs(float(network.weight.detach()) - before) <= 0.1 + 1e-6
