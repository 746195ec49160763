"""Gradient-boosted trees over binned features, missing values included: the baseline to beat on tables.

Source: Ke et al. 2017, "LightGBM"; scikit-learn's `HistGradientBoostingClassifier`.
"""

from functools import partial

from sklearn.ensemble import HistGradientBoostingClassifier

from training.classical import CONTRIBUTIONS, ERROR, PROBABILITY, train_classifier
from training.config import TrainingConfig
from training.trainer import Trainer


def build(config: TrainingConfig) -> HistGradientBoostingClassifier:
    """At most 400 trees of 31 leaves, stopped early on a tenth of the training rows."""
    return HistGradientBoostingClassifier(
        max_iter=400, learning_rate=0.06, max_leaf_nodes=31, l2_regularization=1.0, early_stopping=True,
        validation_fraction=0.1, n_iter_no_change=20, random_state=config.seed,
    )  # fmt: skip


TRAINER = Trainer(
    inputs=("features",),
    meaning=PROBABILITY,
    contributions=CONTRIBUTIONS,
    error=ERROR,
    defaults=TrainingConfig(),
    fit=partial(train_classifier, build=build),
    score_kind="probability",
    supervised=True,
)
