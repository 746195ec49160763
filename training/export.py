"""From a torch model to the two graphs of a bundle, and the check that nothing changed on the way."""

import contextlib
import inspect
import io
import logging
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from scoring.model.graph import SIGNATURE
from scoring.model.manifest import Manifest
from scoring.model.rows import Rows, drawn_rows
from scoring.model.session import Session
from training.errors import TrainingRefused
from training.trainer import Model, SpeakingModel, tensors

OPSET = 18
PARITY = 1e-5
_PARITY_ROWS = 512


class Explaining(nn.Module):
    """The same model, giving its contributions instead of its score."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, *inputs: Tensor) -> Tensor:
        """Contributions (batch, feature)."""
        return self.model.contributions(*inputs)


class Saying(nn.Module):
    """The same model, giving its named outputs instead of its score."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, *inputs: Tensor) -> Tensor:
        """Named outputs (batch, W)."""
        return self.model.outputs(*inputs)


@dataclass(frozen=True, eq=False)
class TorchModel:
    """A torch module as a `Model`; its `forward` gives scores, its `contributions` explains them."""

    module: nn.Module

    def graphs(self, rows: Rows, signature: str) -> tuple[bytes, bytes]:
        """Both graphs."""
        return export_graphs(self.module, rows, signature)

    def score_graph(self, rows: Rows, signature: str) -> bytes:
        """The scoring graph alone, for whoever needs no explanation: half the work."""
        inputs = tensors(rows, self.module.inputs)
        return export_module(self.module, inputs, self.module.inputs, "score", signature)

    @torch.no_grad()
    def scores(self, rows: Rows) -> NDArray[np.float32]:
        """By torch."""
        found: NDArray[np.float32] = self.module(*tensors(rows, self.module.inputs)).numpy()
        return found

    @torch.no_grad()
    def contributions(self, rows: Rows) -> NDArray[np.float32]:
        """By torch."""
        found: NDArray[np.float32] = self.module.contributions(*tensors(rows, self.module.inputs)).numpy()
        return found


@dataclass(frozen=True, eq=False)
class TorchSpeakingModel(TorchModel):
    """A torch module that also has `outputs`, as a `SpeakingModel`."""

    def outputs_graph(self, rows: Rows, signature: str) -> bytes:
        """The third graph."""
        names: tuple[str, ...] = self.module.inputs
        return export_module(Saying(self.module).eval(), tensors(rows, names), names, "outputs", signature)

    @torch.no_grad()
    def outputs(self, rows: Rows) -> NDArray[np.float32]:
        """By torch."""
        found: NDArray[np.float32] = self.module.outputs(*tensors(rows, self.module.inputs)).numpy()
        return found


def export_graphs(model: nn.Module, rows: Rows, signature: str) -> tuple[bytes, bytes]:
    """The scoring graph and the explaining graph, as the bytes of ONNX files; the same for the same weights.

    Args:
        model: in eval mode; `forward` and `contributions` take the tensors named by its `inputs`.
        rows: a few rows, to trace the graph with.
        signature: of the ordered inputs, which the graphs' metadata will say.
    """
    names: tuple[str, ...] = model.inputs
    inputs = tensors(rows, names)
    return (
        export_module(model, inputs, names, "score", signature),
        export_module(Explaining(model).eval(), inputs, names, "contributions", signature),
    )


def export_module(
    module: nn.Module, inputs: tuple[Tensor, ...], names: tuple[str, ...], output: str, signature: str
) -> bytes:
    """The graph of a module's `forward` as the bytes of an ONNX file.

    Args:
        inputs: of a few rows, to trace the graph with; names: what they are called.
        output: what the result is called.
        signature: of the ordered inputs, which the graph's metadata will say.
    """
    batch = torch.export.Dim.DYNAMIC
    shapes = tuple({0: batch} for _ in names)
    with _quiet():
        program = torch.onnx.export(
            module,
            inputs,
            dynamo=True,
            opset_version=OPSET,
            input_names=list(names),
            output_names=[output],
            dynamic_shapes=(shapes,) if _takes_any(module) else shapes,
            external_data=False,
            verbose=False,
        )
    assert program is not None
    model = program.model_proto
    _forget_origins(model)
    entry = model.metadata_props.add()
    entry.key, entry.value = SIGNATURE, signature
    content: bytes = model.SerializeToString(deterministic=True)
    return content


def _takes_any(module: nn.Module) -> bool:
    """Whether a module's `forward` is declared with `*inputs`: the exporter counts these as one."""
    kinds = {parameter.kind for parameter in inspect.signature(module.forward).parameters.values()}
    return inspect.Parameter.VAR_POSITIONAL in kinds


def _forget_origins(model: onnx.ModelProto) -> None:
    """Drops what the exporter notes about files and lines: it differs per machine."""
    del model.metadata_props[:]
    del model.graph.metadata_props[:]
    model.doc_string = model.graph.doc_string = ""
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    for values in (model.graph.input, model.graph.output, model.graph.value_info, model.graph.initializer):
        for value in values:
            del value.metadata_props[:]
            value.doc_string = ""
    del model.graph.value_info[:]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keeps the exporter's progress marks and advice for its own developers off the terminal."""
    level = logging.getLogger("torch.onnx").level
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.getLogger("torch.onnx").setLevel(level)


def check_parity(model: Model, session: Session, manifest: Manifest, rows: Rows) -> float:
    """The greatest difference between the model and its graphs, on these rows and on drawn ones.

    Raises:
        TrainingRefused: a score, a contribution or an output differs by more than 1e-5 (contributions relative to
            their sum, outputs to their size where it is above 1), or the graphs' rows depend on their batch.
    """
    greatest = 0.0
    for part in (rows.take(slice(0, _PARITY_ROWS)), drawn_rows(manifest, _PARITY_ROWS)):
        given = (part.features, part.history, part.lengths)
        greatest = max(greatest, _difference(model.scores(part), session.run(*given)))
        expected = model.contributions(part)
        if expected is not None:
            whole = np.maximum(1.0, np.abs(expected).sum(axis=1, keepdims=True))
            greatest = max(greatest, _difference(expected / whole, session.explain(*given) / whole))
        if manifest.outputs:
            said = cast(SpeakingModel, model).outputs(part)
            whole = np.maximum(1.0, np.abs(said))
            greatest = max(greatest, _difference(said / whole, session.outputs(*given) / whole))
    if greatest > PARITY:
        raise TrainingRefused(
            f"the exported graphs differ from the model by {greatest:.2e}; expected at most {PARITY:.0e}; "
            "report it with the versions of torch, skl2onnx and onnxruntime"
        )
    if not session.batch_invariant:
        raise TrainingRefused(
            "the exported graphs score a row differently in different batches; "
            "choose hidden widths that are multiples of 16"
        )
    return greatest


def _difference(expected: NDArray[np.floating[Any]], found: NDArray[np.floating[Any]]) -> float:
    return float(np.abs(expected - found).max()) if expected.size else 0.0
