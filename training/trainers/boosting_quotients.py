"""Gradient-boosted small trees that also read quotients of features, as `tabular_quotients` does: its strongest rival."""

from functools import partial

from sklearn.ensemble import HistGradientBoostingClassifier

from training.classical import CONTRIBUTIONS, ERROR, PROBABILITY, train_classifier
from training.config import TrainingConfig
from training.trainer import Trainer
from training.trainers.tabular_quotients import PAIRS


def build(config: TrainingConfig) -> HistGradientBoostingClassifier:
    """300 trees of 8 leaves, each split from a seventh of the columns: few labels, many columns that say the same."""
    return HistGradientBoostingClassifier(
        max_iter=300, learning_rate=0.06, max_leaf_nodes=8, l2_regularization=1.0, max_features=0.15,
        early_stopping=False, random_state=config.seed,
    )  # fmt: skip


TRAINER = Trainer(
    inputs=("features",),
    meaning=PROBABILITY + "; quotients of features are among what it reads",
    contributions=CONTRIBUTIONS,
    error=ERROR,
    defaults=TrainingConfig(),
    fit=partial(train_classifier, build=build, pair_count=PAIRS),
    score_kind="probability",
    supervised=True,
)
