"""Types and checks prepared rows: events that obey the rules of their type, the others with a reason."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from schemas.codec import EventDecoder, Refused
from schemas.dead_letter import Reason
from schemas.event import EventType
from scoring.files.columns import is_number, is_text, number_of, text_of
from scoring.files.errors import BadMapping
from scoring.files.labels import KNOWN_AT, with_known_at, wrong_labels
from scoring.files.layout import LABEL, PROTECTED, UNREADABLE, Layout
from scoring.files.mapping import TIME
from scoring.files.repeat import SUFFIX
from scoring.files.rules import TYPES, FieldRule, field_rules
from scoring.files.sources import ROW
from scoring.files.times import milliseconds

VALID = "__valid"
_RAW = "__raw_"


@dataclass(frozen=True)
class RefusedRow:
    """A row of a file that cannot be an event, or whose label cannot be one.

    Attributes:
        row: of the file, from 0, header not counted; of a group of lines, the first one.
        reason: the code a dead letter would carry.
        path: JSON path of the offending field; detail: expected and found, without the value.
        file: the file it is in.
    """

    row: int
    reason: Reason
    path: str
    detail: str
    file: Path


@dataclass(frozen=True)
class Chunk:
    """A part of a file, in order.

    Attributes:
        file: the file it comes from (the first one of joined files).
        frame: n events, one column per mapped field in order of the struct: text, float64 with null for
            missing, `occurred_at_ms` int64.
        rows: int64[n], row of the file each event comes from.
        refused: the rows of this part that cannot be events.
        labels: int8[n], 1 or 0 with null for unknown; None when the mapping has no label.
        known_at_ms: int64[n], when the label became known, with null where it is not known; None as `labels`.
        labels_refused: events of this part whose label is no truth, or has no time at which it can be known.
        filtered: rows of this part that the mapping's `where` left out.
        protected: the mapping's protected columns of each event, as the file has them; None when it names none.
    """

    file: Path
    frame: pl.DataFrame
    rows: pl.Series
    refused: list[RefusedRow] = field(default_factory=list)
    labels: pl.Series | None = None
    filtered: int = 0
    protected: pl.DataFrame | None = None
    known_at_ms: pl.Series | None = None
    labels_refused: list[RefusedRow] = field(default_factory=list)


@dataclass(frozen=True)
class Typed:
    """Prepared rows with their typed values and whether each obeys the rules.

    Attributes:
        table: columns of the event, `__raw_FIELD` as the file holds them, `__row`, `__valid` and what the
            layout adds.
    """

    table: pl.DataFrame
    layout: Layout
    file: Path

    @property
    def height(self) -> int:
        """Rows, refused ones included."""
        return self.table.height

    def in_time_order(self) -> "Typed":
        """The rows by event time; equal times keep the file's order, rows without a time come last."""
        if self.table[TIME].null_count() == 0 and self.table[TIME].is_sorted():
            return self
        ordered = self.table.sort(TIME, maintain_order=True, nulls_last=True)
        return Typed(ordered, self.layout, self.file)

    def part(self, start: int, length: int) -> "Typed":
        """The rows from `start` on, `length` of them at most."""
        return Typed(self.table.slice(start, length), self.layout, self.file)

    def until(self, events: int) -> "Typed":
        """The rows up to and with the last of that many valid ones."""
        places = self.table[VALID].arg_true()
        return self if events >= len(places) else self.part(0, int(places[events - 1]) + 1 if events else 0)

    def chunk(self, filtered: int = 0) -> Chunk:
        """The rows as a chunk; every row is an event or a refusal."""
        valid = self.table.filter(VALID)
        refused = [] if valid.height == self.height else self._refusals(self.table.filter(~pl.col(VALID)))
        names = [name for name in field_rules(self.layout.event_type) if name in valid.columns]
        labels = valid[LABEL].alias("label") if LABEL in valid.columns else None
        known = valid[KNOWN_AT].alias("known_at_ms") if labels is not None else None
        apart = {PROTECTED + name: name for name in self.layout.mapping.protected}
        apart = {name: plain for name, plain in apart.items() if name in valid.columns}
        protected = valid.select(list(apart)).rename(apart) if apart else None
        return Chunk(
            self.file, valid.select(names), valid[ROW].alias("row"), refused, labels, filtered, protected, known,
            self._wrong_labels(valid) if labels is not None else [],
        )  # fmt: skip

    def _wrong_labels(self, valid: pl.DataFrame) -> list[RefusedRow]:
        wrong = wrong_labels(valid, self.layout.mapping)
        return [RefusedRow(row, each.reason, each.path, each.detail, self.file) for row, each in wrong]

    def _refusals(self, bad: pl.DataFrame) -> list[RefusedRow]:
        decoder = EventDecoder(self.layout.event_type)
        return [self._refusal(decoder, row) for row in bad.iter_rows(named=True)]

    def _refusal(self, decoder: EventDecoder, row: dict[str, Any]) -> RefusedRow:
        record = as_record(row, self.layout)
        try:
            decoder.decode(record)
        except Refused as refused:
            source = self.layout.fields.get(refused.path.removeprefix("$."))
            origin = f" (from {source.value})" if source is not None and source.kind != "constant" else ""
            return RefusedRow(row[ROW], refused.reason, refused.path, refused.detail + origin, self.file)
        raise AssertionError(
            f"{self.file} row {row[ROW]}: the rules of the file refuse what the decoder accepts"
        )


