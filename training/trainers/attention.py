"""Surprise of the next vector by self-attention over the past ones; for scorers over a view with history."""

from functools import partial

from torch import nn

from training.config import TrainingConfig
from training.groups import CONTRIBUTIONS
from training.networks.attention import AttentionForecaster
from training.sequence import MEANING, train_sequence
from training.trainer import Trainer


def build(features: int, config: TrainingConfig) -> nn.Module:
    """The forecaster for so many features of a past vector."""
    return AttentionForecaster(features, config.widths[-1], config.past_steps, config.dropout)


TRAINER = Trainer(
    inputs=("history",),
    meaning=MEANING.format(network="self-attention"),
    contributions=CONTRIBUTIONS,
    error="forecast error in standard deviations",
    defaults=TrainingConfig(widths=(32,), feature_dropout=0.05, noise=0.05, dropout=0.1, epochs=20),
    fit=partial(train_sequence, build=build),
)
