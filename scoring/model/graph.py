"""Reads an ONNX file without running it: refuses what a scoring graph may not contain."""

from collections.abc import Iterator

import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from scoring.model.errors import RefusedBundle
from scoring.model.operators import ALLOWED, DOMAINS

SIGNATURE = "riskstream.signature"
_RETRAIN = "train the bundle again with `riskstream train`"


def check_graph(raw: bytes, where: object, *, signature: str) -> None:
    """Accepts the bytes of a graph, or says what is wrong with it.

    Args:
        raw: content of the file.
        where: the file's name, for errors.
        signature: what the graph's metadata must say about its ordered inputs.

    Raises:
        RefusedBundle: not ONNX, weights outside the file, an operator outside the allow-list, or a graph
            that was made for other features or another order of them.
    """
    try:
        model = onnx.load_model_from_string(raw)
    except DecodeError as error:
        raise RefusedBundle(
            where, f"not an ONNX model ({error})", "restore the file or train the bundle again"
        ) from None
    if not model.graph.node:
        raise RefusedBundle(where, "the graph is empty", "restore the file or train the bundle again")
    for tensor in _tensors(model):
        if tensor.data_location == onnx.TensorProto.EXTERNAL or tensor.external_data:
            raise RefusedBundle(
                where, f"weights {tensor.name!r} lie outside the file", "export with all weights inside"
            )
    for domain, operator in _operators(model):
        if domain not in DOMAINS or operator not in ALLOWED[DOMAINS[domain]]:
            shown = f"{domain}.{operator}" if domain else operator
            raise RefusedBundle(where, f"operator {shown} is outside the allow-list", _RETRAIN)
    said = {entry.key: entry.value for entry in model.metadata_props}.get(SIGNATURE)
    if said != signature:
        raise RefusedBundle(
            where,
            f"made for inputs {said or 'unnamed'}, the manifest's ordered features are {signature}",
            _RETRAIN,
        )


def _graphs(graph: onnx.GraphProto) -> Iterator[onnx.GraphProto]:
    yield graph
    for node in graph.node:
        yield from _inner_graphs(node)


def _inner_graphs(node: onnx.NodeProto) -> Iterator[onnx.GraphProto]:
    for attribute in node.attribute:
        for inner in (*attribute.graphs, *([attribute.g] if attribute.HasField("g") else [])):
            yield from _graphs(inner)


def _nodes(model: onnx.ModelProto) -> Iterator[onnx.NodeProto]:
    for graph in _graphs(model.graph):
        yield from graph.node
    for function in model.functions:
        for node in function.node:
            yield node
            for inner in _inner_graphs(node):
                yield from inner.node


def _operators(model: onnx.ModelProto) -> Iterator[tuple[str, str]]:
    own = {(function.domain, function.name) for function in model.functions}
    for node in _nodes(model):
        if (node.domain, node.op_type) not in own:
            yield node.domain, node.op_type


def _tensors(model: onnx.ModelProto) -> Iterator[onnx.TensorProto]:
    for graph in _graphs(model.graph):
        yield from graph.initializer
        for sparse in graph.sparse_initializer:
            yield from (sparse.values, sparse.indices)
    for node in _nodes(model):
        for attribute in node.attribute:
            yield from attribute.tensors
            if attribute.HasField("t"):
                yield attribute.t
            for sparse in (*attribute.sparse_tensors, attribute.sparse_tensor):
                yield from (sparse.values, sparse.indices)
