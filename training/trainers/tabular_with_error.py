"""The probability of label 1 by networks that share weights, with an autoencoder's error among their inputs.

The autoencoder learns first and without labels; the ensemble then learns from labels what to make of row and error. Both
are in one graph.
"""

import msgspec
from torch import nn

from scoring.features.spec import FeatureView
from training.classical import ERROR
from training.config import TrainingConfig
from training.export import TorchModel
from training.loop import Report
from training.networks.error_aware import ErrorAware
from training.networks.tabular import TabularEnsemble
from training.networks.vector_surprise import VectorSurprise
from training.probability import DEFAULT_SHAPE, Prepared, train_probability
from training.telling_edges import telling_edges
from training.trainer import Part, Trained, Trainer
from training.trainers import autoencoder, tabular


def train(view: FeatureView, part: Part, config: TrainingConfig, report: Report) -> Trained:
    """A calibrated ensemble over row and error.

    Raises:
        TrainingRefused: there are no labels, or not both classes.
    """
    part = part.labelled()

    def build(rows: Prepared) -> nn.Module:
        edges = telling_edges(rows.standard, rows.present, rows.truth, DEFAULT_SHAPE.bins)
        return TabularEnsemble(edges, config.widths, DEFAULT_SHAPE.members, config.dropout)

    preparation = _rebuilding(view, Part(part.train, part.validation), config)
    return train_probability(view, part, config, report, preparation=preparation, inputs=("features",), build=build)


def _rebuilding(view: FeatureView, part: Part, config: TrainingConfig) -> ErrorAware:
    """The preparation with an autoencoder that is trained on the rows alone."""
    unlabelled = msgspec.structs.replace(autoencoder.TRAINER.defaults, seed=config.seed, epochs=config.epochs)
    made = autoencoder.TRAINER.fit(view, part, unlabelled, lambda *_: None).model
    assert isinstance(made, TorchModel) and isinstance(made.module, VectorSurprise)
    return ErrorAware(made.module.preparation, made.module.network)


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
