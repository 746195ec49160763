"""The examples in docstrings print what they say."""

import doctest
import importlib
from pathlib import Path

import pytest

from tests.support.source_tree import PACKAGES, ROOT, python_files

SHOWN = [path for path in python_files(*PACKAGES, "benchmarks") if ">>> " in (ROOT / path).read_text()]


def test_there_are_examples_to_run() -> None:
    """An empty list would let the test below pass by doing nothing."""
    assert len(SHOWN) > 5


@pytest.mark.parametrize("path", SHOWN, ids=str)
def test_each_example_prints_what_it_says(path: Path) -> None:
    """An example is the first thing a reader believes."""
    if path.parts[0] == "training":
        pytest.importorskip("torch", reason="training modules need the training extra")
    if path.parts[:2] == ("benchmarks", "plots"):
        pytest.importorskip("matplotlib", reason="plots need the training extra")
    module = importlib.import_module(".".join(path.with_suffix("").parts))
    results = doctest.testmod(module, optionflags=doctest.ELLIPSIS)
    assert results.failed == 0
