"""What no file does: unpickle, use the per-process hash, swallow errors, or read the clock in the middle."""

import ast
from pathlib import Path

from tests.support.source_tree import PACKAGES, dotted, imported_modules, python_files, tree_of

PICKLES = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
WALL_CLOCK = {
    "time.time",
    "time.time_ns",
    "datetime.now",
    "datetime.utcnow",
    "datetime.today",
    "datetime.datetime.now",
    "datetime.datetime.utcnow",
    "datetime.datetime.today",
    "date.today",
    "datetime.date.today",
}
CLOCK = Path("scoring/clock.py")


def calls(path: Path) -> list[tuple[int, str, ast.Call]]:
    found = [node for node in ast.walk(tree_of(path)) if isinstance(node, ast.Call)]
    return [(node.lineno, dotted(node.func), node) for node in found]


def keyword(call: ast.Call, name: str) -> object:
    for given in call.keywords:
        if given.arg == name and isinstance(given.value, ast.Constant):
            return given.value.value
    return None


def test_nothing_is_ever_pickled() -> None:
    """Reading a pickle runs whatever its writer wanted; models and state are plain data here."""
    wrong = [
        f"{path}:{line}: imports {name}; use msgspec, Parquet or ONNX"
        for path in python_files()
        for line, name in imported_modules(path)
        if name.split(".")[0] in PICKLES
    ]
    for path in python_files():
        for line, name, call in calls(path):
            if name.split(".")[-1] == "load" and keyword(call, "allow_pickle") is True:
                wrong.append(f"{path}:{line}: loads with allow_pickle; save arrays without objects")
            if name == "torch.load" and keyword(call, "weights_only") is not True:
                wrong.append(f"{path}:{line}: torch.load without weights_only=True; it unpickles otherwise")
    assert not wrong, "\n".join(wrong)


def test_the_builtin_hash_is_not_called() -> None:
    """It differs from process to process, so a restart would give other identities to the same records."""
    wrong = [
        f"{path}:{line}: calls hash(); use scoring.features.hashing"
        for path in python_files()
        for line, name, _ in calls(path)
        if name == "hash"
    ]
    assert not wrong, "\n".join(wrong)


def test_the_wall_clock_is_read_in_one_place() -> None:
    """Time is an argument: what reads the clock in the middle cannot be replayed."""
    wrong = [
        f"{path}:{line}: calls {name}(); take the time as an argument or use {CLOCK}"
        for path in python_files(*PACKAGES)
        if path != CLOCK
        for line, name, _ in calls(path)
        if name in WALL_CLOCK
    ]
    assert not wrong, "\n".join(wrong)


def test_no_error_is_swallowed_whole() -> None:
    """`except: pass` turns the first sign of a fault into the last."""
    wrong = [
        f"{path}:{node.lineno}: catches everything and does nothing; catch what is expected, or let it rise"
        for path in python_files(*PACKAGES)
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or dotted(node.type) in ("Exception", "BaseException"))
        and all(isinstance(line, ast.Pass | ast.Continue) for line in node.body)
    ]
    assert not wrong, "\n".join(wrong)
