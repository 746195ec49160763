"""Turns the time column of a file into integer milliseconds since 1970-01-01 UTC."""

from datetime import date
from zoneinfo import ZoneInfo

import polars as pl

from scoring.files.errors import BadMapping
from scoring.files.mapping import Mapping, Time, parse_clock_ms, parse_duration_ms

_ISO_ZONED = ("%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%d %H:%M:%S%.f%#z")
_ISO_NAIVE = ("%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M")
_PER_MS = {"us": 1_000, "ns": 1_000_000}
_MS_PER = {"s": 1_000, "ms": 1, "day": 86_400_000}
_CLOCK_PARTS = ("%H", "%I", "%k", "%l", "%M", "%S", "%T", "%R", "%X", "%c", "%s", "%+", "%r")
_FAR_MS = 9.0e15  # beyond every accepted time, and still exact in float64


def milliseconds(column: str, kind: pl.DataType, mapping: Mapping) -> pl.Expr:
    """Event time in int64 milliseconds; null where missing, unreadable, or a local time that never was.

    Of a local time that was twice (clocks set back) the earlier is taken.

    Args:
        column: name of the column in the frame this is selected from.
        kind: its polars type.

    Raises:
        BadMapping: the type cannot be a time, or zone or start date are unknown.
    """
    time = mapping.time
    shift_ms = parse_duration_ms(time.shift)
    _known_zone(time.zone, mapping.name)
    value = pl.col(column)
    if isinstance(kind, pl.Datetime):
        return (value.dt.epoch("ms") if kind.time_zone else _local(value, time)) + shift_ms
    if kind == pl.Date:
        return _local(value.cast(pl.Datetime("ms")), time) + shift_ms
    if kind.is_numeric():
        return _number(value, kind, mapping) + shift_ms
    if kind == pl.String:
        return _text(value, mapping) + shift_ms
    if kind == pl.Null:
        return pl.lit(None, dtype=pl.Int64)
    raise BadMapping(
        f"mapping {mapping.name}: time column {time.column!r} is {kind}; expected times, numbers or text"
    )


def _text(value: pl.Expr, mapping: Mapping) -> pl.Expr:
    time = mapping.time
    if time.format is not None:
        if not any(part in time.format for part in _CLOCK_PARTS):
            return _local(value.str.to_date(time.format, strict=False).cast(pl.Datetime("ms")), time)
        read = value.str.to_datetime(time.format, strict=False, time_unit="us", ambiguous="earliest")
        zoned = "%z" in time.format or "%#z" in time.format or "%:z" in time.format
        return read.dt.epoch("ms") if zoned else _local(read, time)
    whole = value.str.contains(r"^\s*-?\d+\s*$")
    number = _number(
        pl.when(whole).then(value.str.strip_chars()).cast(pl.Int64, strict=False), pl.Int64(), mapping
    )
    fraction = value.str.contains(r"^\s*-?\d+\.\d+\s*$")
    broken = _number(
        pl.when(fraction).then(value.str.strip_chars()).cast(pl.Float64, strict=False), pl.Float64(), mapping
    )
    zoned_ms = [
        value.str.to_datetime(form, strict=False, time_unit="us").dt.epoch("ms") for form in _ISO_ZONED
    ]
    naive = [value.str.to_datetime(form, strict=False, time_unit="us") for form in _ISO_NAIVE]
    dates = _local(value.str.to_date("%Y-%m-%d", strict=False).cast(pl.Datetime("ms")), time)
    return pl.coalesce(number, broken, *zoned_ms, _local(pl.coalesce(naive), time), dates)


def _number(value: pl.Expr, kind: pl.DataType, mapping: Mapping) -> pl.Expr:
    time = mapping.time
    if time.unit in _PER_MS:
        whole = value if kind.is_integer() else value.cast(pl.Int64, strict=False)
        return whole.cast(pl.Int64) // _PER_MS[time.unit]
    # exact: every time accepted later is below 2**53 milliseconds
    scaled = value.cast(pl.Float64) * _MS_PER[time.unit]
    scaled = pl.when(scaled.is_finite()).then(scaled.clip(-_FAR_MS, _FAR_MS)).round(0).cast(pl.Int64)
    if time.unit != "day":
        return scaled
    midnight = pl.from_epoch(scaled + _start_ms(mapping), time_unit="ms")
    # a day number beyond the calendar cannot be placed in a zone; it stays a far number and is refused as
    # such
    inside = scaled.abs() < 100_000 * _MS_PER["day"]
    return pl.when(inside).then(_local(pl.when(inside).then(midnight), time)).otherwise(scaled)


def _local(naive: pl.Expr, time: Time) -> pl.Expr:
    """Milliseconds of a time without a zone: the clock of `time.at` is added, then the zone applied."""
    clock = naive.dt.offset_by(f"{parse_clock_ms(time.at)}ms")
    return clock.dt.replace_time_zone(time.zone, ambiguous="earliest", non_existent="null").dt.epoch("ms")


def _start_ms(mapping: Mapping) -> int:
    try:
        return (date.fromisoformat(mapping.time.start) - date(1970, 1, 1)).days * _MS_PER["day"]
    except ValueError as error:
        raise BadMapping(
            f"mapping {mapping.name}: time.start {mapping.time.start!r}: {error}; write 2020-01-31"
        ) from None


def _known_zone(zone: str, name: str) -> None:
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):  # ZoneInfoNotFoundError is a KeyError
        raise BadMapping(
            f"mapping {name}: time zone {zone!r} is unknown; write for example Europe/London"
        ) from None
