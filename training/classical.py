"""Models of scikit-learn as trainers: the baselines a deep model has to beat, exported, and able to run live."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from scoring.features.spec import FeatureView
from scoring.model.graph import SIGNATURE
from scoring.model.manifest import Contributions
from scoring.model.rows import Rows
from training.boosted_trees import boosted_log_odds_graph, boosted_trees_graph
from training.config import TrainingConfig
from training.errors import TrainingRefused
from training.explained_classifier import explaining_graph
from training.groups import groups_of, usual_values
from training.logistic_graph import logistic_graph
from training.loop import Report
from training.networks.classifier_ablation import ClassifierAblation
from training.quotients import quotients, telling_pairs
from training.trainer import Part, Trained

PROBABILITY = "the probability of {outcome}, as the classifier learned it from labels"
ERROR = "difference of probability and label (Brier)"
OPSETS = {"": 18, "ai.onnx.ml": 3}
HUGE = 1e30
CONTRIBUTIONS = Contributions(
    method=(
        "what is lost without a group of features and gained with it alone, averaged; a group speaks through the feature "
        "that moves the score most when it alone becomes usual"
    ),
    explains="-ln(1 - score), less that of the event with usual values",
)
Build = Callable[[TrainingConfig], Any]


@dataclass(frozen=True, eq=False)
class ClassifierModel:
    """A fitted classifier of scikit-learn over `features` as a `Model`.

    Attributes:
        columns: of the features that it reads, int64[m]: those that vary in training data.
        width: columns it is given; those behind the m and the quotients are 0.
        pairs: of features whose quotients stand behind the m, int64[p, 2].
        ablation: explains it; None where it has no log odds to explain.
    """

    classifier: Any
    columns: NDArray[np.int64]
    width: int
    pairs: NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 2), np.int64))
    ablation: ClassifierAblation | None = None

    def graphs(self, rows: Rows, signature: str) -> tuple[bytes, bytes | None]:
        """The classifier's graph, cut off behind the probability of label 1, and the one that explains it."""
        if self.ablation is None:
            return self.score_graph(rows, signature), None
        zero = {"zero": np.float32(0)}
        odds = _around(self, _log_odds(self.classifier, self.width), rows.features.shape[1], zero)
        return self.score_graph(rows, signature), explaining_graph(self.ablation, odds, rows.features, signature)

    def score_graph(self, rows: Rows, signature: str) -> bytes:
        """The scoring graph alone, for whoever needs no explanation."""
        return _score_graph(self, rows.features.shape[1], signature)

    def scores(self, rows: Rows) -> NDArray[np.float32]:
        """By scikit-learn."""
        given = self.inputs(rows.features)
        found: NDArray[np.float32] = self.classifier.predict_proba(given)[:, 1].astype(np.float32)
        return found

    @torch.no_grad()
    def contributions(self, rows: Rows) -> NDArray[np.float32] | None:
        """By scikit-learn's log odds and torch's ablation."""
        if self.ablation is None:
            return None
        raw = torch.from_numpy(rows.features)
        asked = self.inputs(self.ablation.asked(raw).numpy())
        odds = torch.from_numpy(self.classifier.decision_function(asked).astype(np.float32))
        found: NDArray[np.float32] = self.ablation.contributions(odds.view(len(rows), -1), raw).numpy()
        return found

    def inputs(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """What the classifier reads of features, float32[n, width], within what float32 squares can hold."""
        found = np.zeros((len(features), self.width), np.float32)
        read = np.concatenate([features[:, self.columns], quotients(features, self.pairs)], axis=1)
        found[:, : read.shape[1]] = np.clip(read, -HUGE, HUGE)
        return found


def train_classifier(
    view: FeatureView, part: Part, config: TrainingConfig, report: Report, build: Build, *, padded: bool = False,
    pair_count: int = 0,
) -> Trained:  # fmt: skip
    """A fitted classifier; the validation part stays unused, as nothing is stopped or calibrated.

    Args:
        build: an unfitted classifier that takes NaN for missing values.
        padded: whether it multiplies and adds: then the width has to be a multiple of 16, or the sums depend on the
            batch in onnxruntime.
        pair_count: how many quotients of features it reads besides: those that tell most in the training rows.

    Raises:
        TrainingRefused: there are no labels, or no feature varies.
    """
    if part.train_labels is None:
        raise TrainingRefused("this trainer learns from labels; give a mapping with `label`")
    columns = np.flatnonzero([len(np.unique(column[~np.isnan(column)])) > 1 for column in part.train.features.T])
    if not len(columns):
        raise TrainingRefused("no feature varies in the training part; give more events")
    pairs = telling_pairs(part.train.features, part.train_labels, pair_count)
    width = len(columns) + len(pairs)
    classifier = build(config)
    explained = hasattr(classifier, "decision_function")
    unfitted = ClassifierModel(
        classifier, columns, -(-width // 16) * 16 if padded else width, pairs,
        ClassifierAblation(groups_of(view), usual_values(view, part.train.features)) if explained else None,
    )  # fmt: skip
    model = replace(
        unfitted,
        classifier=unfitted.classifier.fit(unfitted.inputs(part.train.features), part.train_labels.astype(np.int64)),
    )
    return Trained(model, None, lambda rows, labels: brier_errors(model.scores(rows), labels))


def brier_errors(scores: NDArray[np.float32], labels: NDArray[np.int8] | None) -> NDArray[np.float32]:
    """Squared difference of probability and label per row, float32[n]; 0 where the label is unknown."""
    if labels is None:
        return np.zeros(len(scores), np.float32)
    return np.where(labels >= 0, (scores - labels) ** 2, 0.0).astype(np.float32)


def _probabilities(classifier: Any, width: int) -> onnx.ModelProto:
    """The graph from `given` float32[n, width] to the probabilities of label 1, or of both, as its last output."""
    if isinstance(classifier, HistGradientBoostingClassifier):
        return boosted_trees_graph(classifier, width, OPSETS)
    if isinstance(classifier, Pipeline) and isinstance(classifier[-1], LogisticRegression):
        return logistic_graph(classifier, width, OPSETS)
    return to_onnx(
        classifier, initial_types=[("given", FloatTensorType([None, width]))], target_opset=OPSETS,
        options={id(classifier): {"zipmap": False}},
    )  # fmt: skip


def _quotient_nodes() -> list[onnx.NodeProto]:
    """From `features` and `varying` to `read`, which has the quotients behind; as `quotients` makes them."""
    return [
        helper.make_node("Gather", ["features", "pair_over"], ["pair_first"], axis=1),
        helper.make_node("Gather", ["features", "pair_under"], ["pair_second"], axis=1),
        helper.make_node("Div", ["pair_first", "pair_second"], ["pair_divided"]),
        helper.make_node("Abs", ["pair_divided"], ["pair_size"]),
        helper.make_node("Less", ["pair_size", "most"], ["pair_finite"]),
        helper.make_node("Where", ["pair_finite", "pair_divided", "pair_missing"], ["pair_quotients"]),
        helper.make_node("Concat", ["varying", "pair_quotients"], ["read"], axis=1),
    ]


def _log_odds(classifier: Any, width: int) -> onnx.ModelProto:
    """The graph from `given` float32[n, width] to log odds float32[n, 1], the same float32s as scikit-learn's."""
    if isinstance(classifier, HistGradientBoostingClassifier):
        return boosted_log_odds_graph(classifier, width, OPSETS)
    return logistic_graph(classifier, width, OPSETS, odds=True)


def _around(
    trained: ClassifierModel, model: onnx.ModelProto, features: int, constants: dict[str, Any]
) -> onnx.ModelProto:
    """A classifier's graph behind what it reads of `features` float32[n, features].

    Args:
        constants: of the nodes around it, `zero` among them.
    """
    graph, paired = model.graph, len(trained.pairs) > 0
    before = [
        helper.make_node("Gather", ["features", "columns"], ["varying"], axis=1),
        *(_quotient_nodes() if paired else ()),
        helper.make_node("Clip", ["read" if paired else "varying", "least", "most"], ["bounded"]),
        helper.make_node("Pad", ["bounded", "spare", "zero"], ["given"]),
    ]
    nodes = [*before, *graph.node]
    del graph.node[:], graph.input[:]
    graph.node.extend(nodes)
    constants = {
        "columns": trained.columns.astype(np.int64), "least": np.float32(-HUGE), "most": np.float32(HUGE),
        "spare": np.array([0, 0, 0, trained.width - len(trained.columns) - len(trained.pairs)], np.int64), **constants,
    }  # fmt: skip
    if paired:
        over, under = trained.pairs.T
        constants |= {"pair_over": over.copy(), "pair_under": under.copy(), "pair_missing": np.float32(np.nan)}
    graph.initializer.extend(numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items())
    graph.input.append(helper.make_tensor_value_info("features", TensorProto.FLOAT, ["n", features]))
    return model


def _score_graph(trained: ClassifierModel, features: int, signature: str) -> bytes:
    """A classifier as the graph of a bundle: `features` float32[n, features] to `score` float32[n]."""
    model = _probabilities(trained.classifier, trained.width)
    probabilities, last = model.graph.output[-1].name, 0 if len(model.graph.output) == 1 else 1
    del model.graph.output[:]
    graph = _around(
        trained, model, features, {"last": np.int64(last), "zero": np.float32(0), "one": np.float32(1)}
    ).graph
    graph.node.extend(
        [
            helper.make_node("Gather", [probabilities, "last"], ["of_one"], axis=1),
            helper.make_node("Clip", ["of_one", "zero", "one"], ["score"]),
        ]
    )
    graph.output.append(helper.make_tensor_value_info("score", TensorProto.FLOAT, ["n"]))
    entry = model.metadata_props.add()
    entry.key, entry.value = SIGNATURE, signature
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))
