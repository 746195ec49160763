"""Logistic regression of scikit-learn, imputer and scaler included, as a graph whose rows do not depend on their batch.

skl2onnx writes a matrix product, whose bits depend on how many rows there are. Here each row is summed by itself.
"""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from sklearn.pipeline import Pipeline


def logistic_graph(
    pipeline: Pipeline, width: int, opsets: dict[str, int], *, odds: bool = False
) -> onnx.ModelProto:
    """The graph of a fitted pipeline of imputer, scaler and regression: `given` float32[n, width] to float32[n, 1].

    Args:
        width: a multiple of 16, so that sums take the same path whatever the batch.
        odds: whether it gives `log_odds`, added up in float64 as scikit-learn does, and not `probability`.
    """
    imputer, scaler, regression = (step for _, step in pipeline.steps)
    number = np.float64 if odds else np.float32
    slopes = regression.coef_[0] / scaler.scale_
    offset = float(regression.intercept_[0] - (slopes * scaler.center_).sum())
    constants = {
        "medians": imputer.statistics_.astype(np.float32), "slopes": slopes.astype(number),
        "offset": number(offset), "columns_axis": np.array([1], np.int64),
    }  # fmt: skip
    read, said = ("precisely", "exact_odds") if odds else ("imputed", "log_odds")
    nodes = [
        helper.make_node("IsNaN", ["given"], ["missing"]),
        helper.make_node("Where", ["missing", "medians", "given"], ["imputed"]),
        *([helper.make_node("Cast", ["imputed"], ["precisely"], to=TensorProto.DOUBLE)] if odds else ()),
        helper.make_node("Mul", [read, "slopes"], ["parts"]),
        helper.make_node("ReduceSum", ["parts", "columns_axis"], ["total"], keepdims=1),
        helper.make_node("Add", ["total", "offset"], [said]),
        helper.make_node("Cast", ["exact_odds"], ["log_odds"], to=TensorProto.FLOAT)
        if odds
        else helper.make_node("Sigmoid", ["log_odds"], ["probability"]),
    ]
    output = "log_odds" if odds else "probability"
    graph = helper.make_graph(
        nodes,
        "logistic_regression",
        [helper.make_tensor_value_info("given", TensorProto.FLOAT, ["n", width])],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["n", 1])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    return helper.make_model(
        graph, ir_version=10, opset_imports=[helper.make_opsetid(domain, version) for domain, version in opsets.items()]
    )
