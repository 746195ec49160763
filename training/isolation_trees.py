"""An isolation forest of scikit-learn as one tree operator of ONNX, with missing values imputed before it."""

import math
from collections import defaultdict
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from sklearn.ensemble import IsolationForest

from training.boosted_trees import not_above

_EULER = 0.5772156649015329


def usual_depth(rows: int) -> float:
    """Mean steps of an unsuccessful search in a binary tree over so many rows; 0 for one row.

    Source: Liu, Ting, Zhou 2008, "Isolation forest", equation 1.

    >>> round(usual_depth(256), 3), usual_depth(2), usual_depth(1)
    (10.245, 1.0, 0.0)
    """
    if rows <= 2:
        return float(rows - 1)
    return 2.0 * (math.log(rows - 1.0) + _EULER) - 2.0 * (rows - 1.0) / rows


def isolation_graph(
    forest: IsolationForest,
    columns: NDArray[np.int64],
    imputed: NDArray[np.float32],
    bound: float,
    features: int,
    opsets: dict[str, int],
) -> onnx.ModelProto:
    """The graph of a fitted forest: `features` float32[n, features] to `score` float32[n].

    The score is 2 to the power of minus the mean path over the usual one; a leaf's path is its depth and the usual
    depth of the training rows it holds.

    Args:
        columns: of the features, which the forest reads, int64[m].
        imputed: what stands in for a missing value, float32[m].
        bound: values are kept within plus and minus it.
    """
    usual = usual_depth(forest.max_samples_)
    nodes = [
        helper.make_node("Gather", ["features", "columns"], ["read"], axis=1),
        helper.make_node("IsNaN", ["read"], ["missing"]),
        helper.make_node("Where", ["missing", "imputed", "read"], ["known"]),
        helper.make_node("Clip", ["known", "least", "most"], ["given"]),
        helper.make_node(
            "TreeEnsembleRegressor", ["given"], ["paths"], domain="ai.onnx.ml", n_targets=1, base_values=[0.0],
            aggregate_function="SUM", post_transform="NONE", **_trees(forest, columns=len(columns)),
        ),
        helper.make_node("Mul", ["paths", "rate"], ["power"]),
        helper.make_node("Exp", ["power"], ["column"]),
        helper.make_node("Squeeze", ["column", "last_axis"], ["score"]),
    ]  # fmt: skip
    constants: dict[str, Any] = {
        "columns": columns, "imputed": imputed, "least": np.float32(-bound), "most": np.float32(bound),
        "rate": np.float32(-np.log(2.0) / (usual * len(forest.estimators_))), "last_axis": np.array([1], np.int64),
    }  # fmt: skip
    graph = helper.make_graph(
        nodes,
        "isolation_forest",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["n", features])],
        [helper.make_tensor_value_info("score", TensorProto.FLOAT, ["n"])],
        initializer=[numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    return helper.make_model(
        graph, ir_version=10, opset_imports=[helper.make_opsetid(domain, version) for domain, version in opsets.items()]
    )


def _trees(forest: IsolationForest, *, columns: int) -> dict[str, list[Any]]:
    """The attributes of the tree operator; every leaf's weight is its path."""
    found: dict[str, list[Any]] = defaultdict(list)
    for number, (estimator, used) in enumerate(zip(forest.estimators_, forest.estimators_features_, strict=True)):
        tree, depth = estimator.tree_, {0: 0}
        for place in range(tree.node_count):
            left, right = int(tree.children_left[place]), int(tree.children_right[place])
            leaf = left == right
            if not leaf:
                depth[left] = depth[right] = depth[place] + 1
            found["nodes_treeids"].append(number)
            found["nodes_nodeids"].append(place)
            found["nodes_featureids"].append(0 if leaf else int(used[tree.feature[place]]))
            found["nodes_modes"].append("LEAF" if leaf else "BRANCH_LEQ")
            found["nodes_values"].append(0.0 if leaf else float(not_above(tree.threshold[place])))
            found["nodes_truenodeids"].append(0 if leaf else left)
            found["nodes_falsenodeids"].append(0 if leaf else right)
            if leaf:
                found["target_treeids"].append(number)
                found["target_nodeids"].append(place)
                found["target_ids"].append(0)
                found["target_weights"].append(depth[place] + usual_depth(int(tree.n_node_samples[place])))
    assert max(found["nodes_featureids"], default=0) < columns
    return found
