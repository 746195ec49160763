"""The probability of label 1 by networks that share weights, with an autoencoder's error among their inputs.

The autoencoder learns first and without labels; the ensemble then learns from labels what to make of row and error. Both
are in one graph.
"""

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from scoring.features.spec import FeatureView
from scoring.model.rows import Rows
from training.classical import ERROR, brier_errors
from training.config import TrainingConfig
from training.export import TorchModel
from training.loop import Report, fit
from training.networks.error_aware import ErrorAware
from training.networks.tabular import TabularEnsemble
from training.networks.tabular_probability import TabularProbability
from training.networks.vector_surprise import VectorSurprise
from training.probability import Prepared, fit_odds, groups_of, set_shares, usual_row
from training.telling_edges import telling_edges
from training.trainer import Part, Trained, Trainer, in_parts, tensors
from training.trainers import autoencoder, tabular

MEMBERS, BINS = 16, 8


def train(view: FeatureView, part: Part, config: TrainingConfig, report: Report) -> Trained:
    """A calibrated ensemble; loss: binary cross-entropy of every member by itself, so that each learns alone.

    Raises:
        TrainingRefused: there are no labels, or not both classes.
    """
    part = part.labelled()
    assert part.train_labels is not None and part.validation_labels is not None
    preparation, rebuilding = _rebuilding(view, Part(part.train, part.validation), config)
    network = ErrorAware(rebuilding)
    with torch.no_grad():
        prepared = [_prepared(preparation, rows) for rows in (part.train, part.validation)]
        wide = [_widened(network, *each) for each in prepared]
    truths = [torch.from_numpy(labels).to(torch.float32) for labels in (part.train_labels, part.validation_labels)]
    edges = telling_edges(wide[0][0], wide[0][1], truths[0], BINS)
    network.ensemble = TabularEnsemble(edges, config.widths, MEMBERS, config.dropout)
    ensemble = network.ensemble

    def loss(inputs: tuple[Tensor, ...], generator: torch.Generator | None) -> Tensor:
        values, seen, truth = inputs  # (batch, width + 16) twice, (batch)
        if generator is not None:
            kept = seen * (torch.rand(seen.shape, generator=generator) >= config.feature_dropout)
            values, seen = (values + config.noise * torch.randn(values.shape, generator=generator)) * kept, kept
        odds = ensemble(values, seen)  # (batch, member)
        return nn.functional.binary_cross_entropy_with_logits(odds, truth[:, None].expand_as(odds))

    curve = fit(ensemble, loss, [*wide[0], truths[0]], [*wide[1], truths[1]], config, report)
    standard, present = prepared[0]
    model = TabularProbability(
        preparation, network, inputs=("features",), usual=usual_row(standard, present),
        groups=groups_of(standard, present), owners=torch.eye(standard.shape[1]),
    ).eval()  # fmt: skip
    fit_odds(model, Prepared(prepared[1][0], prepared[1][1], truths[1]))
    set_shares(model, standard, present)
    made = TorchModel(model)
    return Trained(made, curve, lambda rows, labels: brier_errors(_scores(made, rows), labels))


def _rebuilding(view: FeatureView, part: Part, config: TrainingConfig) -> tuple[nn.Module, nn.Module]:
    """Preparation and autoencoder of a model trained on the rows alone."""
    unlabelled = msgspec.structs.replace(autoencoder.TRAINER.defaults, seed=config.seed, epochs=config.epochs)
    made = autoencoder.TRAINER.fit(view, part, unlabelled, lambda *_: None).model
    assert isinstance(made, TorchModel) and isinstance(made.module, VectorSurprise)
    return made.module.preparation, made.module.network.requires_grad_(False)


def _prepared(preparation: nn.Module, rows: Rows) -> list[Tensor]:
    """Standardised values and mask, both (row, width)."""
    parts = [preparation(*tensors(each, ("features",))) for each in in_parts(rows)]
    return [torch.cat(each) for each in zip(*parts, strict=True)]


def _widened(network: ErrorAware, standard: Tensor, present: Tensor) -> list[Tensor]:
    """Values and mask with the errors beside them, both (row, width + 16)."""
    parts = [network.widened(*each) for each in zip(standard.split(16_384), present.split(16_384), strict=True)]
    return [torch.cat(each) for each in zip(*parts, strict=True)]


def _scores(made: TorchModel, rows: Rows) -> NDArray[np.float32]:
    return np.concatenate([made.scores(each) for each in in_parts(rows)])


TRAINER = Trainer(
    inputs=("features",),
    meaning=tabular.TRAINER.meaning + "; an autoencoder's error, learned without labels, is among their inputs",
    contributions=tabular.TRAINER.contributions,
    error=ERROR,
    defaults=TrainingConfig(
        epochs=10, batch_rows=1024, learning_rate=4e-3, weight_decay=1e-3, dropout=0.2, noise=0.0, feature_dropout=0.1,
        patience=4, widths=(64, 64),
    ),
    fit=train,
    score_kind="probability",
    supervised=True,
)  # fmt: skip
