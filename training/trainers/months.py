"""The probability of label 1 by an ensemble over `features` that a recurrent network over `history` adds to."""

from torch import nn

from scoring.features.spec import FeatureView
from training.classical import ERROR
from training.config import TrainingConfig
from training.errors import TrainingRefused
from training.loop import Report
from training.networks.months import MonthsEnsemble, MonthsPreparation
from training.networks.preparation import Preparation
from training.networks.tabular import TabularEnsemble
from training.probability import (
    CONTRIBUTIONS,
    DEFAULT_SHAPE,
    Prepared,
    Shape,
    quantile_edges,
    train_probability,
)
from training.scaling import fit_scaling
from training.trainer import Part, Trained, Trainer

HIDDEN = 32
INPUTS = ("features", "history", "lengths")


def train(
    view: FeatureView, part: Part, config: TrainingConfig, report: Report, *, shape: Shape = DEFAULT_SHAPE
) -> Trained:
    """A calibrated ensemble over the features and the last steps.

    Raises:
        TrainingRefused: there are no labels, not both classes, or the view keeps no vector history.
    """
    if view.history is None:
        raise TrainingRefused(f"view {view.name} keeps no vector history; declare one, or train tabular")
    part = part.labelled()
    own = Preparation(fit_scaling(part.train.features))
    places = [view.feature_names.index(name) for name in view.history.features]
    steps = Preparation(fit_scaling(part.train.features[:, places]))
    width = own.width

    def build(rows: Prepared) -> nn.Module:
        features, present = rows.standard[:, :width], rows.present[:, :width]
        past, seen = (each[:, width:].reshape(-1, steps.width) for each in (rows.standard, rows.present))
        ensemble = TabularEnsemble(
            quantile_edges(features, present, shape.bins), config.widths, shape.members, config.dropout, more=HIDDEN
        )
        return MonthsEnsemble(ensemble, quantile_edges(past, seen, shape.bins), width=width, hidden=HIDDEN)

    return train_probability(
        view, part, config, report, preparation=MonthsPreparation(own, steps), inputs=INPUTS, build=build
    )


TRAINER = Trainer(
    inputs=("features", "history"),
    meaning=(
        "the probability of {outcome}: the mean over networks that share their weights and read the last steps one "
        "after another, scaled to fit later events"
    ),
    contributions=CONTRIBUTIONS,
    error=ERROR,
    defaults=TrainingConfig(
        epochs=25, batch_rows=256, learning_rate=2e-3, weight_decay=3e-4, dropout=0.2, noise=0.0, feature_dropout=0.0,
        patience=5, widths=(64, 64),
    ),
    fit=train,
    score_kind="probability",
    supervised=True,
)  # fmt: skip
