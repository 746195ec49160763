"""Bundles for tests of the stream: real ONNX graphs whose score follows one feature, made without torch."""

import hashlib
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from scoring.catalog import scorers
from scoring.features.spec import FeatureView
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
from scoring.scorer import Scorer

LEADING = {
    "account_activity": "charge_ratio_30d",
    "bar_activity": "log_return_zscore_90d",
    "symbol_activity": "log_return_zscore_90d",
    "merchant_activity": "merchant_charge_ratio_7d",
    "company_ratios": "total_liabilities_to_total_assets",
    "account_months": "repayment_status",
    "merchant_risk": "merchant_charge_ratio_30d",
}
BIAS = -4.0


def leading_feature(view: FeatureView) -> str:
    """The feature that such a bundle scores by: the named one, or the first."""
    return LEADING.get(view.name, view.feature_names[0])


def write_small_bundle(
    folder: Path, scorer: Scorer, *, bias: float = BIAS, no_score_at: tuple[str, float] | None = None
) -> Path:
    """A bundle of the scorer in `folder/<scorer>/`: the logistic function of its view's leading feature plus `bias`.

    Args:
        no_score_at: a feature and the value of it at which the score is NaN.
    """
    view = scorer.view
    signature = signature_of(view.feature_names, (), 0)
    weights = np.zeros(len(view.feature_names), np.float32)
    weights[view.feature_names.index(leading_feature(view))] = 1.0
    constants = {
        "zero": np.float32(0), "low": np.float32(-1e4), "high": np.float32(1e4), "weights": weights,
        "bias": np.float32(bias), "last": np.array([1], np.int64),
    }  # fmt: skip
    known = [
        helper.make_node("IsNaN", ["features"], ["missing"]),
        helper.make_node("Where", ["missing", "zero", "features"], ["filled"]),
        helper.make_node("Clip", ["filled", "low", "high"], ["known"]),
    ]
    score = [
        *known,
        helper.make_node("Mul", ["known", "weights"], ["weighted"]),
        helper.make_node("ReduceSum", ["weighted", "last"], ["total"], keepdims=0),
        helper.make_node("Add", ["total", "bias"], ["shifted"]),
        helper.make_node("Sigmoid", ["shifted"], ["score" if no_score_at is None else "finite"]),
    ]
    if no_score_at is not None:
        picked = np.zeros(len(view.feature_names), np.float32)
        picked[view.feature_names.index(no_score_at[0])] = 1.0
        constants |= {
            "picked": picked, "odd": np.float32(no_score_at[1]), "nothing": np.float32(np.nan),
        }  # fmt: skip
        score += [
            helper.make_node("Mul", ["known", "picked"], ["apart"]),
            helper.make_node("ReduceSum", ["apart", "last"], ["value"], keepdims=0),
            helper.make_node("Equal", ["value", "odd"], ["hits"]),
            helper.make_node("Where", ["hits", "nothing", "finite"], ["score"]),
        ]
    explain = [*known, helper.make_node("Mul", ["known", "weights"], ["contributions"])]
    width = len(view.feature_names)
    files = {
        MODEL_FILE: _graph(score, constants, "score", ["n"], width, signature),
        EXPLAIN_FILE: _graph(explain, constants, "contributions", ["n", width], width, signature),
    }
    home = folder / scorer.name
    home.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (home / name).write_bytes(content)
    manifest = Manifest(
        scorer=scorer.name, trainer="none", score_kind="tail", meaning="logistic function of one feature",
        view=view.name, view_digest=view.digest, features=view.feature_names, inputs=("features",),
        contributions=Contributions(method="linear", explains="the log-odds"),
        baseline={name: (-2.0, -1.5, -0.5, 0.0, 0.5, 1.5, 2.0) for name in view.feature_names},
        thresholds={"watch": 0.9, "alert": 0.95},
        training=TrainingSpan(
            data=("none",), licence="CC0", rows=0, first_event_ms=0, last_event_ms=0, seed=0, arguments={}
        ),
        metrics={}, libraries={},
        files={name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
    )  # fmt: skip
    (home / MANIFEST_FILE).write_bytes(encode_manifest(manifest))
    return home


def write_all(folder: Path) -> Path:
    """A small bundle for every declared scorer; gives the folder for `bundle_dirs`."""
    for scorer in scorers().values():
        write_small_bundle(folder, scorer)
    return folder


def _graph(nodes, constants, output, shape, width, signature) -> bytes:
    used = {name for node in nodes for name in node.input}
    made = helper.make_graph(
        list(nodes),
        "small",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["n", width])],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, shape)],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items() if name in used],
    )
    model: onnx.ModelProto = helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    entry = model.metadata_props.add()
    entry.key, entry.value = SIGNATURE, signature
    return model.SerializeToString()
