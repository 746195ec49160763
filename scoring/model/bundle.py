"""Loads a bundle from its folder, or refuses it with file, cause and remedy."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from scoring.features.spec import FeatureView
from scoring.model.errors import RefusedBundle
from scoring.model.graph import check_graph
from scoring.model.manifest import (
    EXPLAIN_FILE,
    MANIFEST_FILE,
    MODEL_FILE,
    OUTPUTS_FILE,
    Manifest,
    decode_manifest,
    digest_of,
    signature_of,
)
from scoring.model.session import Session

MOST_FILE_BYTES = 64 * 1024 * 1024
_RESTORE = "restore the file or train the bundle again"


@dataclass(frozen=True, eq=False)
class Bundle:
    """A model that passed every check.

    Attributes:
        manifest: what it says about itself.
        digest: 16 hex digits; the identity that scores and activations name.
        session: runs it.
        folder: where it was loaded from.
    """

    manifest: Manifest
    digest: str
    session: Session
    folder: Path


def load_bundle(folder: Path) -> Bundle:
    """The bundle in this folder.

    Raises:
        RefusedBundle: a file is missing, too large or not the one that was hashed; a graph has weights
            outside the file, an operator outside the allow-list, other inputs or outputs than it says, or
            does not give a finite score in [0, 1] for every probe.
    """
    raw = _read(folder / MANIFEST_FILE)
    manifest = decode_manifest(raw, folder / MANIFEST_FILE)
    files = {name: _read_hashed(folder / name, expected) for name, expected in manifest.files.items()}
    signature = signature_of(manifest.features, manifest.history_features, manifest.history_length)
    for name in (MODEL_FILE, EXPLAIN_FILE, OUTPUTS_FILE):
        if name in files:
            check_graph(files[name], folder / name, signature=signature)
    return Bundle(manifest, digest_of(raw), Session(folder, files, manifest), folder)


def find_bundles(folders: Iterable[Path], scorer: str) -> dict[str, Path]:
    """The folder of every bundle of a scorer by its digest; nothing is checked but that a manifest is there.

    Args:
        folders: looked in for `<scorer>/` (as shipped) and `<scorer>/<digest>/` (as trained); the first
            one wins.
    """
    found: dict[str, Path] = {}
    for folder in folders:
        home = folder / scorer
        for manifest in (home / MANIFEST_FILE, *sorted(home.glob(f"*/{MANIFEST_FILE}"))):
            if manifest.is_file():
                found.setdefault(digest_of(manifest.read_bytes()), manifest.parent)
    return found


def require_view(bundle: Bundle, view: FeatureView) -> None:
    """Nothing, when the bundle was made for this very view.

    Raises:
        RefusedBundle: the view's name, digest, ordered features or vector history are not the bundle's.
    """
    manifest, where = bundle.manifest, bundle.folder / MANIFEST_FILE
    retrain = (
        f"train it again with `riskstream train {manifest.scorer}`, or restore scoring/views/{view.name}.py"
    )
    if manifest.features != view.feature_names:
        moved = next(
            (pair for pair in zip(manifest.features, view.feature_names, strict=False) if pair[0] != pair[1]),
            (f"{len(manifest.features)} features", f"{len(view.feature_names)} features"),
        )
        raise RefusedBundle(
            where, f"features differ from view {view.name}: {moved[0]} where it has {moved[1]}", retrain
        )
    history = (view.history.features, view.history.length) if view.history else ((), 0)
    if "history" in manifest.inputs and (manifest.history_features, manifest.history_length) != history:
        raise RefusedBundle(where, f"its vector history is not that of view {view.name}", retrain)
    if (manifest.view, manifest.view_digest) != (view.name, view.digest):
        raise RefusedBundle(
            where,
            f"made for view {manifest.view}@{manifest.view_digest}, the view is {view.name}@{view.digest}",
            retrain,
        )


def _read(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > MOST_FILE_BYTES:
            raise RefusedBundle(
                path, f"{size} bytes; expected at most {MOST_FILE_BYTES}", "train a smaller model"
            )
        return path.read_bytes()
    except OSError as error:
        raise RefusedBundle(path, error.strerror or str(error), _RESTORE) from None


def _read_hashed(path: Path, expected: str) -> bytes:
    content = _read(path)
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise RefusedBundle(
            path,
            f"SHA-256 {found[:12]}… of {len(content)} bytes; the manifest says {expected[:12]}…",
            _RESTORE,
        )
    return content
