"""A model on disk: its manifest, the checks before it may score, and the session that runs it."""

from scoring.model.bundle import Bundle, find_bundles, load_bundle, require_view
from scoring.model.errors import RefusedBundle
from scoring.model.manifest import Manifest
from scoring.model.session import Session, runtime_fingerprint

__all__ = [
    "Bundle",
    "Manifest",
    "RefusedBundle",
    "Session",
    "find_bundles",
    "load_bundle",
    "require_view",
    "runtime_fingerprint",
]
