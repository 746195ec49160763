"""Builds small bundles node by node, so that each rule of loading can be broken on its own."""

import hashlib
from pathlib import Path

import msgspec
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from scoring.model.graph import SIGNATURE
from scoring.model.manifest import (
    EXPLAIN_FILE,
    MANIFEST_FILE,
    MODEL_FILE,
    Contributions,
    Manifest,
    TrainingSpan,
    encode_manifest,
    signature_of,
)

FEATURES = ("amount", "count_1h", "ratio")


def graph(nodes, constants=(), inputs=None, outputs=None, signature=None) -> onnx.ModelProto:
    """A model of these nodes from `features float32[n, 3]` to `score float32[n]`, signed for `FEATURES`."""
    made = helper.make_graph(
        list(nodes),
        "handmade",
        inputs or [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["n", len(FEATURES)])],
        outputs or [helper.make_tensor_value_info("score", TensorProto.FLOAT, ["n"])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    entry = model.metadata_props.add()
    entry.key, entry.value = SIGNATURE, signature or signature_of(FEATURES, (), 0)
    return model


def known_part() -> list[onnx.NodeProto]:
    """Nodes from `features` to `known`: missing values become 0, the others are kept within -10 and 10."""
    return [
        helper.make_node("IsNaN", ["features"], ["missing"]),
        helper.make_node("Where", ["missing", "zero", "features"], ["filled"]),
        helper.make_node("Clip", ["filled", "low", "high"], ["known"]),
    ]


KNOWN_CONSTANTS = (
    ("zero", np.float32(0)),
    ("low", np.float32(-10)),
    ("high", np.float32(10)),
    ("weights", np.array([0.5, 0.25, 0.125], np.float32)),
    ("last", np.array([1], np.int64)),
)


def model_graph() -> onnx.ModelProto:
    """Score = sigmoid of the weighted sum of the known features."""
    nodes = [
        *known_part(),
        helper.make_node("Mul", ["known", "weights"], ["weighted"]),
        helper.make_node("ReduceSum", ["weighted", "last"], ["total"], keepdims=0),
        helper.make_node("Sigmoid", ["total"], ["score"]),
    ]
    return graph(nodes, KNOWN_CONSTANTS)


def explain_graph() -> onnx.ModelProto:
    """Contributions = the weighted known features."""
    nodes = [*known_part(), helper.make_node("Mul", ["known", "weights"], ["contributions"])]
    output = helper.make_tensor_value_info("contributions", TensorProto.FLOAT, ["n", len(FEATURES)])
    return graph(nodes, KNOWN_CONSTANTS[:4], outputs=[output])


def manifest(contents: dict[str, bytes], **changed) -> Manifest:
    """A manifest that fits these files, with some of its parts changed."""
    honest = Manifest(
        scorer="handmade", trainer="none", score_kind="tail", meaning="sigmoid of a weighted sum",
        view="account_activity", view_digest="0" * 16, features=FEATURES, inputs=("features",),
        contributions=Contributions(method="linear", explains="the log-odds"),
        baseline={name: (-2.0, -1.5, -0.5, 0.0, 0.5, 1.5, 2.0) for name in FEATURES},
        thresholds={"watch": 0.9, "alert": 0.95},
        training=TrainingSpan(
            data=("none",), licence="CC0", rows=0, first_event_ms=0, last_event_ms=0, seed=0, arguments={}
        ),
        metrics={}, libraries={},
        files={name: hashlib.sha256(content).hexdigest() for name, content in contents.items()},
    )  # fmt: skip
    return msgspec.structs.replace(honest, **changed)


def write(folder: Path, model=None, explain=None, **changed) -> Path:
    """A bundle in this folder, its hashes right for whatever graphs were given."""
    files = {
        MODEL_FILE: (model or model_graph()).SerializeToString(),
        EXPLAIN_FILE: (explain or explain_graph()).SerializeToString(),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    (folder / MANIFEST_FILE).write_bytes(encode_manifest(manifest(files, **changed)))
    return folder
