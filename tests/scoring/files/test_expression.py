"""Expressions of mappings mean what they say, and nothing else gets in."""

import contextlib

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.files import BadMapping
from scoring.files.columns import Columns
from scoring.files.expression import parse

FRAME = pl.DataFrame(
    {"price": [2.5, 4.0, None], "count": [2, -3, 5], "name": ["ab_c", "x", None], "text": ["7", "no", "8"]}
)
COLUMNS = Columns(FRAME.schema, "frame")


def numbers(text: str) -> list[float | None]:
    return FRAME.select(COLUMNS.number(parse(text)).alias("value"))["value"].to_list()


def kept(text: str) -> list[int]:
    return FRAME.with_row_index("at").filter(COLUMNS.condition(parse(text)))["at"].to_list()


def test_arithmetic_keeps_the_usual_precedence_and_missing_stays_missing():
    """A missing input must not become zero: an amount would be wrong without anyone knowing."""
    assert numbers("price * count + 1 / 2") == [5.5, -11.5, None]
    assert numbers("-(price - 1) * 2") == [-3.0, -6.0, None]
    assert numbers("max(price, count)") == [2.5, 4.0, None]
    assert numbers("round(abs(count) / 3, 2)") == [0.67, 1.0, 1.67]


def test_text_that_is_a_number_counts_as_one():
    """CSV and JSON lines keep every value as text, so arithmetic has to read it."""
    assert numbers("text + 1") == [8.0, None, 9.0]


def test_conditions_choose_rows_and_unknown_is_not_chosen():
    """SQL-like: a comparison with a missing value is neither true nor false."""
    assert kept("price > 2 and count > 0") == [0]
    assert kept("price is null or count < 0") == [1, 2]
    assert kept("not startswith(name, 'x')") == [0]
    assert kept("name in ('x', 'y')") == [1]
    assert kept("text >= 8") == [2]
    assert kept("1 < count < 5") == [0]


def test_a_column_with_spaces_is_written_in_backticks():
    """Spreadsheets have such headers; renaming the file first would be a chore."""
    frame = pl.DataFrame({"Unit Price": [2.0], "in": [3.0]})
    columns = Columns(frame.schema, "frame")
    value = frame.select(columns.number(parse("`Unit Price` * `in`")).alias("value"))
    assert value["value"].to_list() == [6.0]


def test_parts_of_text_are_taken_before_and_after_a_mark():
    """A symbol is often in the name of the file or behind a prefix."""
    chosen = FRAME.select(COLUMNS.text(parse("upper(before(name, '_'))")).alias("value"))["value"]
    assert chosen.to_list() == ["AB", "X", None]


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('x')",
        "price.real",
        "(lambda: 1)()",
        "[x for x in (1,)]",
        "price ** 9999999",
        "open('x')",
        "f'{price}'",
        "price if count else 0",
        "price +",
        "b'x'",
        "1j",
        "(" * 400 + "1" + ")" * 400,
        "-" * 500 + "1",
        "sum(price)",
        "abs()",
        "missing_column + 1",
    ],
)
def test_anything_else_is_refused_with_the_remedy(text):
    """The text may come from a shared file: it must be unable to do more than arithmetic."""
    with pytest.raises(BadMapping, match=r"expression|column"):
        numbers(text)


@given(st.text(max_size=60))
def test_no_text_does_anything_but_parse_or_be_refused(text):
    """Whatever is typed ends in an expression or in the error that the command line can print."""
    with contextlib.suppress(BadMapping):
        numbers(text)
