"""Loading accepts an honest bundle and refuses every other with file, cause and remedy."""

import msgspec
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from scoring.model import RefusedBundle, find_bundles, load_bundle, require_view
from scoring.model.manifest import EXPLAIN_FILE, MANIFEST_FILE, MODEL_FILE, decode_manifest, encode_manifest
from scoring.views.account_activity import VIEW
from tests.scoring.model import handmade


def refusal(folder) -> RefusedBundle:
    """The refusal of this bundle, which names its file and says what to do."""
    with pytest.raises(RefusedBundle) as caught:
        load_bundle(folder)
    assert str(folder) in caught.value.where
    assert caught.value.remedy in str(caught.value)
    return caught.value


def test_an_honest_bundle_scores_and_explains(tmp_path):
    """The refusals below mean something only if the same bundle, unbroken, loads."""
    bundle = load_bundle(handmade.write(tmp_path))
    rows = np.array([[1, 2, np.nan], [4, 0, 0]], np.float32)
    expected = 1 / (1 + np.exp(-np.array([1.0, 2.0])))
    assert bundle.session.run(rows) == pytest.approx(expected, abs=1e-6)
    assert bundle.session.explain(rows).tolist() == [[0.5, 0.5, 0.0], [2.0, 0.0, 0.0]]
    assert bundle.session.batch_invariant
    assert len(bundle.digest) == 16


def test_the_digest_changes_with_any_word_of_the_manifest(tmp_path):
    """Scores name the digest; two bundles that differ anywhere must never share it."""
    first = load_bundle(handmade.write(tmp_path / "a"))
    second = load_bundle(handmade.write(tmp_path / "b", meaning="another sentence"))
    assert first.digest != second.digest


def test_a_changed_file_is_refused(tmp_path):
    """A model swapped after training would score under another model's name."""
    folder = handmade.write(tmp_path)
    content = (folder / MODEL_FILE).read_bytes()
    (folder / MODEL_FILE).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert "SHA-256" in refusal(folder).cause


def test_a_truncated_file_is_refused(tmp_path):
    """A copy that was cut short is the commonest damage."""
    folder = handmade.write(tmp_path)
    (folder / EXPLAIN_FILE).write_bytes((folder / EXPLAIN_FILE).read_bytes()[:100])
    assert refusal(folder).where.endswith(EXPLAIN_FILE)


def test_a_truncated_graph_with_a_right_hash_is_refused(tmp_path):
    """The hash says only that the file is the one that was hashed."""
    folder = handmade.write(tmp_path)
    files = {MODEL_FILE: handmade.model_graph().SerializeToString()[:150], EXPLAIN_FILE: b"\xff\xff"}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    (folder / MANIFEST_FILE).write_bytes(encode_manifest(handmade.manifest(files)))
    refusal(folder)


def test_a_missing_file_is_refused(tmp_path):
    """Named, so that the operator knows which copy to repeat."""
    folder = handmade.write(tmp_path)
    (folder / MODEL_FILE).unlink()
    assert refusal(folder).where.endswith(MODEL_FILE)


def test_a_missing_folder_is_refused(tmp_path):
    """A wrong path must not look like an empty set of models."""
    assert refusal(tmp_path / "nothing").where.endswith(MANIFEST_FILE)


def test_an_oversized_file_is_refused_before_it_is_read(tmp_path):
    """A worker has a memory limit; a sparse file of any size costs an attacker nothing."""
    folder = handmade.write(tmp_path)
    with (folder / MODEL_FILE).open("r+b") as file:
        file.truncate(1 << 40)
    assert "bytes" in refusal(folder).cause


def test_weights_outside_the_file_are_refused(tmp_path):
    """External data is not covered by the hash of the graph, and may point anywhere on the disk."""
    model = handmade.model_graph()
    weights = model.graph.initializer[3]
    onnx.external_data_helper.set_external_data(weights, location="../weights.bin")
    weights.ClearField("raw_data")
    weights.data_location = TensorProto.EXTERNAL
    assert "outside the file" in refusal(handmade.write(tmp_path, model=model)).cause


def test_a_model_that_reads_what_nobody_may_be_judged_by_is_refused(tmp_path):
    """Sex and age are there to look for unfairness, and would make it as an input."""
    assert "protected" in refusal(handmade.write(tmp_path, protected=(handmade.FEATURES[0],))).cause


