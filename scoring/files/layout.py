"""Shapes the rows of a file into events by join, melt, filter and group; values keep the file's types."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from schemas.event import EventType
from scoring.files.columns import Columns
from scoring.files.errors import BadMapping
from scoring.files.expression import parse
from scoring.files.mapping import TIME, Assignment, Join, Mapping
from scoring.files.repeat import SUFFIX, repeated
from scoring.files.rules import field_rules
from scoring.files.sources import ROW, Source

FILE = "_file"
ROW_NUMBER = "_row"
PROTECTED = "__protected_"
LABEL = "__label"
LABEL_WRONG = "__label_wrong"
LABEL_KNOWN = "__label_known"
UNREADABLE = "__unreadable_"


@dataclass(frozen=True)
class Layout:
    """A mapping applied to one event type and the columns of one input.

    Attributes:
        fields: assignment of every mapped field, in order of the struct; the time stands as a column.
        source: what errors name.
    """

    mapping: Mapping
    event_type: EventType
    fields: dict[str, Assignment]
    source: str

    def columns(self, available: Sequence[str]) -> list[str]:
        """The columns of the file that are needed, in its order."""
        expressions = self.mapping.expressions().values()
        wanted = {name for expression in expressions for name in expression.columns}
        wanted |= {each.value for each in self.fields.values() if each.kind == "column"}
        wanted |= set(self.mapping.group.by) if self.mapping.group else set()
        wanted |= set(self.mapping.protected) & set(available)
        wanted |= {self.mapping.label_known} if self.mapping.label_known else set()
        if self.mapping.repeat is not None:
            wanted = self.mapping.repeat.needed(wanted, available, self.source)
        melt = self.mapping.melt
        if melt is not None:
            wanted = (wanted & set(melt.keep)) | set(
                melt.columns or (n for n in available if n not in melt.keep)
            )
        wanted -= {FILE, ROW_NUMBER}
        missing = sorted(wanted - set(available))
        if missing:
            raise BadMapping(
                f"{self.source}: no column {', '.join(map(repr, missing))}; the columns are "
                f"{', '.join(available)}; "
                f"correct mapping {self.mapping.name} or add --set field=COLUMN"
            )
        return [name for name in available if name in wanted]

    def prepare(self, frame: pl.DataFrame, path: Path) -> tuple[pl.DataFrame, int]:
        """One row per event with the mapped fields as the file has them, and the count `where` left out.

        Beside the fields it has `__row`, `__suffix` when melted or repeated, `__protected_COLUMN`, and
        `__unreadable_FIELD` for expressions: true where they fail although all of their columns are there. When the
        mapping has a label: `__label`, `__label_wrong` where there is something that is no truth, and `__label_known` as
        the file has it.

        Raises:
            BadMapping: an expression does not fit the types of the columns.
        """
        try:
            return self._prepare(frame, path)
        except pl.exceptions.PolarsError as error:
            said = str(error).strip().split("\n")[0]
            raise BadMapping(f"{self.source}: mapping {self.mapping.name} does not fit: {said}") from None

    def _prepare(self, frame: pl.DataFrame, path: Path) -> tuple[pl.DataFrame, int]:
        frame = frame.with_columns(pl.lit(path.stem).alias(FILE), pl.col(ROW).cast(pl.Int64).alias(ROW_NUMBER))
        if self.mapping.nan == "missing":
            frame = frame.with_columns(pl.col(pl.Float32, pl.Float64).fill_nan(None))
        if self.mapping.melt is not None:
            frame = self._melted(frame)
        if self.mapping.repeat is not None:
            frame = repeated(frame, self.mapping.repeat)
        filtered = 0
        if self.mapping.where is not None:
            before = frame.height
            kept = Columns(frame.schema, self.source).condition(parse(self.mapping.where))
            frame = frame.filter(kept)
            filtered = before - frame.height
        group = self.mapping.group
        if group is None:
            return frame.select(self._selected(Columns(frame.schema, self.source))), filtered
        selected = self._selected(Columns(frame.schema, self.source, grouped=True))
        keys = [pl.col(name).alias(f"__group_{place}") for place, name in enumerate(group.by)]
        grouped = frame.group_by(keys, maintain_order=True).agg(selected)
        return grouped.drop(f"__group_{place}" for place in range(len(keys))), filtered

    def _melted(self, frame: pl.DataFrame) -> pl.DataFrame:
        melt = self.mapping.melt
        assert melt is not None
        keep = [name for name in (*melt.keep, FILE, ROW, ROW_NUMBER) if name in frame.columns]
        taken = {melt.name, melt.value} & set(keep)
        if taken:
            raise BadMapping(
                f"{self.source}: melt names {taken.pop()!r}, which is a kept column; take another name"
            )
        turned = [name for name in frame.columns if name not in keep and not name.startswith("__")]
        long = frame.unpivot(on=turned, index=keep, variable_name=melt.name, value_name=melt.value)
        return long.sort(ROW, maintain_order=True).with_columns(pl.col(melt.name).alias(SUFFIX))

    def _selected(self, columns: Columns) -> list[pl.Expr]:
        selected = [columns.raw(ROW).cast(pl.Int64).alias(ROW)]
        if self.mapping.melt is not None or self.mapping.repeat is not None:
            selected.append(columns.raw(SUFFIX).alias(SUFFIX))
        apart = [name for name in self.mapping.protected if name in columns.types]
        selected += [columns.raw(name).alias(PROTECTED + name) for name in apart]
        for field, each in self.fields.items():
            selected += self._field(field, each, columns)
        if self.mapping.label is not None:
            selected += self._label(self.mapping.label, columns)
        return selected

    def _label(self, label: str, columns: Columns) -> list[pl.Expr]:
        expression = parse(label)
        no_number = columns.not_a_number(expression)
        truth = pl.when(~no_number).then(columns.truth(expression).cast(pl.Int8))
        said = [columns.filled(name).is_not_null() for name in expression.columns]
        wrong = no_number | (truth.is_null() & pl.all_horizontal(columns.complete(expression), *said))
        last = self.mapping.repeat.label_at if self.mapping.repeat else None
        if last is not None:
            here = pl.col(SUFFIX) == last
            truth, wrong = pl.when(here).then(truth), here & wrong
        known = [columns.filled(self.mapping.label_known).alias(LABEL_KNOWN)] if self.mapping.label_known else []
        return [truth.alias(LABEL), wrong.alias(LABEL_WRONG), *known]

    def _field(self, field: str, each: Assignment, columns: Columns) -> list[pl.Expr]:
        if each.kind == "column":
            return [columns.raw(each.value).alias(field)]
        if each.kind == "constant":
            constant = pl.lit(each.value)
            return [(constant.first() if columns.grouped else constant).alias(field)]
        expression = parse(each.value)
        kind = field_rules(self.event_type)[field].kind
        if kind == "text":
            return [columns.text(expression).alias(field)]
        value = columns.condition(expression) if kind == "bool" else columns.number(expression)
        failed = value.is_null() & columns.complete(expression)
        return [value.alias(field), failed.alias(UNREADABLE + field)]


def lay_out(mapping: Mapping, event_type: EventType, available: Sequence[str], source: str) -> Layout:
    """The layout of this mapping for an input with these columns.

    Raises:
        BadMapping: a field is unknown to the event type, or a required one is not mapped.
    """
    rules = field_rules(event_type)
    if mapping.event is not None and mapping.event != event_type.name:
        raise BadMapping(
            f"mapping {mapping.name} is for {mapping.event} events, not {event_type.name}; choose another"
        )
    given = mapping.assignments
    unknown = [name for name in given if name not in rules]
    if unknown:
        raise BadMapping(
            f"mapping {mapping.name}: {event_type.name} has no field {unknown[0]!r}; it has "
            f"{', '.join(rules)}"
        )
    if mapping.time.column is None:
        raise BadMapping(f"mapping {mapping.name}: no time column; add --set time.column=COLUMN")
    fields: dict[str, Assignment] = {}
    for name, rule in rules.items():
        if name == TIME:
            fields[name] = Assignment(field=name, kind="column", value=mapping.time.column)
        elif name in given:
            fields[name] = given[name]
        elif mapping.same_names and name in available:
            fields[name] = Assignment(field=name, kind="column", value=name)
        elif rule.required and name != "event_id":
            raise BadMapping(
                f"{source}: field {name!r} of {event_type.name} is required and not mapped; the columns are "
                f"{', '.join(available)}; add --set {name}=COLUMN"
            )
    return Layout(mapping, event_type, fields, source)


def side_by_side(sources: Sequence[Source], join: Join) -> tuple[pl.DataFrame, list[Source]]:
    """All rows of the files matched on the join column, columns renamed; and the files by their name.

    A row that has no partner stays, with nulls: its event is refused for what it lacks, and so reported.

    Raises:
        BadMapping: number or columns of the files do not fit, or the join column repeats a value.
        UnreadableFile: a file cannot be read.
    """
    ordered = _by_name(sources, join)
    joined: pl.DataFrame | None = None
    for name, source in zip(join.names, ordered, strict=True):
        if join.on not in source.types:
            raise BadMapping(
                f"{source.path}: no column {join.on!r} to join on; it has {', '.join(source.types)}"
            )
        frame = pl.concat(list(source.batches(list(source.types), rows=200_000)))
        if frame[join.on].drop_nulls().is_duplicated().any():
            raise BadMapping(f"{source.path}: {join.on!r} repeats a value; joining needs one row per value")
        frame = frame.rename({column: f"{name}_{column}" for column in frame.columns if column != join.on})
        joined = frame if joined is None else joined.join(frame, on=join.on, how="full", coalesce=True)
    assert joined is not None
    rows = [f"{name}_{ROW}" for name in join.names]
    return joined.with_columns(pl.coalesce(rows).alias(ROW)).drop(rows).sort(
        ROW, maintain_order=True
    ), ordered


def _by_name(sources: Sequence[Source], join: Join) -> list[Source]:
    if len(sources) != len(join.names):
        raise BadMapping(
            f"{len(sources)} file(s) given; the mapping joins {len(join.names)}: {', '.join(join.names)}"
        )
    named = {
        name: source for source in sources for name in join.names if _alone_in(name, source.path, join.names)
    }
    return [named[name] for name in join.names] if len(named) == len(sources) else list(sources)


def _alone_in(name: str, path: Path, names: Sequence[str]) -> bool:
    return [each for each in names if each in path.stem] == [name]
