"""A row's score does not depend on its neighbours, whatever onnxruntime does."""

import subprocess
import sys

import numpy as np
import pytest
from onnx import TensorProto, helper

from scoring.model import load_bundle, runtime_fingerprint
from scoring.model.rows import drawn_rows, probe_rows
from scoring.model.session import sound
from tests.scoring.model import handmade


def mean_of_batch():
    """A graph whose score depends on the other rows of the batch."""
    nodes = [
        *handmade.known_part(),
        helper.make_node("ReduceMean", ["known", "rows"], ["average"], keepdims=1),
        helper.make_node("Sub", ["known", "average"], ["apart"]),
        helper.make_node("ReduceSum", ["apart", "last"], ["total"], keepdims=0),
        helper.make_node("Sigmoid", ["total"], ["score"]),
    ]
    constants = [
        *handmade.KNOWN_CONSTANTS[:3],
        handmade.KNOWN_CONSTANTS[4],
        ("rows", np.array([0], np.int64)),
    ]
    return handmade.graph(nodes, constants)


def test_a_model_that_depends_on_the_batch_runs_row_by_row(tmp_path):
    """Replay cuts batches differently from the live stream; equal events must still score equal."""
    session = load_bundle(handmade.write(tmp_path, model=mean_of_batch())).session
    assert not session.batch_invariant
    rows = np.random.default_rng(1).normal(size=(50, 3)).astype(np.float32)
    singly = np.concatenate([session.run(rows[place : place + 1]) for place in range(50)])
    assert session.run(rows).tobytes() == singly.tobytes()


def test_a_sound_model_gives_the_same_bytes_for_every_cut_of_a_batch(tmp_path):
    """The promise the verdict `identical` rests on."""
    session = load_bundle(handmade.write(tmp_path)).session
    rows = np.random.default_rng(2).normal(size=(513, 3)).astype(np.float32)
    whole = session.run(rows)
    for size in (1, 7, 64, 255, 512):
        parts = np.concatenate([session.run(rows[start : start + size]) for start in range(0, 513, size)])
        assert parts.tobytes() == whole.tobytes()


def test_an_empty_batch_gives_no_scores(tmp_path):
    """A poll whose records were all refused still passes the model."""
    session = load_bundle(handmade.write(tmp_path)).session
    empty = np.zeros((0, 3), np.float32)
    assert session.run(empty).shape == (0,)
    assert session.explain(empty).shape == (0, 3)


def test_probes_hold_missing_huge_and_usual_rows():
    """A probe set that forgot the all-missing row would let NaN scores through."""
    rows = probe_rows(handmade.manifest({"model.onnx": b""}, contributions=None)).features
    assert np.isnan(rows).all(axis=1).any()
    assert (rows == 1e30).all(axis=1).any()
    assert (rows == 0).all(axis=1).any()


def test_history_probes_hold_no_step_one_step_and_all_steps():
    """An entity's first event has no past, and a bundle must score it."""
    manifest = handmade.manifest(
        {}, inputs=("features", "history"), history_features=("ratio", "amount"), history_length=4
    )
    for rows in (probe_rows(manifest), drawn_rows(manifest, 200)):
        assert rows.history.shape == (len(rows), 4, 2)
        assert {0, 1, 4} <= set(rows.lengths.tolist())
        steps = np.arange(4)[None, :] < rows.lengths[:, None]
        assert np.isnan(rows.history[~steps]).all()
        row = int(np.flatnonzero(rows.lengths == 4)[0])
        assert rows.history[row, 3].tolist() == pytest.approx(
            rows.features[row, [2, 0]].tolist(), nan_ok=True
        )


def test_a_history_model_gets_history_and_lengths(tmp_path):
    """The closed set of inputs, in the types the engine fills them with."""
    steps = helper.make_tensor_value_info("history", TensorProto.FLOAT, ["n", 4, 2])
    lengths = helper.make_tensor_value_info("lengths", TensorProto.INT32, ["n"])
    nodes = [
        helper.make_node("IsNaN", ["history"], ["missing"]),
        helper.make_node("Cast", ["missing"], ["counted"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["counted", "axes"], ["share"], keepdims=0),
        helper.make_node("Cast", ["lengths"], ["steps"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["steps", "nothing"], ["none"]),
        helper.make_node("Add", ["share", "none"], ["score"]),
    ]
    named = {"history_features": ("ratio", "amount"), "history_length": 4, "inputs": ("history",)}
    signature = handmade.signature_of(handmade.FEATURES, named["history_features"], 4)
    constants = [("axes", np.array([1, 2], np.int64)), ("nothing", np.float32(0))]
    model = handmade.graph(nodes, constants, inputs=[steps, lengths], signature=signature)
    folder = handmade.write(tmp_path, model=model)
    (folder / "explain.onnx").unlink()
    raw = model.SerializeToString()
    manifest = handmade.manifest({"model.onnx": raw}, contributions=None, **named)
    (folder / "manifest.json").write_bytes(handmade.encode_manifest(manifest))
    session = load_bundle(folder).session
    history = np.full((3, 4, 2), np.nan, np.float32)
    history[1, :2] = 1.0
    scores = session.run(np.zeros((3, 3), np.float32), history, np.array([0, 2, 0], np.int32))
    assert scores.tolist() == [1.0, 0.5, 1.0]
    assert not session.explains
    assert session.explain(np.zeros((3, 3), np.float32)).tolist() == np.zeros((3, 3)).tolist()


def test_sound_refuses_what_cannot_be_published():
    """A dead letter of this scorer, not a null on the wire."""
    scores = np.array([0.0, 1.0, -1e-9, 1.0001, np.nan, np.inf], np.float32)
    assert sound(scores).tolist() == [True, True, False, False, False, False]


def test_the_fingerprint_is_short_and_names_the_version():
    """It travels with every score."""
    import onnxruntime

    assert onnxruntime.__version__ in runtime_fingerprint()
    assert len(runtime_fingerprint()) < 40
    assert runtime_fingerprint() == runtime_fingerprint()


def test_loading_a_model_never_imports_torch():
    """Worker, replay and demo run without the training extra."""
    code = "import sys, scoring.model; sys.exit('torch' in sys.modules or 'matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
