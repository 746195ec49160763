"""Surprise of the next vector by a recurrent forecast; for scorers over a view with history."""

from functools import partial

from torch import nn

from training.config import TrainingConfig
from training.groups import CONTRIBUTIONS
from training.networks.gru import GruForecaster
from training.sequence import MEANING, train_sequence
from training.trainer import Trainer


def build(features: int, config: TrainingConfig) -> nn.Module:
    """The forecaster for so many features of a past vector."""
    return GruForecaster(features, config.widths[-1], config.dropout)


TRAINER = Trainer(
    inputs=("history",),
    meaning=MEANING.format(network="a recurrent network (GRU)"),
    contributions=CONTRIBUTIONS,
    error="forecast error in standard deviations",
    defaults=TrainingConfig(widths=(16,), feature_dropout=0.05, noise=0.05, dropout=0.1, epochs=20),
    fit=partial(train_sequence, build=build),
)
