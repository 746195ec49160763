"""An isolation forest, the classical detector of unusual vectors; it sees no labels.

Source: Liu, Ting, Zhou 2008, "Isolation forest"; scikit-learn's `IsolationForest`.
"""

from dataclasses import dataclass

import numpy as np
import onnx
from numpy.typing import NDArray
from sklearn.ensemble import IsolationForest

from scoring.features.spec import FeatureView
from scoring.model.graph import SIGNATURE
from scoring.model.rows import Rows
from training.classical import HUGE, OPSETS
from training.config import TrainingConfig
from training.errors import TrainingRefused
from training.isolation_trees import isolation_graph
from training.loop import Report
from training.trainer import Part, Trained, Trainer

TREES = 200


@dataclass(frozen=True, eq=False)
class IsolationModel:
    """A fitted forest as a `Model`; it explains nothing.

    Attributes:
        columns: of the features that it reads, int64[m]: those that vary in training data.
        imputed: the training median of each, in place of a missing value, float32[m].
    """

    forest: IsolationForest
    columns: NDArray[np.int64]
    imputed: NDArray[np.float32]

    def graphs(self, rows: Rows, signature: str) -> tuple[bytes, None]:
        """The scoring graph."""
        model = isolation_graph(self.forest, self.columns, self.imputed, HUGE, rows.features.shape[1], OPSETS)
        entry = model.metadata_props.add()
        entry.key, entry.value = SIGNATURE, signature
        onnx.checker.check_model(model)
        return bytes(model.SerializeToString(deterministic=True)), None

    def scores(self, rows: Rows) -> NDArray[np.float32]:
        """By scikit-learn, in (0, 1)."""
        found: NDArray[np.float32] = -self.forest.score_samples(self.inputs(rows.features)).astype(np.float32)
        return found

    def contributions(self, rows: Rows) -> None:
        """None."""

    def inputs(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """What the forest reads of features, float32[n, m], within what float32 can hold."""
        read = features[:, self.columns]
        found: NDArray[np.float32] = np.clip(np.where(np.isnan(read), self.imputed, read), -HUGE, HUGE)
        return found


def train(view: FeatureView, part: Part, config: TrainingConfig, report: Report) -> Trained:
    """A forest of 200 trees, each over 256 rows; the validation part stays unused, as nothing is stopped or calibrated.

    Raises:
        TrainingRefused: no feature varies.
    """
    given = part.train.features
    columns = np.flatnonzero([len(np.unique(column[~np.isnan(column)])) > 1 for column in given.T])
    if not len(columns):
        raise TrainingRefused("no feature varies in the training part; give more events")
    imputed = np.nanmedian(given[:, columns], axis=0).astype(np.float32)
    forest = IsolationForest(n_estimators=TREES, max_samples=min(256, len(given)), random_state=config.seed)
    model = IsolationModel(forest, columns, imputed)
    forest.fit(model.inputs(given))
    return Trained(model, None, lambda rows, labels: model.scores(rows) ** 2)


TRAINER = Trainer(
    inputs=("features",),
    meaning=(
        "how soon random cuts isolate the event: 2 to the power of minus the mean path over the usual one; about a half "
        "is usual, 1 (isolated at once) is the cap"
    ),
    contributions=None,
    error="isolation score",
    defaults=TrainingConfig(),
    fit=train,
    score_kind="intensity",
)
