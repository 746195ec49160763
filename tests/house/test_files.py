"""How files are named, how long they are, and that what is public is explained."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.support.source_tree import PACKAGES, ROOT, project_files, python_files, tree_of

SAY_NOTHING = {"util", "utils", "helper", "helpers", "common", "manager", "base", "misc"}
MOST_LINES = 300
WHY_LONG = re.compile(r"\bin one file\b", re.IGNORECASE)
LEAST_WORDS = 4

Function = ast.FunctionDef | ast.AsyncFunctionDef


def test_names_of_files_say_what_is_inside() -> None:
    """A file named after nothing attracts everything."""
    wrong = [
        f"{path}: {word!r} says nothing; name the file after what it does"
        for path in project_files()
        for part in (*path.parts[:-1], path.stem)
        for word in re.split(r"[^a-z]+", part.lower())
        if word in SAY_NOTHING
    ]
    assert not wrong, "\n".join(wrong)


def test_long_files_say_why() -> None:
    """Past 300 lines a file does more than one thing, unless its docstring says why it is in one file."""
    wrong = []
    for path in python_files():
        lines = len((ROOT / path).read_text().splitlines())
        if lines > MOST_LINES and not WHY_LONG.search(ast.get_docstring(tree_of(path)) or ""):
            wrong.append(f"{path}: {lines} lines; split it, or say in its docstring why it is in one file")
    assert not wrong, "\n".join(wrong)


def test_what_is_public_is_explained() -> None:
    """Meaning, units, shapes and errors are in the docstring or nowhere."""
    wrong = [
        f"{path}:{line}: {name} has no docstring"
        for path in python_files(*PACKAGES, "benchmarks")
        for line, name in unexplained(tree_of(path))
    ]
    assert not wrong, "\n".join(wrong)


def test_tests_are_sentences_and_say_why_they_matter() -> None:
    """A failing test is read by someone who has never seen it."""
    wrong = []
    for path in python_files("tests"):
        for node in ast.walk(tree_of(path)):
            if isinstance(node, Function) and node.name.startswith("test_"):
                if ast.get_docstring(node) is None:
                    wrong.append(
                        f"{path}:{node.lineno}: {node.name} has no docstring that says why it matters"
                    )
                if len(node.name.removeprefix("test_").split("_")) < LEAST_WORDS:
                    wrong.append(f"{path}:{node.lineno}: {node.name} is no sentence")
    assert not wrong, "\n".join(wrong)


def unexplained(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and name of what is public and has no docstring, the module itself included."""
    if tree.body and ast.get_docstring(tree) is None:
        yield 1, "the module"
    for node in tree.body:
        if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_"):
            yield from _unexplained_in(node, "")


def _unexplained_in(node: Function | ast.ClassDef, owner: str) -> Iterator[tuple[int, str]]:
    name = f"{owner}{node.name}"
    if ast.get_docstring(node) is None and not _says_it_by_type(node):
        yield node.lineno, name
    if isinstance(node, ast.ClassDef):
        for member in node.body:
            if isinstance(member, Function | ast.ClassDef) and not member.name.startswith("_"):
                yield from _unexplained_in(member, f"{name}.")


def _says_it_by_type(node: Function | ast.ClassDef) -> bool:
    """A property of a protocol, or one signature of several: explained by its class or its neighbour."""
    stub = all(isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant) for line in node.body)
    marks = {mark.id for mark in node.decorator_list if isinstance(mark, ast.Name)}
    return stub and bool(marks & {"property", "overload"})


def test_the_check_itself_finds_what_is_missing() -> None:
    """A rule that never fails is no rule."""
    tree = ast.parse(
        "def shown(): pass\ndef _hidden(): pass\nclass Thing:\n    '''x'''\n    def act(self): pass\n"
    )
    assert [name for _, name in unexplained(tree)] == ["the module", "shown", "Thing.act"]


def test_each_package_folder_says_what_it_holds() -> None:
    """The folder list is the table of contents."""
    wrong = []
    for folder in sorted({path.parent for path in python_files(*PACKAGES)}):
        start = folder / "__init__.py"
        if start not in project_files() or not ast.get_docstring(tree_of(Path(start))):
            wrong.append(f"{start}: missing or without a docstring")
    assert not wrong, "\n".join(wrong)
