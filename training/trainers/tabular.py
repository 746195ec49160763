"""The probability of label 1 by an ensemble of networks that share their weights; for scorers over `features`.

Source: Gorishniy, Kotelnikov, Babenko 2024, "TabM: advancing tabular deep learning with parameter-efficient ensembling".
"""

from torch import nn

from scoring.features.spec import FeatureView
from training.classical import ERROR
from training.config import TrainingConfig
from training.loop import Report
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


def train(
    view: FeatureView, part: Part, config: TrainingConfig, report: Report, *, shape: Shape = DEFAULT_SHAPE
) -> Trained:
    """A calibrated ensemble over the features.

    Raises:
        TrainingRefused: there are no labels, or not both classes.
    """
    part = part.labelled()
    preparation = Preparation(fit_scaling(part.train.features))

    def build(rows: Prepared) -> nn.Module:
        edges = quantile_edges(rows.standard, rows.present, shape.bins)
        return TabularEnsemble(edges, config.widths, shape.members, config.dropout)

    return train_probability(view, part, config, report, preparation=preparation, inputs=("features",), build=build)


TRAINER = Trainer(
    inputs=("features",),
    meaning="the probability of {outcome}: the mean over networks that share their weights, scaled to fit later events",
    contributions=CONTRIBUTIONS,
    error=ERROR,
    defaults=TrainingConfig(
        epochs=40, batch_rows=256, learning_rate=2e-3, weight_decay=3e-4, dropout=0.2, noise=0.0, feature_dropout=0.0,
        patience=8, widths=(64, 64),
    ),
    fit=train,
    score_kind="probability",
    supervised=True,
)  # fmt: skip
