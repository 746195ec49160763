"""The training loop: mini-batches, optimiser, schedule, clipping, early stopping; one for all networks."""

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from training.config import TrainingConfig

Loss = Callable[[tuple[Tensor, ...], torch.Generator | None], Tensor]
Report = Callable[[int, float, float], None]
_VALIDATION_ROWS = 8_192


@dataclass(frozen=True)
class Curve:
    """What the loss did; one value per finished epoch, and the epoch whose weights were kept (from 0)."""

    train: tuple[float, ...]
    validation: tuple[float, ...]
    best: int


def seed_everything(seed: int) -> None:
    """Makes every following step of torch the same on the same machine: one thread, no unordered sums."""
    torch.manual_seed(seed)
    torch.use_deterministic_algorithms(True)
    torch.set_num_threads(1)


def fit(
    network: nn.Module,
    loss: Loss,
    train: Sequence[Tensor],
    validation: Sequence[Tensor],
    config: TrainingConfig,
    report: Report = lambda epoch, trained, validated: None,
) -> Curve:
    """Trains the network in place and leaves it with the weights of its best validation epoch, in eval mode.

    Args:
        loss: mean loss of a batch of inputs; with a generator it adds noise (training), without it does not.
        train, validation: the inputs, rows first.
        report: called after every epoch with its number, train and validation loss.
    """
    generator = torch.Generator().manual_seed(config.seed)
    optimiser = _optimiser(network, config)
    rows = len(train[0])
    steps = config.epochs * math.ceil(rows / config.batch_rows)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _rate(step, steps, config))
    trained, validated, best = [], [], 0
    weights = copy.deepcopy(network.state_dict())
    for epoch in range(config.epochs):
        network.train()
        total = 0.0
        for picked in torch.randperm(rows, generator=generator).split(config.batch_rows):
            value = loss(tuple(part[picked] for part in train), generator)
            optimiser.zero_grad()
            value.backward()
            nn.utils.clip_grad_norm_(network.parameters(), config.gradient_clip)
            optimiser.step()
            schedule.step()
            total += float(value.detach()) * len(picked)
        trained.append(total / rows)
        validated.append(_validate(network, loss, validation))
        report(epoch, trained[-1], validated[-1])
        if validated[-1] < validated[best] or epoch == 0:
            best, weights = epoch, copy.deepcopy(network.state_dict())
        if epoch - best >= config.patience:
            break
    network.load_state_dict(weights)
    network.eval()
    return Curve(tuple(trained), tuple(validated), best)


@torch.no_grad()
def _validate(network: nn.Module, loss: Loss, inputs: Sequence[Tensor]) -> float:
    network.eval()
    rows, total = len(inputs[0]), 0.0
    for start in range(0, rows, _VALIDATION_ROWS):
        part = tuple(each[start : start + _VALIDATION_ROWS] for each in inputs)
        total += float(loss(part, None)) * len(part[0])
    return total / rows


def _optimiser(network: nn.Module, config: TrainingConfig) -> torch.optim.Optimizer:
    parameters = network.parameters()
    if config.optimiser == "sgd":
        return torch.optim.SGD(
            parameters, config.learning_rate, momentum=config.momentum, weight_decay=config.weight_decay
        )
    kind = torch.optim.AdamW if config.optimiser == "adamw" else torch.optim.Adam
    return kind(parameters, config.learning_rate, weight_decay=config.weight_decay)


def _rate(step: int, steps: int, config: TrainingConfig) -> float:
    """The share of the learning rate at a step."""
    warm = max(1, round(config.warm_up_share * steps))
    if step < warm:
        return (step + 1) / warm
    if config.schedule == "constant":
        return 1.0
    return 0.5 * (1.0 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))
