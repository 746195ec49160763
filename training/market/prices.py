"""Reads bars, ticks, or events already made of them, up to a date; what the makers of events have in common."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from schemas.catalog import event_types
from schemas.event import EventType
from scoring.features.spec import duration_ms
from scoring.files import Chunk, Mapping, read_events
from training.errors import TrainingRefused


@dataclass(frozen=True)
class Span:
    """What is read of the files.

    Attributes:
        period: length of a period, `1h`, `1d` or `7d`, counted from 1970-01-01 UTC; its end belongs to it.
        through: the last date, as `2008-12-31` (UTC); empty for all.
    """

    period: str
    through: str = ""

    @property
    def end_ms(self) -> int:
        """The first millisecond that is not read."""
        return day_ms(self.through) + duration_ms("1d") if self.through else 2**62


@dataclass(frozen=True, eq=False)
class Found:
    """Rows of the files in the order of the files; `own` when they are the events asked for, else `close` by `symbol`."""

    frame: pl.DataFrame
    own: bool


def read_prices(files: Sequence[Path], mapping: Mapping, span: Span, event: EventType) -> Found:
    """The rows up to the end of the span: events of this type as they are, or bars or ticks with their price as `close`.

    Raises:
        TrainingRefused: there is none, or the mapping is of other events.
        BadMapping, UnreadableFile: as they say.
    """
    kind = mapping.event or ("Bar" if "close" in mapping.assignments else event.struct.__name__)
    types = {each.struct.__name__: each for each in event_types().values()}
    if kind not in (event.struct.__name__, "Bar", "Tick"):
        raise TrainingRefused(
            f"mapping {mapping.name} makes {kind} events; expected bars, ticks or {event.struct.__name__} events"
        )
    frames = [chunk.frame for chunk in read_events(files, mapping, types[kind]) if chunk.frame.height]
    frame = pl.concat(frames).filter(pl.col("occurred_at_ms") < span.end_ms) if frames else pl.DataFrame()
    if not frame.height:
        raise TrainingRefused("no row could be used; check --events and --map")
    own = kind == event.struct.__name__
    return Found(frame if own else frame.rename({"price": "close"}, strict=False), own)


def day_ms(date: str) -> int:
    """The first millisecond of a date, `2008-12-31`, in UTC.

    >>> day_ms("1970-01-02")
    86400000
    """
    return round(datetime.fromisoformat(date).replace(tzinfo=UTC).timestamp() * 1_000)


def chunk_of(events: pl.DataFrame) -> Chunk:
    """The events as a part of a file, for `collect`."""
    return Chunk(Path("made"), events, pl.int_range(events.height, eager=True))
