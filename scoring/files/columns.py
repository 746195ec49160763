"""Turns parsed expressions into polars expressions over the columns of one file."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from scoring.files.errors import BadMapping
from scoring.files.expression import FUNCTIONS, Expression

_ARITHMETIC = {ast.Add: "__add__", ast.Sub: "__sub__", ast.Mult: "__mul__", ast.Div: "__truediv__"}
_COMPARISONS = {ast.Eq: "eq", ast.NotEq: "ne", ast.Lt: "lt", ast.LtE: "le", ast.Gt: "gt", ast.GtE: "ge"}
_LARGEST_EXACT = 2.0**53


@dataclass(frozen=True)
class Columns:
    """The columns an expression may read.

    Args:
        types: polars type of every column by name.
        source: what is named in errors, for example the file's name.
        grouped: several lines become one event: a bare column means the group's first line.
    """

    types: Mapping[str, pl.DataType]
    source: str
    grouped: bool = False

    def raw(self, name: str) -> pl.Expr:
        """The column as it is (the first of the group when grouped).

        Raises:
            BadMapping: there is no such column.
        """
        self._type(name)
        return pl.col(name).first() if self.grouped else pl.col(name)

    def filled(self, name: str) -> pl.Expr:
        """The column as `raw` has it, with null for text of blanks alone.

        Raises:
            BadMapping: there is no such column.
        """
        value = self.raw(name)
        return pl.when(value.str.strip_chars() != "").then(value) if self._type(name) == pl.String else value

    def number(self, expression: Expression) -> pl.Expr:
        """The expression as float64; null where an input is null or no number.

        Raises:
            BadMapping: an unknown column, or text where a number is needed.
        """
        return _Compiler(self, expression.text).number(expression.root, inside=False)

    def text(self, expression: Expression) -> pl.Expr:
        """The expression as text; null where an input is null.

        Raises:
            BadMapping: an unknown column, or arithmetic where text is needed.
        """
        return _Compiler(self, expression.text).text(expression.root, inside=False)

    def condition(self, expression: Expression) -> pl.Expr:
        """The expression as yes or no; null where an input is null.

        Raises:
            BadMapping: an unknown column, or an expression that is no condition.
        """
        return _Compiler(self, expression.text).condition(expression.root)

    def truth(self, expression: Expression) -> pl.Expr:
        """The expression as yes or no: a condition, a number that is not 0, or the texts true and false.

        Raises:
            BadMapping: an unknown column, or text arithmetic.
        """
        if expression.is_condition:
            return self.condition(expression)
        number = self.number(expression).fill_nan(None) != 0
        root = expression.root
        if not isinstance(root, ast.Name) or not is_text(self._type(root.id)):
            return number
        word = self.raw(root.id).cast(pl.String).str.to_lowercase()
        return pl.coalesce(number, pl.when(word.is_in(["true", "false"])).then(word == "true"))

    def complete(self, expression: Expression) -> pl.Expr:
        """True where every column of the expression is there (on all lines of the group when grouped)."""
        there = [pl.col(name).is_not_null() for name in expression.columns]
        there = [each.all() for each in there] if self.grouped else there
        return pl.all_horizontal(there) if there else pl.lit(True)

    def not_a_number(self, expression: Expression) -> pl.Expr:
        """True where a column of the expression holds not-a-number (on any line of the group); never null."""
        broken = [pl.col(name).is_nan() for name in expression.columns if self._type(name).is_float()]
        broken = [each.any() for each in broken] if self.grouped else broken
        return pl.any_horizontal(broken).fill_null(False) if broken else pl.lit(False)

    def _type(self, name: str) -> pl.DataType:
        if name not in self.types:
            known = ", ".join(column for column in self.types if not column.startswith("__"))
            raise BadMapping(
                f"{self.source}: no column {name!r}; the columns are {known}; correct the mapping"
            )
        return self.types[name]


def text_of(column: pl.Expr, kind: pl.DataType) -> pl.Expr:
    """The column as text: whole floats without decimals (17850.0 is "17850"), not-a-number as null."""
    if kind.is_float():
        whole = column.is_finite() & (column == column.round(0)) & (column.abs() < _LARGEST_EXACT)
        digits = column.cast(pl.Int64, strict=False).cast(pl.String)
        return pl.when(whole).then(digits).when(column.is_finite()).then(column.cast(pl.String))
    return column.cast(pl.String, strict=False)


def number_of(column: pl.Expr, kind: pl.DataType) -> pl.Expr:
    """The column as float64; null where it is no number."""
    return (column.cast(pl.String).str.strip_chars() if is_text(kind) else column).cast(
        pl.Float64, strict=False
    )


def is_number(kind: pl.DataType) -> bool:
    """True for types that arithmetic takes as they are."""
    return kind.is_numeric() or kind == pl.Boolean or kind == pl.Null


def is_text(kind: pl.DataType) -> bool:
    """True for types that hold text."""
    return kind == pl.String or kind == pl.Categorical or kind == pl.Enum


class _Compiler:
    """One expression; `inside` is true within sum(), mean() and the like, where a column means all lines."""

    def __init__(self, columns: Columns, text: str) -> None:
        self.columns, self.source = columns, text

    def number(self, node: ast.expr, *, inside: bool) -> pl.Expr:
        match node:
            case ast.Constant(value=bool() | int() | float() as value):
                return pl.lit(float(value))
            case ast.Name(id=name):
                kind = self.columns._type(name)
                if not is_number(kind) and not is_text(kind):
                    self._refuse(f"column {name!r} is {kind}, expected numbers")
                return number_of(self._column(name, inside), kind)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -self.number(operand, inside=inside)
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.number(operand, inside=inside)
            case ast.BinOp(left=left, op=operator, right=right):
                method = _ARITHMETIC[type(operator)]
                result: pl.Expr = getattr(self.number(left, inside=inside), method)(
                    self.number(right, inside=inside)
                )
                return result
            case ast.Call(func=ast.Name(id=name), args=arguments):
                return self._number_function(name, arguments, inside=inside)
        return self._refuse("expected a number, a column or arithmetic")

    def _number_function(self, name: str, arguments: list[ast.expr], *, inside: bool) -> pl.Expr:
        match name, arguments:
            case "abs", [value]:
                return self.number(value, inside=inside).abs()
            case "round", [value]:
                return self.number(value, inside=inside).round(0)
            case "round", [value, ast.Constant(value=int() as decimals)] if 0 <= decimals <= 15:
                return self.number(value, inside=inside).round(decimals)
            case "min" | "max", [_, _, *_]:
                values = [self.number(value, inside=inside) for value in arguments]
                # polars ignores nulls here; a missing input makes the result missing, as in arithmetic
                least = pl.min_horizontal(values) if name == "min" else pl.max_horizontal(values)
                return pl.when(pl.all_horizontal([value.is_not_null() for value in values])).then(least)
            case "count", []:
                self._needs_group(name, inside)
                return pl.len().cast(pl.Float64)
            case "sum" | "mean" | "min" | "max" | "first" | "last", [value]:
                self._needs_group(name, inside)
                lines = self.number(value, inside=True)
                folded: pl.Expr = getattr(lines, name)()
                # polars skips nulls in sums; an amount that lacks a line would be wrong, so it is missing
                return (
                    folded if name in ("first", "last") else pl.when(lines.is_not_null().all()).then(folded)
                )
        return self._refuse(f"expected {FUNCTIONS[name]} where a number is needed")

    def text(self, node: ast.expr, *, inside: bool) -> pl.Expr:
        match node:
            case ast.Constant(value=str() as value):
                return pl.lit(value)
            case ast.Name(id=name):
                return text_of(self._column(name, inside), self.columns._type(name))
            case ast.Call(func=ast.Name(id="lower" | "upper" as name), args=[value]):
                of = self.text(value, inside=inside).str
                return of.to_lowercase() if name == "lower" else of.to_uppercase()
            case ast.Call(
                func=ast.Name(id="before" | "after" as name), args=[value, ast.Constant(value=str() as mark)]
            ):
                parts = self.text(value, inside=inside).str.splitn(mark, 2)
                return parts.struct[0 if name == "before" else 1]
            case ast.Call(func=ast.Name(id="first" | "last" as name), args=[value]):
                self._needs_group(name, inside)
                lines = self.text(value, inside=True)
                return lines.first() if name == "first" else lines.last()
        return self._refuse(
            "expected a column, 'text', or one of lower, upper, before, after, where text is needed"
        )

    def condition(self, node: ast.expr) -> pl.Expr:
        match node:
            case ast.BoolOp(op=operator, values=values):
                parts = [self.condition(value) for value in values]
                return pl.all_horizontal(parts) if isinstance(operator, ast.And) else pl.any_horizontal(parts)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return ~self.condition(operand)
            case ast.Constant(value=bool() as value):
                return pl.lit(value)
            case ast.Name(id=name) if self.columns._type(name) == pl.Boolean:
                return self.columns.raw(name)
            case ast.Call(func=ast.Name(id="startswith"), args=[value, ast.Constant(value=str() as start)]):
                return self.text(value, inside=False).str.starts_with(start)
            case ast.Compare(left=left, ops=operators, comparators=rights):
                lefts = [left, *rights[:-1]]
                pairs = zip(lefts, operators, rights, strict=True)
                return pl.all_horizontal(
                    [self._compare(one, operator, other) for one, operator, other in pairs]
                )
        return self._refuse("expected a condition, for example Quantity > 0 and CustomerID is not null")

    def _compare(self, left: ast.expr, operator: ast.cmpop, right: ast.expr) -> pl.Expr:
        if isinstance(operator, ast.Is | ast.IsNot):
            if not (isinstance(right, ast.Constant) and right.value is None):
                return self._refuse("`is` goes with null only: write COLUMN is null or COLUMN is not null")
            value = (
                self.columns.raw(left.id) if isinstance(left, ast.Name) else self.number(left, inside=False)
            )
            return value.is_null() if isinstance(operator, ast.Is) else value.is_not_null()
        if isinstance(operator, ast.In | ast.NotIn):
            if not isinstance(right, ast.Tuple | ast.List):
                return self._refuse("`in` goes with a list: write COLUMN in ('a', 'b')")
            either = pl.any_horizontal([self._compare(left, ast.Eq(), each) for each in right.elts])
            return either if isinstance(operator, ast.In) else ~either
        names = [self.columns._type(side.id) for side in (left, right) if isinstance(side, ast.Name)]
        as_text = (
            self._is_text(left) or self._is_text(right) or (len(names) == 2 and all(map(is_text, names)))
        )
        kind = self.text if as_text else self.number
        compared: pl.Expr = getattr(kind(left, inside=False), _COMPARISONS[type(operator)])(
            kind(right, inside=False)
        )
        return compared

    def _is_text(self, node: ast.expr) -> bool:
        """True when a comparison with this side compares text; a text column alone does not decide."""
        match node:
            case ast.Constant(value=str()):
                return True
            case ast.Call(func=ast.Name(id="lower" | "upper" | "before" | "after")):
                return True
        return False

    def _column(self, name: str, inside: bool) -> pl.Expr:
        self.columns._type(name)
        return pl.col(name).first() if self.columns.grouped and not inside else pl.col(name)

    def _needs_group(self, name: str, inside: bool) -> None:
        if not self.columns.grouped:
            self._refuse(f"{name}() of one value needs a [group] section in the mapping")
        if inside:
            self._refuse(f"{name}() stands inside another fold of the group; use one of them")

    def _refuse(self, what: str) -> pl.Expr:
        raise BadMapping(f"expression {self.source!r}: {what}; correct the mapping")
