"""Boosted trees of scikit-learn as one tree operator of ONNX.

skl2onnx 1.20 writes numbers that onnx 1.23 refuses, and rounds thresholds to the nearest float32, which sends a value
between the two to the other side. Here a threshold becomes the largest float32 that is not above it: every float32 goes
where scikit-learn sends it.
"""

from collections import defaultdict
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from sklearn.ensemble import HistGradientBoostingClassifier

from training.errors import TrainingRefused


def boosted_trees_graph(
    classifier: HistGradientBoostingClassifier, width: int, opsets: dict[str, int]
) -> onnx.ModelProto:
    """The graph of a fitted binary classifier: `given` float32[n, width] to `probability` float32[n, 1].

    Raises:
        TrainingRefused: more than two classes, or categorical splits.
    """
    columns = _columns(classifier)
    columns["nodes_values"] = [float(not_above(each)) for each in columns["nodes_values"]]
    columns["target_weights"] = [float(np.float32(each)) for each in columns["target_weights"]]
    trees = helper.make_node(
        "TreeEnsembleRegressor", ["given"], ["log_odds"], domain="ai.onnx.ml", n_targets=1,
        base_values=[_baseline(classifier)], aggregate_function="SUM", post_transform="NONE", **columns,
    )  # fmt: skip
    nodes = [trees, helper.make_node("Sigmoid", ["log_odds"], ["probability"])]
    return _model(nodes, "probability", width, opsets)


def boosted_log_odds_graph(
    classifier: HistGradientBoostingClassifier, width: int, opsets: dict[str, int]
) -> onnx.ModelProto:
    """The same classifier's `log_odds` float32[n, 1], added up in float64 as scikit-learn does: the same float32s.

    Raises:
        TrainingRefused: as above.
    """
    columns: dict[str, Any] = _columns(classifier)
    precise = {"nodes_values": columns.pop("nodes_values"), "target_weights": columns.pop("target_weights")}
    precise["base_values"] = [_baseline(classifier)]
    for name, values in precise.items():
        columns[f"{name}_as_tensor"] = numpy_helper.from_array(np.array(values, np.float64), name)
    nodes = [
        helper.make_node("Cast", ["given"], ["precisely"], to=TensorProto.DOUBLE),
        helper.make_node(
            "TreeEnsembleRegressor", ["precisely"], ["log_odds"], domain="ai.onnx.ml", n_targets=1,
            aggregate_function="SUM", post_transform="NONE", **columns,
        ),
    ]  # fmt: skip
    return _model(nodes, "log_odds", width, opsets)


def _columns(classifier: HistGradientBoostingClassifier) -> dict[str, list[Any]]:
    """The attributes of the tree operator, numbers as scikit-learn has them."""
    if len(classifier.classes_) != 2:
        raise TrainingRefused(f"boosting found {len(classifier.classes_)} classes; expected labels 0 and 1")
    columns: dict[str, list[Any]] = defaultdict(list)
    for tree, (predictor,) in enumerate(classifier._predictors):
        for place, node in enumerate(predictor.nodes):
            if node["is_categorical"]:
                raise TrainingRefused("boosting made a categorical split; declare no categorical features")
            leaf = bool(node["is_leaf"])
            columns["nodes_treeids"].append(tree)
            columns["nodes_nodeids"].append(place)
            columns["nodes_featureids"].append(0 if leaf else int(node["feature_idx"]))
            columns["nodes_modes"].append("LEAF" if leaf else "BRANCH_LEQ")
            columns["nodes_values"].append(0.0 if leaf else float(node["num_threshold"]))
            columns["nodes_truenodeids"].append(0 if leaf else int(node["left"]))
            columns["nodes_falsenodeids"].append(0 if leaf else int(node["right"]))
            columns["nodes_missing_value_tracks_true"].append(0 if leaf else int(node["missing_go_to_left"]))
            if leaf:
                columns["target_treeids"].append(tree)
                columns["target_nodeids"].append(place)
                columns["target_ids"].append(0)
                columns["target_weights"].append(float(node["value"]))
    return columns


def _baseline(classifier: HistGradientBoostingClassifier) -> float:
    return float(np.ravel(classifier._baseline_prediction)[0])


def _model(nodes: list[onnx.NodeProto], output: str, width: int, opsets: dict[str, int]) -> onnx.ModelProto:
    graph = helper.make_graph(
        nodes,
        "boosted_trees",
        [helper.make_tensor_value_info("given", TensorProto.FLOAT, ["n", width])],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["n", 1])],
    )
    return helper.make_model(
        graph, ir_version=10, opset_imports=[helper.make_opsetid(domain, version) for domain, version in opsets.items()]
    )


def not_above(threshold: float) -> np.float32:
    """The largest float32 that is not above a threshold.

    >>> float(not_above(0.1)), float(np.float32(0.1))
    (0.09999999403953552, 0.10000000149011612)
    """
    nearest: NDArray[np.float32] | np.float32 = np.float32(threshold)
    return np.float32(nearest if float(nearest) <= threshold else np.nextafter(nearest, np.float32(-np.inf)))
