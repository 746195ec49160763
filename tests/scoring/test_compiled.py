"""What compiled functions are handed: arrays that are lent to them instead of counted."""

import ast
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from scoring.compiled import entry, lent

SCORING = Path(__file__).parents[2] / "scoring"


class Pair(NamedTuple):
    """Two arrays of different types."""

    numbers: NDArray[np.float64]
    counts: NDArray[np.int64]


@entry
def _take_one(pair: Pair, more: NDArray[np.float64]) -> float:
    pair, more = lent(pair), lent(more)
    pair.counts[0] += 1
    part = more[1:]
    return pair.numbers[0] + part[0]


def test_lent_arrays_are_those_of_the_caller() -> None:
    """Reading and writing reach the same memory, in a tuple too."""
    pair = Pair(np.array([1.5]), np.array([7]))
    assert _take_one(pair, np.array([0.0, 2.0])) == 3.5
    assert pair.counts.tolist() == [8]


def test_lending_leaves_the_callers_references_alone() -> None:
    """A reference too few frees an array that is in use, one too many never does."""
    pair, more = Pair(np.array([1.5]), np.array([7])), np.array([0.0, 2.0])
    before = [sys.getrefcount(array) for array in (*pair, more)]
    for _ in range(100):
        _take_one(pair, more)
    assert [sys.getrefcount(array) for array in (*pair, more)] == before


def test_only_what_the_caller_holds_is_lent() -> None:
    """An array that compiled code has made is freed behind the last line that names it: lent, it would be read after."""
    lending = {file: _lent_names(ast.parse(file.read_text())) for file in SCORING.rglob("*.py")}
    found = {file: names for file, names in lending.items() if names}
    assert len(found) >= 8, "no file of scoring lends anything: is this test looking at the right ones?"
    for file, functions in found.items():
        for function, (names, arguments) in functions.items():
            assert names <= arguments, f"{file.name}: {function} lends {names - arguments}, which it made"


def _lent_names(tree: ast.Module) -> dict[str, tuple[set[str], set[str]]]:
    """By function: the names it lends, and its arguments."""
    found = {}
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
            names = {ast.unparse(call.args[0]) for call in calls if ast.unparse(call.func) == "lent"}
            if names:
                found[function.name] = (names, {argument.arg for argument in function.args.args})
    return found
