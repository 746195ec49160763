"""What trainers of sequence models share: the loss of a forecast, its calibration, its error."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from scoring.features.spec import FeatureView
from scoring.model.rows import Rows
from training.calibrate import set_calibration, set_feature_tails
from training.config import TrainingConfig
from training.errors import TrainingRefused
from training.export import TorchModel
from training.groups import groups_among, groups_of, usual_values
from training.loop import Report, fit
from training.networks.ablation import Ablation
from training.networks.preparation import Preparation
from training.networks.sequence_surprise import SequenceSurprise
from training.scaling import fit_scaling
from training.sides import upper_sides
from training.trainer import Part, Trained, in_parts, tensors

FREEDOM = 5.0
MEANING = (
    "one minus the share of usual events that are at least as surprising; surprise is how far the event's "
    "features lie from what {network} expects after the entity's last events, in units of "
    "the spread it expects"
)
Build = Callable[[int, TrainingConfig], nn.Module]
Judged = Callable[[FeatureView], frozenset[str]]


def train_sequence(
    view: FeatureView, part: Part, config: TrainingConfig, report: Report, build: Build, judged: Judged | None = None
) -> Trained:
    """A calibrated surprise model of the last vector of a history.

    Loss: minus the log-likelihood of a Student t distribution with 5 degrees of freedom, because errors of
    payments and returns have heavy tails, and under a normal one a few extremes would set the spread.

    Args:
        build: the forecaster for so many features of a past vector.
        judged: which of the view's features the loss and the surprise are of; all of the history without it.

    Raises:
        TrainingRefused: the view keeps no vector history, or nothing in it is to be judged.
    """
    if view.history is None:
        raise TrainingRefused(
            f"view {view.name} keeps no vector history; declare one, or train an autoencoder"
        )
    names, upper_of = view.history.features, dict(zip(view.feature_names, upper_sides(view), strict=True))
    columns = [view.feature_names.index(name) for name in names]
    preparation = Preparation(fit_scaling(part.train.features[:, columns]))
    upper = torch.zeros(preparation.width, dtype=torch.bool)
    upper[: len(names)] = torch.tensor([upper_of[name] for name in names])
    network = build(preparation.features, config)
    places = [names.index(name) if name in names else -1 for name in view.feature_names]
    ablation = Ablation(groups_among(groups_of(view), columns), usual_values(view, part.train.features)[columns])
    model = SequenceSurprise(
        preparation, network, upper, ablation, past_steps=config.past_steps, places=places,
        judged=None if judged is None else _marked(view, judged(view), preparation.width),
    )  # fmt: skip

    def loss(inputs: tuple[Tensor, ...], generator: torch.Generator | None) -> Tensor:
        past, seen, valid = model.past(*inputs)  # (batch, step, feature) twice, (batch, step)
        standard, present = model.own(*inputs)  # (batch, width) each
        present = present if model.judged is None else present * model.judged
        if generator is not None:
            seen = seen * (torch.rand(seen.shape, generator=generator) >= config.feature_dropout)
            past = (past + config.noise * torch.randn(past.shape, generator=generator)) * seen
        mean, log_variance = network(past, seen, valid)
        error = (standard - mean) * torch.exp(-0.5 * log_variance)
        nats = 0.5 * log_variance + 0.5 * (FREEDOM + 1) * torch.log(1 + error.square() / FREEDOM)
        return (nats * present).sum() / present.sum().clamp(min=1.0)

    inputs = [tensors(rows, model.inputs) for rows in (part.train, part.validation)]
    curve = fit(network, loss, inputs[0], inputs[1], config, report)
    _calibrate(model.eval(), part.validation)
    return Trained(TorchModel(model), curve, lambda rows, _: _squared_error(model, rows))


def _marked(view: FeatureView, names: frozenset[str], width: int) -> Tensor:
    """1 for the history's features of these names, else 0, float (width)."""
    assert view.history is not None
    found = [float(name in names) for name in view.history.features]
    if not any(found):
        raise TrainingRefused(
            f"view {view.name} has none of {', '.join(sorted(names)) or 'what is judged'} in its history; add one"
        )
    return nn.functional.pad(torch.tensor(found), (0, width - len(found)))


@torch.no_grad()
def _calibrate(model: SequenceSurprise, validation: Rows) -> None:
    parts = [tensors(rows, model.inputs) for rows in in_parts(validation)]
    error, present = (torch.cat(each) for each in zip(*(model.errors(*each) for each in parts), strict=True))
    set_feature_tails(model.tail, error, present)
    if model.value_tail is not None:
        standard, present = (torch.cat(each) for each in zip(*(model.own(*each) for each in parts), strict=True))
        set_feature_tails(model.value_tail, standard, present)
    totals = torch.cat([model.total(*each) for each in parts]).numpy()
    set_calibration(model.calibration, totals, model.preparation.width)


@torch.no_grad()
def _squared_error(model: SequenceSurprise, rows: Rows) -> NDArray[np.float32]:
    found = []
    for each in in_parts(rows):
        mean, _, standard, present = model.forecast(*tensors(each, model.inputs))
        error = (standard - mean).square() * present
        found.append(error.sum(dim=1) / present.sum(dim=1).clamp(min=1.0))
    result: NDArray[np.float32] = torch.cat(found).numpy()
    return result
