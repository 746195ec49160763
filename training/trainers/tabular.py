"""The probability of label 1 by an ensemble of networks that share their weights; for scorers over `features`.

Source: Gorishniy, Kotelnikov, Babenko 2024, "TabM: advancing tabular deep learning with parameter-efficient ensembling".
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from scoring.features.spec import FeatureView
from scoring.model.manifest import Contributions
from scoring.model.rows import Rows
from training.classical import ERROR, brier_errors
from training.config import TrainingConfig
from training.export import TorchModel
from training.loop import Report, fit
from training.networks.preparation import Preparation
from training.networks.tabular import TabularEnsemble
from training.networks.tabular_probability import TabularProbability
from training.probability import fit_odds, groups_of, quantile_edges, set_shares, usual_row
from training.scaling import fit_scaling
from training.trainer import Part, Trained, Trainer, in_parts, tensors


@dataclass(frozen=True)
class Shape:
    """What is not in a `TrainingConfig`: how many networks share the weights, and bends per feature; multiples of 16."""

    members: int = 16
    bins: int = 16


def train(
    view: FeatureView, part: Part, config: TrainingConfig, report: Report, *, shape: Shape = Shape()
) -> Trained:
    """A calibrated ensemble; loss: binary cross-entropy of every member by itself, so that each learns alone.

    Raises:
        TrainingRefused: there are no labels, or not both classes.
    """
    part = part.labelled()
    preparation = Preparation(fit_scaling(part.train.features))
    with torch.no_grad():
        prepared = [_prepared(preparation, rows) for rows in (part.train, part.validation)]
    standard, present = prepared[0]
    network = TabularEnsemble(quantile_edges(standard, present, shape.bins), config.widths, shape.members, config.dropout)
    assert part.train_labels is not None and part.validation_labels is not None
    truths = [torch.from_numpy(labels).to(torch.float32) for labels in (part.train_labels, part.validation_labels)]

    def loss(inputs: tuple[Tensor, ...], generator: torch.Generator | None) -> Tensor:
        values, seen, truth = inputs  # (batch, width) twice, (batch)
        if generator is not None:
            seen = seen * (torch.rand(seen.shape, generator=generator) >= config.feature_dropout)
            values = (values + config.noise * torch.randn(values.shape, generator=generator)) * seen
        odds = network(values, seen)  # (batch, member)
        return nn.functional.binary_cross_entropy_with_logits(odds, truth[:, None].expand_as(odds))

    curve = fit(network, loss, [*prepared[0], truths[0]], [*prepared[1], truths[1]], config, report)
    model = TabularProbability(
        preparation, network, usual_row(standard, present), groups_of(standard, present)
    ).eval()
    fit_odds(model, prepared[1], truths[1])
    set_shares(model, standard, present)
    made = TorchModel(model)
    return Trained(made, curve, lambda rows, labels: brier_errors(_scores(made, rows), labels))


def _scores(made: TorchModel, rows: Rows) -> NDArray[np.float32]:
    return np.concatenate([made.scores(each) for each in in_parts(rows)])


def _prepared(preparation: Preparation, rows: Rows) -> list[Tensor]:
    """Standardised values and mask, both (row, width)."""
    parts = [preparation(*tensors(each, ("features",))) for each in in_parts(rows)]
    return [torch.cat(each) for each in zip(*parts, strict=True)]


TRAINER = Trainer(
    inputs=("features",),
    meaning="the probability of label 1: the mean over networks that share their weights, scaled to fit later events",
    contributions=Contributions(
        method="groups of features set to their usual values one after another, in order and in reverse",
        explains="log odds of the score over those of a usual event",
    ),
    error=ERROR,
    defaults=TrainingConfig(
        epochs=40, batch_rows=256, learning_rate=2e-3, weight_decay=3e-4, dropout=0.1, noise=0.0, feature_dropout=0.0,
        patience=8, widths=(128, 128),
    ),
    fit=train,
    score_kind="probability",
    supervised=True,
)  # fmt: skip
