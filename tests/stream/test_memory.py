"""A worker keeps what it frees."""

import platform
import subprocess
import sys

import pytest

FAULTS = """
import resource
import numpy as np
from stream.worker.memory import keep_freed_memory
if {kept}:
    keep_freed_memory()
for _ in range(5):
    np.ones(2_000_000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(50):
    np.ones(2_000_000); np.ones(5_000_000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have no mallopt")
def test_memory_freed_by_one_poll_is_there_for_the_next_without_a_page_fault() -> None:
    """The same work by default faults its pages in again and again."""
    kept, by_default = (_page_faults(kept) for kept in (True, False))
    assert 5 * kept < by_default


def _page_faults(kept: bool) -> int:
    code = FAULTS.format(kept=kept)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    return int(done.stdout)
