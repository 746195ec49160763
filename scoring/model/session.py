"""Runs a model: the only file that imports onnxruntime."""

import hashlib
import platform
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import onnxruntime
import structlog
from numpy.typing import NDArray

from scoring.model.errors import RefusedBundle
from scoring.model.manifest import EXPLAIN_FILE, MODEL_FILE, OUTPUTS_FILE, Manifest
from scoring.model.rows import Rows, drawn_rows, probe_rows

_TYPES = {"features": "tensor(float)", "history": "tensor(float)", "lengths": "tensor(int32)"}
_CHECKED_SIZES = (*range(1, 65), 127, 255, 256, 257, 1_001, 2_003)
_EXPLAINED_SIZES = (*range(1, 17), 31, 33, 65, 129)
"""Of a graph that explains: it runs some 34 rows for one, so few rows are many sizes inside. With all sizes above the ten
shipped bundles took 17.8 s of CPU to load, with these 2.1."""
MOST_ROWS = 512
"""Rows of one call of onnxruntime: enough for its overhead per call, few enough that its working memory stays in the
processor's cache. 512 take 2 to 9 % less time than 256; 4,096 take up to a tenth more, and 100 MB (decision 23)."""

_PROCESSOR_FEATURES = ("fma", "avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_tile", "asimd", "sve")
_RETRAIN = "train the bundle again with `riskstream train`"
logger = structlog.get_logger(__name__)


