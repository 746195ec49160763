"""Logistic regression on imputed, standardised features; a baseline."""

from functools import partial

from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import RobustScaler

from training.classical import CONTRIBUTIONS, ERROR, PROBABILITY, train_classifier
from training.config import TrainingConfig
from training.trainer import Trainer


def build(config: TrainingConfig) -> Pipeline:
    """The median for what is missing, robust scales, ridge penalty of scikit-learn's default strength."""
    return make_pipeline(
        SimpleImputer(strategy="median", keep_empty_features=True),
        RobustScaler(quantile_range=(1, 99)),
        LogisticRegression(max_iter=2_000, random_state=config.seed),
    )


TRAINER = Trainer(
    inputs=("features",),
    meaning=PROBABILITY,
    contributions=CONTRIBUTIONS,
    error=ERROR,
    defaults=TrainingConfig(),
    fit=partial(train_classifier, build=build, padded=True),
    score_kind="probability",
    supervised=True,
)
