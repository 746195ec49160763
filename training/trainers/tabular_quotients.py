"""The probability of label 1 by networks that share weights and also read quotients of features."""

import msgspec
from torch import nn

from scoring.features.spec import FeatureView
from training.classical import ERROR
from training.config import TrainingConfig
from training.loop import Report
from training.networks.preparation import Preparation
from training.networks.quotient_preparation import QuotientPreparation
from training.networks.tabular import TabularEnsemble
from training.probability import CONTRIBUTIONS, DEFAULT_SHAPE, Prepared, Shape, train_probability
from training.quotients import telling_pairs
from training.scaling import fit_scaling
from training.telling_edges import telling_edges
from training.trainer import Part, Trained, Trainer
from training.trainers import tabular

PAIRS = 64


def train(
    view: FeatureView, part: Part, config: TrainingConfig, report: Report, *, shape: Shape = DEFAULT_SHAPE,
    pair_count: int = PAIRS,
) -> Trained:  # fmt: skip
    """A calibrated ensemble over features and quotients of the pairs that tell most in the training rows.

    Raises:
        TrainingRefused: there are no labels, or not both classes.
    """
    part = part.labelled()
    assert part.train_labels is not None
    vectors = part.train.features
    pairs = telling_pairs(vectors, part.train_labels, pair_count)
    preparation = QuotientPreparation(Preparation(fit_scaling(vectors)), pairs, vectors)

    def build(rows: Prepared) -> nn.Module:
        edges = telling_edges(rows.standard, rows.present, rows.truth, shape.bins)
        return TabularEnsemble(edges, config.widths, shape.members, config.dropout)

    return train_probability(view, part, config, report, preparation=preparation, inputs=("features",), build=build)


TRAINER = Trainer(
    inputs=("features",),
    meaning=tabular.TRAINER.meaning + "; quotients of features are among their inputs",
    contributions=CONTRIBUTIONS,
    error=ERROR,
    defaults=msgspec.structs.replace(tabular.TRAINER.defaults, dropout=0.3, feature_dropout=0.1),
    fit=train,
    score_kind="probability",
    supervised=True,
)