@pytest.mark.parametrize(
    "node",
    [
        helper.make_node("RandomUniformLike", ["known"], ["drawn"]),
        helper.make_node("Unique", ["known"], ["drawn"]),
        helper.make_node("PyOp", ["known"], ["drawn"], domain="ai.onnx.contrib"),
    ],
    ids=lambda node: node.op_type,
)
def test_an_operator_outside_the_allow_list_is_refused(tmp_path, node):
    """Randomness breaks replay, row-crossing breaks batches, custom operators run foreign code."""
    model = handmade.model_graph()
    model.graph.node.insert(3, node)
    assert node.op_type in refusal(handmade.write(tmp_path, model=model)).cause


def test_an_operator_hidden_in_a_branch_is_refused(tmp_path):
    """The allow-list must hold in graphs within graphs too."""
    inner = helper.make_graph(
        [helper.make_node("RandomNormal", [], ["out"], shape=[1])],
        "inner", [], [helper.make_tensor_value_info("out", TensorProto.FLOAT, [1])],
    )  # fmt: skip
    node = helper.make_node("Identity", ["known"], ["copy"])
    node.attribute.append(helper.make_attribute("hidden", inner))
    model = handmade.model_graph()
    model.graph.node.append(node)
    assert "RandomNormal" in refusal(handmade.write(tmp_path, model=model)).cause


def features_input(name="features", kind=TensorProto.FLOAT, shape=("n", 3)):
    """The declaration of the input, with one thing changed."""
    return [helper.make_tensor_value_info(name, kind, list(shape))]


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        (features_input(name="rows"), "inputs"),
        (features_input(shape=("n", 4)), "shape"),
        (features_input(shape=(8, 3)), "shape"),
        (features_input(shape=("n", 3, 1)), "shape"),
        (features_input(kind=TensorProto.DOUBLE), "tensor(double)"),
        (features_input() + features_input(name="more"), "inputs"),
    ],
    ids=["name", "width", "fixed batch", "rank", "type", "additional"],
)
def test_other_inputs_than_the_manifest_says_are_refused(tmp_path, inputs, said):
    """The engine fills a closed set of inputs; anything else would fail at the first event, not here."""
    name, kind = inputs[0].name, inputs[0].type.tensor_type.elem_type
    nodes = [
        helper.make_node("Cast", [name], ["numbers"], to=TensorProto.FLOAT),
        helper.make_node("Shape", ["numbers"], ["size"], start=0, end=1),
        helper.make_node("Expand", ["half", "size"], ["score"]),
    ]
    assert kind in (TensorProto.FLOAT, TensorProto.DOUBLE)
    model = handmade.graph(nodes, [("half", np.float32(0.5))], inputs=inputs)
    assert said in refusal(handmade.write(tmp_path, model=model)).cause


@pytest.mark.parametrize("broken", ["name", "shape", "type", "two"])
def test_other_outputs_than_one_score_per_row_are_refused(tmp_path, broken):
    """A score column too many or too few would shift scores between events."""
    nodes = [*handmade.known_part(), helper.make_node("Sigmoid", ["known"], ["all"])]
    constants = [*handmade.KNOWN_CONSTANTS[:3], ("first", np.int64(0)), ("where", np.array([0], np.int64))]
    if broken == "shape":
        nodes.append(helper.make_node("Identity", ["all"], ["score"]))
        outputs = [helper.make_tensor_value_info("score", TensorProto.FLOAT, ["n", 3])]
    else:
        nodes.append(helper.make_node("Gather", ["all", "first"], ["one"], axis=1))
        name, kind = ("risk" if broken == "name" else "score"), TensorProto.FLOAT
        kind = TensorProto.DOUBLE if broken == "type" else kind
        nodes.append(helper.make_node("Cast", ["one"], [name], to=kind))
        outputs = [helper.make_tensor_value_info(name, kind, ["n"])]
        if broken == "two":
            outputs.append(helper.make_tensor_value_info("all", TensorProto.FLOAT, ["n", 3]))
    model = handmade.graph(nodes, constants, outputs=outputs)
    said = {"name": "outputs", "shape": "shape", "type": "tensor(double)", "two": "outputs"}[broken]
    assert said in refusal(handmade.write(tmp_path, model=model)).cause


