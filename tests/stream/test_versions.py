"""What `riskstream version` says."""

import re

from scoring.model.session import runtime_fingerprint
from stream.versions import LIBRARIES, versions


def test_every_version_that_decides_behaviour_is_named() -> None:
    """A report of a fault begins with this output."""
    found = versions()
    assert list(found) == ["riskstream", "python", *LIBRARIES, "runtime"]
    assert found["runtime"] == runtime_fingerprint()
    assert all(re.match(r"\d+\.\d+", found[name]) for name in ("riskstream", "python", *LIBRARIES))
