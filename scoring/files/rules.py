"""The rules of an event type, read from its struct, as polars conditions over whole columns.

The reason for a refusal is not decided here: a row that breaks a rule is encoded and shown to
`schemas.codec.EventDecoder`, so that a file and a topic refuse for the same reasons in the same words.
"""

from dataclasses import dataclass
from functools import cache
from typing import Literal

import msgspec
import polars as pl
from msgspec import inspect

from schemas.codec import SECONDS, WIDEST_TIME_MS
from schemas.event import EventType
from scoring.features.batch import bare
from scoring.files.errors import BadMapping
from scoring.files.mapping import TIME

Kind = Literal["text", "float", "int", "bool"]
TYPES: dict[Kind, pl.DataType] = {
    "text": pl.String(),
    "float": pl.Float64(),
    "int": pl.Int64(),
    "bool": pl.Boolean(),
}


@dataclass(frozen=True)
class FieldRule:
    """What one field of an event may hold.

    Attributes:
        required: the struct has no default for it.
        nullable: it may be null on the wire.
        bounds: msgspec's names of the bounds (ge, gt, le, lt, min_length, max_length) and their values.
        default: value of a missing field that is not required.
    """

    name: str
    kind: Kind
    required: bool
    nullable: bool
    bounds: tuple[tuple[str, float], ...]
    default: object

    def holds(self, column: pl.Expr) -> pl.Expr:
        """True where the typed value obeys the rule; never null."""
        conditions = []
        if self.kind == "float":
            conditions.append(column.is_finite())
        length = column.str.len_chars() if self.kind == "text" else column
        for bound, limit in self.bounds:
            match bound:
                case "min_length":
                    conditions.append(length >= int(limit))
                case "max_length":
                    conditions.append(length <= int(limit))
                case "ge":
                    conditions.append(column >= limit)
                case "gt":
                    conditions.append(column > limit)
                case "le":
                    conditions.append(column <= limit)
                case "lt":
                    conditions.append(column < limit)
        if self.name == TIME:
            conditions.append(plausible(column))
        inside = pl.all_horizontal(conditions) if conditions else pl.lit(True)
        return inside.fill_null(not self.required)


@cache
def field_rules(event_type: EventType) -> dict[str, FieldRule]:
    """The rule of every field of the event type, in the order of the struct.

    Raises:
        BadMapping: a field is of a type that a file's column cannot hold (anything but text, numbers and
            yes/no).
    """
    info = inspect.type_info(event_type.struct)
    assert isinstance(info, inspect.StructType)
    return {field.name: _rule(event_type, field) for field in info.fields}


def _rule(event_type: EventType, field: inspect.Field) -> FieldRule:
    whole = bare(field.type)
    kinds = tuple(map(bare, whole.types)) if isinstance(whole, inspect.UnionType) else (whole,)
    nullable = any(isinstance(each, inspect.NoneType) for each in kinds)
    kept = [each for each in kinds if not isinstance(each, inspect.NoneType)]
    kind = _kind(kept[0]) if len(kept) == 1 else None
    if kind is None:
        raise BadMapping(
            f"{event_type.name}.{field.name} is {field.type}; files carry text, numbers and yes/no: feed "
            "JSON lines "
            "of this event type with another producer"
        )
    names = ("ge", "gt", "le", "lt", "min_length", "max_length")
    bounds = tuple((name, value) for name in names if (value := getattr(kept[0], name, None)) is not None)
    default = None if field.default is msgspec.NODEFAULT else field.default
    return FieldRule(field.name, kind, field.required, nullable, bounds, default)


def _kind(kind: inspect.Type) -> Kind | None:
    match kind:
        case inspect.StrType(pattern=None):
            return "text"
        case inspect.FloatType(multiple_of=None):
            return "float"
        case inspect.IntType(multiple_of=None):
            return "int"
        case inspect.BoolType():
            return "bool"
    return None


def plausible(time_ms: pl.Expr) -> pl.Expr:
    """The rules of `schemas.codec.check_time`, over a column; null where there is no time."""
    of_seconds = (time_ms > SECONDS[0]) & (time_ms < SECONDS[1])
    return ~of_seconds & (time_ms > -WIDEST_TIME_MS) & (time_ms < WIDEST_TIME_MS)
