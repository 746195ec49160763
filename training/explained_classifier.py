"""The explaining graph of a classifier: the ablation's rows go through the classifier's own graph as rows."""

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from torch import Tensor, nn

from training.export import export_module
from training.networks.classifier_ablation import ClassifierAblation

_FEW_ROWS = 8


class Asking(nn.Module):
    """Rows (batch, feature) to the rows that the classifier is asked about."""

    def __init__(self, ablation: ClassifierAblation) -> None:
        super().__init__()
        self.ablation = ablation

    def forward(self, features: Tensor) -> Tensor:
        """The rows to ask about, (batch x variant, feature)."""
        return self.ablation.asked(features)


class Sharing(nn.Module):
    """What the classifier said of them to shares of the features."""

    def __init__(self, ablation: ClassifierAblation) -> None:
        super().__init__()
        self.ablation = ablation

    def forward(self, odds: Tensor, features: Tensor) -> Tensor:
        """Contributions (batch, feature); odds are (batch, variant)."""
        return self.ablation.contributions(odds, features)


def explaining_graph(
    ablation: ClassifierAblation, classifier: onnx.ModelProto, rows: NDArray[np.float32], signature: str
) -> bytes:
    """The graph from `features` float32[n, F] to `contributions` float32[n, F], as the bytes of an ONNX file.

    Args:
        ablation: of the features.
        classifier: from `features` float32[n, F] to its only output, log odds float32[n, 1].
        rows: a few, to trace the graph with, float32[n, F].
        signature: of the ordered inputs, which the graph's metadata will say.
    """
    few = torch.from_numpy(np.resize(rows, (_FEW_ROWS, rows.shape[1])))
    said = torch.zeros(_FEW_ROWS, ablation.variants)
    first = export_module(Asking(ablation).eval(), (few,), ("features",), "asked", signature)
    last = export_module(Sharing(ablation).eval(), (said, few), ("odds", "features"), "contributions", signature)
    model = onnx.load_model_from_string(last)
    asking = _renamed(onnx.load_model_from_string(first).graph, "asking", kept={"features", "asked"})
    middle = _renamed(classifier.graph, "classifier", kept=set())
    sharing = _renamed(model.graph, "sharing", kept={"odds", "features", "contributions"})
    graph = helper.make_graph(
        [
            *asking.node,
            helper.make_node("Identity", ["asked"], [middle.input[0].name]),
            *middle.node,
            helper.make_node("Reshape", [middle.output[0].name, "by_row"], ["odds"]),
            *sharing.node,
        ],
        "explained_classifier",
        asking.input,
        sharing.output,
        [
            *asking.initializer, *middle.initializer, *sharing.initializer,
            numpy_helper.from_array(np.array([-1, ablation.variants], np.int64), "by_row"),
        ],
    )  # fmt: skip
    model.graph.CopyFrom(graph)
    del model.opset_import[:]
    model.opset_import.extend(classifier.opset_import)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))


def _renamed(graph: onnx.GraphProto, start: str, *, kept: set[str]) -> onnx.GraphProto:
    """The graph with all names but those kept behind a start of its own, so that graphs can be put together."""
    found = onnx.GraphProto()
    found.CopyFrom(graph)

    def named(name: str) -> str:
        return name if not name or name in kept else f"{start}/{name}"

    for node in found.node:
        node.name = named(node.name)
        node.input[:], node.output[:] = map(named, node.input), map(named, node.output)
    for each in (*found.initializer, *found.input, *found.output):
        each.name = named(each.name)
    return found