class Graph:
    """One ONNX graph with a checked signature; equal rows give equal bytes whatever else is in the batch.

    Attributes:
        batch_invariant: whether onnxruntime itself keeps that promise; if not, rows are run one by one.
    """

    def __init__(self, raw: bytes, where: object, *, manifest: Manifest, output: str) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(raw, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime raises a dozen unrelated types for a model it cannot run
            raise RefusedBundle(where, f"onnxruntime cannot load it: {error}", _RETRAIN) from None
        self._where, self._output = where, output
        self._columns = _columns(manifest, output)
        self._names = _check_signature(self._session, where, manifest, output)
        self.batch_invariant = True
        self._check_probes(manifest)
        sizes = _EXPLAINED_SIZES if output == "contributions" else _CHECKED_SIZES
        self.batch_invariant = self._is_batch_invariant(drawn_rows(manifest, max(sizes)), sizes)
        if not self.batch_invariant:
            logger.warning(
                "batch_changes_score", graph=str(where), remedy="rows run one by one; train it again"
            )

    def run(self, rows: Rows) -> NDArray[np.float32]:
        """The output for every row, float32[n] or float32[n, F]."""
        if not len(rows):  # onnxruntime 1.32 ends the process when a GRU gets an empty batch
            return np.zeros((0, *self._columns), np.float32)
        if self.batch_invariant or len(rows) == 1:
            return self._run(rows)
        return np.concatenate([self._run(rows.take(slice(row, row + 1))) for row in range(len(rows))])

    def _run(self, rows: Rows) -> NDArray[np.float32]:
        if len(rows) <= MOST_ROWS:
            return self._call(rows)
        starts = range(0, len(rows), MOST_ROWS)
        return np.concatenate([self._call(rows.take(slice(start, start + MOST_ROWS))) for start in starts])

    def _call(self, rows: Rows) -> NDArray[np.float32]:
        given = {"features": rows.features, "history": rows.history, "lengths": rows.lengths}
        result: NDArray[np.float32] = self._session.run(
            [self._output], {name: given[name] for name in self._names}
        )[0]
        return result

    def _check_probes(self, manifest: Manifest) -> None:
        rows = probe_rows(manifest)
        for name, batch in (("a batch", rows), ("one row", rows.take(slice(0, 1)))):
            try:
                found = self._run(batch)
            except Exception as error:
                raise RefusedBundle(self._where, f"fails on {name} of probes: {error}", _RETRAIN) from None
            expected = (len(batch), *self._columns)
            if found.shape != expected:
                raise RefusedBundle(
                    self._where, f"{self._output} has shape {found.shape} for {expected}", _RETRAIN
                )
            if not np.isfinite(found).all():
                row = int(np.flatnonzero(~np.isfinite(found).reshape(len(batch), -1).all(axis=1))[0])
                raise RefusedBundle(self._where, f"{self._output} of probe {row} is not finite", _RETRAIN)
            if self._output == "score" and not sound(found).all():
                outside = float(found[~sound(found)][0])
                raise RefusedBundle(self._where, f"a probe scores {outside}; expected 0 to 1", _RETRAIN)

    def _is_batch_invariant(self, rows: Rows, sizes: Sequence[int]) -> bool:
        few = min(64, sizes[-1] // 2)
        singly = np.concatenate([self._run(rows.take(slice(row, row + 1))) for row in range(few)])
        whole = self._run(rows)
        if singly.tobytes() != whole[:few].tobytes():
            return False
        if any(self._run(rows.take(slice(0, size))).tobytes() != whole[:size].tobytes() for size in sizes):
            return False
        generator = np.random.default_rng(0)
        permuted = (size for size in (len(rows), 1_024, 333, 48) if size <= len(rows))
        orders = [generator.permutation(len(rows))[:size] for size in permuted]
        return all(self._run(rows.take(order)).tobytes() == whole[order].tobytes() for order in orders)


class Session:
    """A bundle's model ready to score, and its second graph that explains.

    Attributes:
        batch_invariant: False when rows of a graph have to be run one by one.
        explains: whether there is a second graph.
        has_outputs: whether there is a third one, for named outputs.
    """

    def __init__(self, folder: Path, files: dict[str, bytes], manifest: Manifest) -> None:
        self._model = Graph(files[MODEL_FILE], folder / MODEL_FILE, manifest=manifest, output="score")
        self._explain = None
        if EXPLAIN_FILE in files:
            self._explain = Graph(
                files[EXPLAIN_FILE], folder / EXPLAIN_FILE, manifest=manifest, output="contributions"
            )
        self._outputs = None
        if OUTPUTS_FILE in files:
            self._outputs = Graph(
                files[OUTPUTS_FILE], folder / OUTPUTS_FILE, manifest=manifest, output="outputs"
            )
        self.explains = self._explain is not None
        self.has_outputs = self._outputs is not None
        graphs = (self._model, self._explain, self._outputs)
        self.batch_invariant = all(graph.batch_invariant for graph in graphs if graph is not None)

    def run(
        self,
        features: NDArray[np.float32],
        history: NDArray[np.float32] | None = None,
        lengths: NDArray[np.int32] | None = None,
    ) -> NDArray[np.float32]:
        """The score of every row, float32[n], as the model gives it; `sound` says which may be published.

        Args:
            features: float32[n, F], NaN where missing.
            history: float32[n, T, Fh]; needed when the manifest's inputs name it.
            lengths: int32[n], valid steps of `history`.
        """
        return self._model.run(Rows(features, history, lengths))

    def explain(
        self,
        features: NDArray[np.float32],
        history: NDArray[np.float32] | None = None,
        lengths: NDArray[np.int32] | None = None,
    ) -> NDArray[np.float32]:
        """The share of every feature in the score, float32[n, F]; zeros without a second graph."""
        if self._explain is None:
            return np.zeros_like(features)
        return self._explain.run(Rows(features, history, lengths))

    def outputs(
        self,
        features: NDArray[np.float32],
        history: NDArray[np.float32] | None = None,
        lengths: NDArray[np.int32] | None = None,
    ) -> NDArray[np.float32]:
        """The named outputs of every row one after another, float32[n, W]; no column without a third graph."""
        if self._outputs is None:
            return np.zeros((len(features), 0), np.float32)
        return self._outputs.run(Rows(features, history, lengths))


def sound(scores: NDArray[np.float32]) -> NDArray[np.bool_]:
    """bool[n]: which scores are finite and in [0, 1].

    >>> sound(np.array([0.5, float("nan"), 1.5], np.float32)).tolist()
    [True, False, False]
    """
    within: NDArray[np.bool_] = (scores >= 0.0) & (scores <= 1.0)  # false for NaN too
    return within


@cache
def runtime_fingerprint() -> str:
    """A short name of this machine's arithmetic; equal names promise equal bits.

    It holds onnxruntime's version, the machine type and the processor features its kernels choose by.
    """
    features = [name for name in _PROCESSOR_FEATURES if name in _processor_flags()]
    said = f"{onnxruntime.__version__}|{platform.machine()}|{'+'.join(features)}"
    return (
        f"ort{onnxruntime.__version__}-{platform.machine()}-{hashlib.sha256(said.encode()).hexdigest()[:8]}"
    )


def _processor_flags() -> set[str]:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux: the name of the processor stands for its features
        return {platform.processor()}
    return set(" ".join(line for line in lines if line.lower().startswith(("flags", "features"))).split())


def _check_signature(
    session: "onnxruntime.InferenceSession", where: object, manifest: Manifest, output: str
) -> tuple[str, ...]:
    sizes: dict[str, list[int]] = {}
    if "features" in manifest.inputs:
        sizes["features"] = [len(manifest.features)]
    if "history" in manifest.inputs:
        sizes |= {"history": [manifest.history_length, len(manifest.history_features)], "lengths": []}
    found = {entry.name: entry for entry in session.get_inputs()}
    if set(found) != set(sizes):
        raise RefusedBundle(where, f"inputs {sorted(found)}; the manifest says {sorted(sizes)}", _RETRAIN)
    for name, entry in found.items():
        _check_tensor(where, name, entry, sizes[name], _TYPES[name])
    outputs = {entry.name: entry for entry in session.get_outputs()}
    if set(outputs) != {output}:
        raise RefusedBundle(where, f"outputs {sorted(outputs)}; expected only {output}", _RETRAIN)
    _check_tensor(where, output, outputs[output], list(_columns(manifest, output)), "tensor(float)")
    return tuple(found)


def _columns(manifest: Manifest, output: str) -> tuple[int, ...]:
    """The sizes of an output behind its rows."""
    if output == "outputs":
        return (sum(len(each.labels) for each in manifest.outputs),)
    return () if output == "score" else (len(manifest.features),)


def _check_tensor(
    where: object, name: str, entry: "onnxruntime.NodeArg", sizes: list[int], kind: str
) -> None:
    if entry.type != kind:
        raise RefusedBundle(where, f"{name} is {entry.type}; expected {kind}", _RETRAIN)
    shape = entry.shape
    if len(shape) != 1 + len(sizes) or isinstance(shape[0], int) or list(shape[1:]) != sizes:
        raise RefusedBundle(where, f"{name} has shape {shape}; expected {['n', *sizes]}", _RETRAIN)
