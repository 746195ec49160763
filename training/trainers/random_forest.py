"""A random forest on imputed features; a baseline. Source: Breiman 2001, "Random forests"."""

from functools import partial

from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline

from training.classical import ERROR, PROBABILITY, train_classifier
from training.config import TrainingConfig
from training.trainer import Trainer


def build(config: TrainingConfig) -> Pipeline:
    """300 trees with at least 5 rows a leaf: probabilities of single rows are hardly any."""
    return make_pipeline(
        SimpleImputer(strategy="median", keep_empty_features=True),
        RandomForestClassifier(n_estimators=300, min_samples_leaf=5, random_state=config.seed, n_jobs=1),
    )


TRAINER = Trainer(
    inputs=("features",),
    meaning=PROBABILITY,
    contributions=None,
    error=ERROR,
    defaults=TrainingConfig(),
    fit=partial(train_classifier, build=build),
    score_kind="probability",
    supervised=True,
)
