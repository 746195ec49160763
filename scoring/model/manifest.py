"""What a bundle says about itself: `manifest.json`, the one file whose hash is the bundle's digest."""

import hashlib
from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from schemas.score import ScoreKind
from scoring.model.errors import RefusedBundle

FORMAT = 1
MANIFEST_FILE = "manifest.json"
MODEL_FILE = "model.onnx"
EXPLAIN_FILE = "explain.onnx"
OUTPUTS_FILE = "outputs.onnx"
MOST_MANIFEST_BYTES = 1_000_000
QUANTILES = (0.01, 0.05, 0.25, 0.50, 0.75, 0.95, 0.99)
Input = Literal["features", "history"]


class Contributions(msgspec.Struct, frozen=True, kw_only=True):
    """How the model explains itself.

    Attributes:
        method: how the shares are found.
        explains: the quantity they sum to.
    """

    method: str
    explains: str


class NamedOutput(msgspec.Struct, frozen=True, kw_only=True):
    """What a model says beside its score: an array of numbers under one name.

    Attributes:
        name: key in the score's `outputs`.
        unit: of its numbers, `percent`.
        horizon: what it is said of, `next period`.
        axis, labels: what its numbers are for, such as `level` with `0.95` and `0.99`; one number without an axis.
    """

    name: str
    unit: str
    horizon: str
    axis: str = ""
    labels: tuple[str, ...] = ("",)


class TrainingSpan(msgspec.Struct, frozen=True, kw_only=True):
    """What the model was trained on.

    Attributes:
        data: names of the files, without folders.
        licence: of the data; `unknown` when nobody said.
        rows: events that were used.
        first_event_ms, last_event_ms: event time of the first and the last of them, calibration included.
        seed: of every random choice.
        arguments: the training configuration, by name.
    """

    data: tuple[str, ...]
    licence: str
    rows: int
    first_event_ms: int
    last_event_ms: int
    seed: int
    arguments: dict[str, Any]


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything about a bundle that is not in its graphs.

    Attributes:
        scorer, trainer: which scorer it is for, and which trainer made it.
        score_kind, meaning: what a score of it means; `meaning` is a sentence for people.
        view, view_digest: name and digest of the feature view.
        features: names of the columns of the input `features`, in order; NaN is missing.
        inputs: the inputs of the graphs, from a closed set.
        history_features: names of the columns of the input `history`, in order; empty without it.
        history_length: steps of the input `history`; 0 without it.
        contributions: what the second graph's output means; None without a second graph.
        outputs: what the third graph's columns mean, one after another; empty without a third graph.
        baseline: per feature the 1, 5, 25, 50, 75, 95 and 99 % quantiles of the training data, or null.
        thresholds: suggested `watch` and `alert`, from the calibration.
        training, metrics, libraries: where it comes from, how good it is, and what made it.
        files: SHA-256 of every file of the bundle, in hex.
        permitted_use: what it was made for, in the scorer's words; empty in bundles made before this was noted.
        protected: attributes nobody may be judged by, which the training data had; never among the features.
    """

    scorer: str
    trainer: str
    score_kind: ScoreKind
    meaning: str
    view: str
    view_digest: str
    features: tuple[str, ...]
    inputs: tuple[Input, ...]
    history_features: tuple[str, ...] = ()
    history_length: int = 0
    contributions: Contributions | None = None
    outputs: tuple[NamedOutput, ...] = ()
    baseline: dict[str, tuple[float | None, ...]]
    thresholds: dict[str, float]
    training: TrainingSpan
    metrics: dict[str, Any]
    libraries: dict[str, str]
    files: dict[str, str]
    permitted_use: str = ""
    protected: tuple[str, ...] = ()
    format: int = FORMAT


def encode_manifest(manifest: Manifest) -> bytes:
    """The manifest as indented JSON for people and machines; the same bytes for the same content."""
    return msgspec.json.format(msgspec.json.encode(manifest, order="sorted"), indent=2) + b"\n"


def decode_manifest(raw: bytes, where: object) -> Manifest:
    """The manifest of these bytes, checked for what it can say by itself.

    Args:
        where: the file's name, for the error.

    Raises:
        RefusedBundle: not JSON of this shape, another format, or parts that contradict each other.
    """
    if len(raw) > MOST_MANIFEST_BYTES:
        raise RefusedBundle(
            where, f"{len(raw)} bytes; expected at most {MOST_MANIFEST_BYTES}", "train it again"
        )
    try:
        manifest = msgspec.json.decode(raw, type=Manifest)
    except msgspec.DecodeError as error:
        raise RefusedBundle(
            where, f"not a manifest: {error}", "restore the file or train the bundle again"
        ) from None
    for broken in _contradictions(manifest):
        raise RefusedBundle(where, broken, "restore the file or train the bundle again")
    return manifest


def digest_of(raw: bytes) -> str:
    """16 hex digits of the SHA-256 of the manifest's bytes: the identity of the bundle."""
    return hashlib.sha256(raw).hexdigest()[:16]


def signature_of(features: Sequence[str], history_features: Sequence[str], history_length: int) -> str:
    """16 hex digits over the ordered names of the model's inputs.

    The graphs carry it in their metadata, so that a manifest whose names were reordered no longer fits them.

    >>> signature_of(("amount", "count_1h"), (), 0) == signature_of(("count_1h", "amount"), (), 0)
    False
    """
    named = [list(features), list(history_features), history_length]
    return hashlib.sha256(msgspec.json.encode(named)).hexdigest()[:16]


def _contradictions(manifest: Manifest) -> list[str]:
    found = []
    if manifest.format != FORMAT:
        found.append(f"format {manifest.format}; this version reads format {FORMAT}")
    if not manifest.features or len(set(manifest.features)) != len(manifest.features):
        found.append("features are empty or named twice")
    if not manifest.inputs or len(set(manifest.inputs)) != len(manifest.inputs):
        found.append(f"inputs {list(manifest.inputs)}; expected features, history or both, once each")
    if ("history" in manifest.inputs) != bool(manifest.history_features and manifest.history_length > 0):
        found.append("history needs history_features and a positive history_length, and these need history")
    unknown = sorted(set(manifest.history_features) - set(manifest.features))
    if unknown:
        found.append(f"history features {', '.join(unknown)} are not among the features")
    judged_by = sorted(set(manifest.protected) & set(manifest.features))
    if judged_by:
        found.append(f"protected attributes {', '.join(judged_by)} are among the features")
    if set(manifest.baseline) - set(manifest.features):
        found.append("the baseline names features the model does not have")
    if any(len(row) != len(QUANTILES) for row in manifest.baseline.values()):
        found.append(f"a baseline without its {len(QUANTILES)} quantiles")
    if MODEL_FILE not in manifest.files:
        found.append(f"files lack {MODEL_FILE}")
    if (EXPLAIN_FILE in manifest.files) != (manifest.contributions is not None):
        found.append(f"{EXPLAIN_FILE} and contributions need each other")
    if (OUTPUTS_FILE in manifest.files) != bool(manifest.outputs):
        found.append(f"{OUTPUTS_FILE} and outputs need each other")
    if len({each.name for each in manifest.outputs}) != len(manifest.outputs):
        found.append("outputs are named twice")
    found += [
        f"file name {name!r} is not plain"
        for name in manifest.files
        if "/" in name or "\\" in name or ".." in name
    ]
    return found
