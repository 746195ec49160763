"""Surprise of a vector by an autoencoder; for scorers over `features`."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from scoring.features.spec import FeatureView
from scoring.model.rows import Rows
from training.calibrate import set_calibration, set_feature_tails
from training.config import TrainingConfig
from training.export import TorchModel
from training.groups import CONTRIBUTIONS, filled_up, groups_of, usual_values
from training.loop import Report, fit
from training.networks.ablation import Ablation
from training.networks.autoencoder import Autoencoder
from training.networks.preparation import Preparation
from training.networks.vector_surprise import VectorSurprise
from training.scaling import fit_scaling
from training.sides import upper_sides
from training.trainer import Part, Trained, Trainer, in_parts, tensors


def train(view: FeatureView, part: Part, config: TrainingConfig, report: Report) -> Trained:
    """A calibrated surprise model of single vectors; loss: smooth L1 of the rebuilt vector."""
    preparation = Preparation(fit_scaling(part.train.features))
    upper = torch.zeros(preparation.width, dtype=torch.bool)
    upper[: preparation.features] = torch.tensor(upper_sides(view))
    network = Autoencoder(preparation.width, config.widths, config.dropout)
    ablation = Ablation(filled_up(groups_of(view)), usual_values(view, part.train.features))
    model = VectorSurprise(preparation, network, upper, ablation)

    def loss(inputs: tuple[Tensor, ...], generator: torch.Generator | None) -> Tensor:
        standard, present = inputs  # (batch, width) each
        shown, seen = standard, present
        if generator is not None:
            seen = present * (torch.rand(present.shape, generator=generator) >= config.feature_dropout)
            shown = (standard + config.noise * torch.randn(standard.shape, generator=generator)) * seen
        apart = nn.functional.smooth_l1_loss(network(shown, seen), standard, reduction="none")
        return (apart * present).sum() / present.sum().clamp(min=1.0)

    with torch.no_grad():
        prepared = [preparation(*tensors(rows, model.inputs)) for rows in (part.train, part.validation)]
    curve = fit(network, loss, prepared[0], prepared[1], config, report)
    _calibrate(model.eval(), part.validation)
    return Trained(TorchModel(model), curve, lambda rows, _: _squared_error(model, rows))


@torch.no_grad()
def _calibrate(model: VectorSurprise, validation: Rows) -> None:
    parts = [tensors(rows, model.inputs) for rows in in_parts(validation)]
    error, standard, present = (
        torch.cat(each) for each in zip(*(model.errors(*inputs) for inputs in parts), strict=True)
    )
    set_feature_tails(model.error_tail, error, present)
    set_feature_tails(model.value_tail, standard, present)
    totals = torch.cat([model.total(*inputs) for inputs in parts]).numpy()
    set_calibration(model.calibration, totals, model.preparation.width)


@torch.no_grad()
def _squared_error(model: VectorSurprise, rows: Rows) -> NDArray[np.float32]:
    found = []
    for each in in_parts(rows):
        error, _, present = model.errors(*tensors(each, model.inputs))
        found.append((error.square() * present).sum(dim=1) / present.sum(dim=1).clamp(min=1.0))
    result: NDArray[np.float32] = torch.cat(found).numpy()
    return result


TRAINER = Trainer(
    inputs=("features",),
    meaning=(
        "one minus the share of usual events that are at least as surprising; surprise is how badly an "
        "autoencoder rebuilds the event's features, or how extreme they are by themselves"
    ),
    contributions=CONTRIBUTIONS,
    error="rebuilding error in standard deviations",
    defaults=TrainingConfig(widths=(64, 16)),
    fit=train,
)
