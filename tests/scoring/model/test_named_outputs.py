"""A bundle's named outputs fit its third graph, or it does not load."""

import hashlib
from pathlib import Path

import msgspec
import numpy as np
import pytest

import scoring.bundles
from scoring.model import RefusedBundle, load_bundle
from scoring.model.manifest import (
    MANIFEST_FILE,
    OUTPUTS_FILE,
    Manifest,
    NamedOutput,
    decode_manifest,
    encode_manifest,
)
from tests.scoring.model import handmade

SHIPPED = Path(next(iter(scoring.bundles.__path__))) / "bar_volatility"


def changed(folder: Path, **fields: object) -> Path:
    """The shipped bundle of bars with other words in its manifest."""
    manifest: Manifest = decode_manifest((SHIPPED / MANIFEST_FILE).read_bytes(), "shipped")
    for name in manifest.files:
        content = (SHIPPED / name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == manifest.files[name]
        (folder / name).write_bytes(content)
    (folder / MANIFEST_FILE).write_bytes(encode_manifest(msgspec.structs.replace(manifest, **fields)))
    return folder


def test_a_graph_with_other_columns_than_are_named_is_refused(tmp_path):
    """One name too few, and every number behind it would stand under another name."""
    outputs = load_bundle(SHIPPED).manifest.outputs
    with pytest.raises(RefusedBundle, match=r"outputs has shape .*, 5\]; expected \['n', 3\]"):
        load_bundle(changed(tmp_path, outputs=outputs[:2]))


@pytest.mark.parametrize("outputs", [(), (NamedOutput(name="a", unit="percent", horizon="next bar"),) * 5])
def test_outputs_without_names_or_with_one_name_for_all_are_refused(tmp_path, outputs):
    """Readers find a number by its name."""
    with pytest.raises(RefusedBundle, match=r"need each other|named twice"):
        load_bundle(changed(tmp_path, outputs=outputs))


def test_names_without_a_graph_are_refused(tmp_path):
    """They would be promised and never come."""
    named = (NamedOutput(name="a", unit="percent", horizon="next bar"),)
    with pytest.raises(RefusedBundle, match=f"{OUTPUTS_FILE} and outputs need each other"):
        load_bundle(handmade.write(tmp_path, outputs=named))


def test_a_bundle_without_named_outputs_says_nothing_besides(tmp_path):
    """Usual scorers pay nothing for those that say more."""
    session = load_bundle(handmade.write(tmp_path)).session
    assert not session.has_outputs
    assert session.outputs(np.zeros((4, len(handmade.FEATURES)), np.float32)).shape == (4, 0)