def typed(prepared: pl.DataFrame, layout: Layout, file: Path, digest: str | None) -> Typed:
    """The prepared rows with every field in its type and checked.

    Args:
        digest: of the file; event ids are derived from it and the row when none is mapped.

    Raises:
        BadMapping: a column's type cannot be the field's.
    """
    rules = {name: rule for name, rule in field_rules(layout.event_type).items() if name in layout.fields}
    table = prepared.rename({name: _RAW + name for name in rules})
    values = [
        _value(rule, table.schema[_RAW + rule.name], layout).alias(rule.name) for rule in rules.values()
    ]
    if digest is not None:
        values.insert(0, _derived_id(digest, melted=SUFFIX in table.columns).alias("event_id"))
        rules["event_id"] = field_rules(layout.event_type)["event_id"]
    table = table.with_columns(values)
    holds = [rule.holds(pl.col(rule.name)) for rule in rules.values()]
    holds += [~_unreadable(name, table.columns) for name in layout.fields]
    table = with_known_at(table.with_columns(pl.all_horizontal(holds).alias(VALID)), layout.mapping)
    filled = [
        pl.col(rule.name).fill_null(rule.default) for rule in rules.values() if rule.default is not None
    ]
    return Typed(table.with_columns(filled) if filled else table, layout, file)


def as_record(row: dict[str, Any], layout: Layout) -> bytes:
    """The JSON record a row would be, faults included: what the decoder is shown to name the reason."""
    parts = []
    for name in field_rules(layout.event_type):
        if name not in row:
            continue
        value, raw = row[name], row.get(_RAW + name)
        if row.get(UNREADABLE + name):
            value = "unreadable"
        elif value is None and raw is not None:
            value = raw if isinstance(raw, float) else str(raw)
        if value is not None:
            parts.append(b'"%s":%s' % (name.encode(), _token(value)))
    return b"{" + b",".join(parts) + b"}"


def _token(value: Any) -> bytes:
    if isinstance(value, float) and value != value:
        return b"NaN"
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        return b"Infinity" if value > 0 else b"-Infinity"
    return msgspec.json.encode(value)


def _value(rule: FieldRule, kind: pl.DataType, layout: Layout) -> pl.Expr:
    column = pl.col(_RAW + rule.name)
    if rule.name == TIME:
        return milliseconds(_RAW + TIME, kind, layout.mapping)
    if rule.kind == "text" and not kind.is_nested() and kind != pl.Binary:
        return text_of(column, kind)
    if rule.kind == "float" and (is_number(kind) or is_text(kind)):
        return number_of(column, kind)
    if rule.kind == "int" and (is_number(kind) or is_text(kind)):
        if kind.is_float():
            return pl.when(column == column.round(0)).then(column.cast(pl.Int64, strict=False))
        return column.cast(pl.Int64, strict=False)
    if rule.kind == "bool" and (kind == pl.Boolean or is_text(kind)):
        words = {"true": True, "false": False}
        return column if kind == pl.Boolean else column.str.to_lowercase().replace_strict(
            words, default=None, return_dtype=pl.Boolean
        )  # fmt: skip
    source = layout.fields[rule.name]
    raise BadMapping(
        f"{layout.source}: {source.value!r} is {kind}, and {rule.name!r} of {layout.event_type.name} is "
        f"{TYPES[rule.kind]}; map another column or an expression"
    )


def _unreadable(name: str, columns: list[str]) -> pl.Expr:
    lost = pl.col(_RAW + name).is_not_null() & pl.col(name).is_null()
    return lost | pl.col(UNREADABLE + name) if UNREADABLE + name in columns else lost


def _derived_id(digest: str, *, melted: bool) -> pl.Expr:
    parts = [pl.lit(digest), pl.col(ROW).cast(pl.String)] + ([pl.col(SUFFIX)] if melted else [])
    return pl.concat_str(parts, separator="-")


def event_fields(event_type: EventType) -> dict[str, pl.DataType]:
    """The polars type of every field of an event type, in the order of the struct."""
    return {name: TYPES[rule.kind] for name, rule in field_rules(event_type).items()}
