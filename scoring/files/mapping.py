"""How the rows of a file become events: one frozen value, written as a TOML file or as options."""

import re
from collections.abc import Iterable
from typing import Literal

import msgspec

from scoring.files.errors import BadMapping
from scoring.files.expression import Expression, parse
from scoring.files.repeat import Repeat

TIME = "occurred_at_ms"
Kind = Literal["column", "constant", "expression"]
_ASSIGNMENT = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_.]*)\s*(:=|=)\s*(.*?)\s*", re.DOTALL)
_CONSTANT = re.compile(r"'([^']*)'|\"([^\"]*)\"")
_DURATION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)\s*")
_DURATION_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?")


class Time(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the event time is read.

    Attributes:
        column: the column that holds it.
        format: strptime format of text, for example `%d.%m.%Y %H:%M`; unset reads ISO 8601.
        unit: of numbers: seconds, milliseconds, microseconds or nanoseconds since 1970, or days since
            `start`.
        start: the date of day number 0.
        zone: time zone of times that name none, for example `America/New_York`.
        at: time of day added to dates and to times that name no zone, `16:00`.
        shift: added to every time, for example `1m` where a bar is stamped with its start but known at its
            end.
    """

    column: str | None = None
    format: str | None = None
    unit: Literal["s", "ms", "us", "ns", "day"] = "ms"
    start: str = "1970-01-01"
    zone: str = "UTC"
    at: str = "00:00"
    shift: str = "0s"


class Melt(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row of many columns becomes one row per column.

    Attributes:
        keep: columns that stay on every new row.
        columns: columns that become rows; empty means all others.
        name, value: names of the new columns holding the old column's name and its value.
    """

    keep: tuple[str, ...]
    columns: tuple[str, ...] = ()
    name: str = "symbol"
    value: str = "value"


class Join(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Several files side by side, matched on one column; the other columns get the file's name in front.

    Attributes:
        on: the column that all files have.
        names: one per file; a file whose name contains exactly one of them is that one, else the order given
            counts. Column `close` of the file `bid` is called `bid_close`.
    """

    on: str
    names: tuple[str, ...]


class Group(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Lines with equal values in `by` become one event; bare columns mean the first line's."""

    by: tuple[str, ...]


class Assignment(msgspec.Struct, frozen=True, kw_only=True):
    """One field of the event: a column's name, a constant, or an expression of columns."""

    field: str
    kind: Kind
    value: str


class Mapping(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the rows of a file become events.

    Attributes:
        about: what the layout is, for people.
        event: name of the event type it was written for; unset fits any.
        fields: assignments: `field=COLUMN`, `field='constant'`, `field:=expression`.
        same_names: fields without an assignment take the column of their own name, if there is one.
        time: how `occurred_at_ms` is read.
        where: condition on the rows (after melt and join, before grouping); the others are counted as
            filtered.
        melt, repeat, join, group: changes of the layout; see there.
        protected: columns nobody may be judged by (sex, age): no field takes them, figures per group may read them.
        sort: rows come out in order of event time; equal times in order of the file.
        label: expression of the truth about the event, for training and `feed --labels`; not 0 means 1.
        label_delay: how long after the event the label is known, for example `7d`.
        label_known: column that says when the label became known, read as the event time is, without its shift; where
            it is empty, the label is known after `label_delay`, and without one not yet.
        chargebacks: whether a payment labelled 1 comes back as a refund when its label is known; see
            `scoring/files/chargebacks.py`.
        nan: whether not-a-number in a float column is refused or means missing.
        separator: of CSV files.
        name: the shipped name or path it was read from, for errors.
    """

    about: str = ""
    event: str | None = None
    fields: tuple[str, ...] = ()
    same_names: bool = False
    time: Time = Time()
    where: str | None = None
    melt: Melt | None = None
    repeat: Repeat | None = None
    protected: tuple[str, ...] = ()
    join: Join | None = None
    group: Group | None = None
    sort: bool = False
    label: str | None = None
    label_delay: str = "0s"
    label_known: str | None = None
    chargebacks: bool = False
    nan: Literal["refused", "missing"] = "refused"
    separator: str = ","
    name: str = "options"

    @property
    def assignments(self) -> dict[str, Assignment]:
        """The assignment of every field that has one."""
        return {each.field: each for each in map(parse_assignment, self.fields)}

    @property
    def label_delay_ms(self) -> int:
        """How long after the event its label is known, in milliseconds."""
        return parse_duration_ms(self.label_delay)

    def with_options(self, options: Iterable[str]) -> "Mapping":
        """The mapping with fields assigned anew, one `field=COLUMN`, `field='constant'` or `field:=…` each.

        `time.column=…`, `time.format=…` and the like change the reading of the time, `occurred_at_ms=COLUMN`
        is short for `time.column=COLUMN`, `where:=…`, `label:=…`, `label_delay=…` and `label_known=…` replace those.

        Raises:
            BadMapping: an option is no assignment, or names something unknown.

        >>> Mapping().with_options(["amount=TX_AMOUNT", "time.zone='Europe/Berlin'"]).time.zone
        'Europe/Berlin'
        """
        fields = {each.split("=")[0].rstrip(": "): each for each in self.fields}
        changed: dict[str, object] = {}
        time = self.time
        for option in options:
            given = parse_assignment(option)
            if given.field.startswith("time.") or given.field == TIME:
                time = _changed_time(time, given.field.removeprefix("time."), given)
            elif given.field in ("where", "label", "label_delay", "label_known"):
                changed[given.field] = given.value
            elif "." in given.field:
                raise BadMapping(
                    f"option {option!r}: {given.field!r} is unknown; name a field, time.…, where or label"
                )
            else:
                fields[given.field] = option
        return checked(msgspec.structs.replace(self, fields=tuple(fields.values()), time=time, **changed))

    def expressions(self) -> dict[str, Expression]:
        """Every expression of the mapping by what it is for: a field, `where` or `label`."""
        found = {
            each.field: parse(each.value) for each in self.assignments.values() if each.kind == "expression"
        }
        if self.where is not None:
            found["where"] = parse(self.where)
        if self.label is not None:
            found["label"] = parse(self.label)
        return found


IDENTITY = Mapping(same_names=True, time=Time(column=TIME), name="same names")


def parse_assignment(text: str) -> Assignment:
    """The assignment written as `field=COLUMN`, `field='constant'` or `field:=expression`.

    Raises:
        BadMapping: it is none of the three.

    >>> parse_assignment("currency='GBP'").kind
    'constant'
    """
    match = _ASSIGNMENT.fullmatch(text)
    if match is None or not match.group(3):
        raise BadMapping(f"{text!r} is no assignment; write field=COLUMN, field='constant' or field:=A * B")
    field, sign, value = match.groups()
    if sign == ":=":
        return Assignment(field=field, kind="expression", value=value)
    constant = _CONSTANT.fullmatch(value)
    if constant:
        return Assignment(field=field, kind="constant", value=constant.group(1) or constant.group(2) or "")
    return Assignment(field=field, kind="column", value=value.strip("`"))


def parse_duration_ms(text: str) -> int:
    """Milliseconds of a duration such as `500ms`, `90s`, `1m`, `2h` or `7d`.

    Raises:
        BadMapping: it is no such duration.

    >>> parse_duration_ms("1.5h")
    5400000
    """
    match = _DURATION.fullmatch(text)
    if match is None:
        raise BadMapping(f"{text!r} is no duration; write for example 500ms, 90s, 1m, 2h or 7d")
    return round(float(match.group(1)) * _DURATION_MS[match.group(2)])


def parse_clock_ms(text: str) -> int:
    """Milliseconds after midnight of a time of day such as `16:00`.

    Raises:
        BadMapping: it is no time of day.
    """
    match = _CLOCK.fullmatch(text)
    if match is None:
        raise BadMapping(f"{text!r} is no time of day; write for example 16:00")
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return ((hours * 60 + minutes) * 60 + seconds) * 1_000


def checked(mapping: Mapping) -> Mapping:
    """The mapping itself, when every part of it can be read.

    Raises:
        BadMapping: an assignment, expression, duration or time of day is wrong; the text names the mapping.
    """
    try:
        _ = mapping.assignments
        mapping.expressions()
        parse_duration_ms(mapping.label_delay)
        parse_duration_ms(mapping.time.shift)
        parse_clock_ms(mapping.time.at)
    except BadMapping as error:
        raise BadMapping(f"mapping {mapping.name}: {error}") from None
    if len(mapping.separator) != 1:
        raise BadMapping(f"mapping {mapping.name}: separator {mapping.separator!r}; expected one character")
    if mapping.repeat is not None:
        mapping.repeat.check(mapping.name, alone=mapping.melt is None and mapping.group is None)
    used = {name for each in mapping.expressions().values() for name in each.columns}
    used |= {each.value for each in mapping.assignments.values() if each.kind == "column"}
    used |= {mapping.label_known} if mapping.label_known else set()
    for name in mapping.protected:
        if name in used:
            raise BadMapping(
                f"mapping {mapping.name}: column {name!r} is protected and used; take it out of fields, where and label"
            )
    if mapping.chargebacks and (mapping.label is None or not mapping.sort):
        raise BadMapping(
            f"mapping {mapping.name}: chargebacks come from labels, in order of time; add label and sort = true"
        )
    if mapping.label_known is not None and mapping.label is None:
        raise BadMapping(f"mapping {mapping.name}: label_known without label; say which column is the truth")
    if mapping.join is not None and len(mapping.join.names) < 2:
        raise BadMapping(
            f"mapping {mapping.name}: join.names has {len(mapping.join.names)}; expected one per file"
        )
    return mapping


def _changed_time(time: Time, part: str, given: Assignment) -> Time:
    name = "column" if part == TIME else part
    if name not in Time.__struct_fields__:
        known = ", ".join(f"time.{field}" for field in Time.__struct_fields__)
        raise BadMapping(f"option time.{part}: unknown; known are {known}")
    try:
        return msgspec.convert(msgspec.structs.asdict(time) | {name: given.value}, Time)
    except msgspec.ValidationError as error:
        raise BadMapping(f"option time.{part}: {error}") from None
