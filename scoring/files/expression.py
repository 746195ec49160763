"""Parses the expressions of mappings: arithmetic, conditions, a few functions; nothing is evaluated.

The text is parsed by Python's `ast` and only listed nodes are accepted; what they mean is in `columns.py`.
A column whose name is no identifier is written in backticks: `` `Unit Price` * Quantity ``.
"""

import ast
import re
from dataclasses import dataclass
from functools import lru_cache

from scoring.files.errors import BadMapping

LONGEST = 2_000
DEEPEST = 50
WORDS = {"null": None, "true": True, "false": False}
FUNCTIONS = {
    "abs": "abs(number)",
    "round": "round(number, decimals)",
    "min": "min(number, number, …), or min(number) over the lines of a group",
    "max": "max(number, number, …), or max(number) over the lines of a group",
    "lower": "lower(text)",
    "upper": "upper(text)",
    "before": "before(text, 'separator')",
    "after": "after(text, 'separator')",
    "startswith": "startswith(text, 'start')",
    "sum": "sum(number) over the lines of a group",
    "mean": "mean(number) over the lines of a group",
    "count": "count() of the lines of a group",
    "first": "first(column) of a group",
    "last": "last(column) of a group",
}
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|`([^`]+)`")
_ALLOWED = (
    ast.Expression, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.Call, ast.Constant, ast.Name,
    ast.Tuple, ast.List, ast.Load, ast.Add, ast.Sub, ast.Mult, ast.Div, ast.USub, ast.UAdd, ast.Not, ast.And,
    ast.Or, ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Is, ast.IsNot, ast.In, ast.NotIn,
)  # fmt: skip


@dataclass(frozen=True)
class Expression:
    """A parsed expression.

    Attributes:
        text: as written.
        root: the checked syntax tree; a `Name` holds a column's name as the file spells it.
        columns: the columns it reads, in order of first appearance.
    """

    text: str
    root: ast.expr
    columns: tuple[str, ...]

    @property
    def is_condition(self) -> bool:
        """True when it yields yes or no."""
        if isinstance(self.root, ast.UnaryOp):
            return isinstance(self.root.op, ast.Not)
        if isinstance(self.root, ast.Call) and isinstance(self.root.func, ast.Name):
            return self.root.func.id == "startswith"
        return isinstance(self.root, ast.Compare | ast.BoolOp)


@lru_cache(maxsize=512)
def parse(text: str) -> Expression:
    """The expression of this text.

    Raises:
        BadMapping: it is no expression, too long or too deep, or uses anything that is not listed in
            `FUNCTIONS`.

    >>> parse("`Unit Price` * Quantity").columns
    ('Unit Price', 'Quantity')
    """
    if len(text) > LONGEST:
        raise BadMapping(f"expression of {len(text)} characters; at most {LONGEST} are allowed")
    spelled: dict[str, str] = {}

    def placeholder(match: re.Match[str]) -> str:
        if match.group(1) is None:
            return match.group(0)
        name = f"quoted_column_{len(spelled)}_"
        spelled[name] = match.group(1)
        return name

    try:
        tree = ast.parse(_QUOTED.sub(placeholder, text.strip()), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        found = getattr(error, "msg", None) or str(error)
        raise BadMapping(
            f"expression {text!r}: {found}; write for example Quantity * UnitPrice, or Quantity > 0 and ID "
            "is not null"
        ) from None
    _check(tree, text)
    root = _Spelling(spelled).visit(tree).body
    return Expression(text=text, root=root, columns=tuple(dict.fromkeys(_columns(root))))


def _check(tree: ast.AST, text: str) -> None:
    pending = [(tree, 0)]
    while pending:
        node, depth = pending.pop()
        if depth > DEEPEST:
            raise BadMapping(f"expression {text!r}: nested deeper than {DEEPEST}; split it")
        if not isinstance(node, _ALLOWED):
            raise BadMapping(
                f"expression {text!r}: {type(node).__name__} is not allowed; allowed are + - * / ( ), "
                "comparisons, "
                f"and, or, not, in, is null, and {', '.join(FUNCTIONS)}"
            )
        if isinstance(node, ast.Call):
            known = isinstance(node.func, ast.Name) and node.func.id in FUNCTIONS
            if not known or node.keywords:
                raise BadMapping(
                    f"expression {text!r}: unknown function; known are {'; '.join(FUNCTIONS.values())}"
                )
        if isinstance(node, ast.Constant) and not isinstance(node.value, int | float | str | None):
            raise BadMapping(
                f"expression {text!r}: {type(node.value).__name__} is not allowed; use numbers and texts"
            )
        pending += [(child, depth + 1) for child in ast.iter_child_nodes(node)]


class _Spelling(ast.NodeTransformer):
    """Puts the names of quoted columns back, and turns null, true and false into constants."""

    def __init__(self, spelled: dict[str, str]) -> None:
        self.spelled = spelled

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id in WORDS:
            return ast.Constant(value=WORDS[node.id])
        return ast.Name(id=self.spelled.get(node.id, node.id), ctx=ast.Load())

    def visit_Call(self, node: ast.Call) -> ast.expr:
        node.args = [self.visit(argument) for argument in node.args]
        return node


def _columns(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Name):
        return [node.id]
    children = node.args if isinstance(node, ast.Call) else ast.iter_child_nodes(node)
    return [name for child in children for name in _columns(child)]