def test_a_model_that_answers_missing_features_with_nan_is_refused(tmp_path):
    """A score that is not finite would travel as null; entities without history are the normal start."""
    nodes = [
        helper.make_node("Mul", ["features", "weights"], ["weighted"]),
        helper.make_node("ReduceSum", ["weighted", "last"], ["total"], keepdims=0),
        helper.make_node("Sigmoid", ["total"], ["score"]),
    ]
    model = handmade.graph(nodes, handmade.KNOWN_CONSTANTS[3:])
    assert "finite" in refusal(handmade.write(tmp_path, model=model)).cause


def test_a_model_that_scores_outside_zero_to_one_is_refused(tmp_path):
    """Levels are thresholds on [0, 1]; a raw distance is not a score."""
    nodes = [*handmade.known_part(), helper.make_node("ReduceSum", ["known", "last"], ["score"], keepdims=0)]
    constants = [*handmade.KNOWN_CONSTANTS[:3], handmade.KNOWN_CONSTANTS[4]]
    model = handmade.graph(nodes, constants)
    assert "expected 0 to 1" in refusal(handmade.write(tmp_path, model=model)).cause


def test_features_swapped_in_the_manifest_are_refused(tmp_path):
    """The most silent of errors: every column present, every shape right, every score wrong."""
    swapped = (handmade.FEATURES[1], handmade.FEATURES[0], handmade.FEATURES[2])
    assert "ordered features" in refusal(handmade.write(tmp_path, features=swapped)).cause


def test_a_bundle_for_another_state_of_the_view_is_refused(tmp_path):
    """A feature inserted into the view would shift every column behind it."""
    bundle = load_bundle(handmade.write(tmp_path))
    with pytest.raises(
        RefusedBundle, match="features differ from view account_activity: ratio where it has count_1d"
    ):
        require_view(bundle, VIEW)
    names = msgspec.structs.replace(bundle.manifest, features=VIEW.feature_names)
    with pytest.raises(RefusedBundle, match="made for view"):
        require_view(type(bundle)(names, bundle.digest, bundle.session, bundle.folder), VIEW)


@pytest.mark.parametrize(
    "changed",
    [
        {"format": 2},
        {"features": ()},
        {"features": ("amount", "amount", "ratio")},
        {"inputs": ()},
        {"inputs": ("features", "history")},
        {"history_features": ("amount",), "history_length": 4},
        {"baseline": {"unknown": (0.0,) * 7}},
        {"baseline": {"amount": (0.0,)}},
        {"contributions": None},
        {"files": {}},
    ],
    ids=str,
)
def test_a_manifest_that_contradicts_itself_is_refused(tmp_path, changed):
    """Found before any graph is read, and named."""
    assert refusal(handmade.write(tmp_path, **changed)).where.endswith(MANIFEST_FILE)


@pytest.mark.parametrize("name", ["../model.onnx", "a/b", "..", "a\\b"])
def test_a_file_outside_the_folder_is_refused(tmp_path, name):
    """A manifest is data from elsewhere; it must not read files of its choice."""
    files = {MODEL_FILE: "0" * 64, EXPLAIN_FILE: "0" * 64, name: "0" * 64}
    assert "not plain" in refusal(handmade.write(tmp_path, files=files)).cause


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"format":1}', b" " * 2_000_000], ids=lambda c: str(c[:12])
)
def test_a_manifest_that_cannot_be_read_is_refused(tmp_path, content):
    """Every damage ends in the same error type, which start-up knows."""
    folder = handmade.write(tmp_path)
    (folder / MANIFEST_FILE).write_bytes(content)
    assert refusal(folder).where.endswith(MANIFEST_FILE)


def test_a_manifest_survives_its_own_encoding(tmp_path):
    """The digest is over the bytes; writing must be a function of the content."""
    honest = handmade.manifest({MODEL_FILE: b"1", EXPLAIN_FILE: b"2"})
    raw = encode_manifest(honest)
    assert encode_manifest(decode_manifest(raw, "here")) == raw


def test_bundles_are_found_by_digest_in_shipped_and_own_folders(tmp_path):
    """Activations name a digest; where the folder lies must not matter."""
    shipped = handmade.write(tmp_path / "shipped" / "handmade")
    own = handmade.write(tmp_path / "own" / "handmade" / "some_digest", meaning="mine")
    found = find_bundles([tmp_path / "shipped", tmp_path / "own", tmp_path / "absent"], "handmade")
    assert set(found.values()) == {shipped, own}
    assert all(load_bundle(folder).digest == digest for digest, folder in found.items())
    assert find_bundles([tmp_path / "shipped"], "other") == {}
