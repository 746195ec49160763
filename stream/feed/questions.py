"""Questions between the events of a feed: every known entity is asked for as of the end of each period, or of a date."""

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from xxhash import xxh3_64_hexdigest

from schemas.as_of import AsOf
from schemas.codec import encode as encoded
from schemas.event import EventType
from scoring.murmur2 import partitions_of
from stream.feed.records import Records, as_records

LONGEST_NAME = 80
_PERIOD = re.compile(r"([1-9]\d*)([hd])")
_UNITS_MS = {"h": 3_600_000, "d": 86_400_000}


@dataclass(frozen=True)
class AskedAt:
    """When entities are asked for.

    Attributes:
        every_ms: at each multiple of this many milliseconds since 1970, UTC; None for a date alone.
        at_ms: at this time once, after all of the events when none comes later; None for a period.
    """

    every_ms: int | None = None
    at_ms: int | None = None

    @classmethod
    def parse(cls, text: str) -> "AskedAt":
        """From `1d`, `12h`, or an ISO date or time (UTC unless it says otherwise).

        Raises:
            ValueError: it is none of them; says what is expected.

        >>> AskedAt.parse("1d")
        AskedAt(every_ms=86400000, at_ms=None)
        >>> AskedAt.parse("1970-01-02")
        AskedAt(every_ms=None, at_ms=86400000)
        """
        period = _PERIOD.fullmatch(text)
        if period:
            return cls(every_ms=int(period[1]) * _UNITS_MS[period[2]])
        try:
            moment = dt.datetime.fromisoformat(text)
        except ValueError:
            raise ValueError(f"{text!r}: expected a period such as 1d or 12h, or a date such as 2026-01-31") from None
        moment = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
        return cls(at_ms=round(moment.timestamp() * 1_000))

    def between(self, before_ms: int, until_ms: int) -> range | tuple[int, ...]:
        """The times asked for in `(before, until]`, in order."""
        if self.every_ms is not None:
            first = (before_ms // self.every_ms + 1) * self.every_ms
            return range(first, until_ms + 1, self.every_ms)
        return (self.at_ms,) if self.at_ms is not None and before_ms < self.at_ms <= until_ms else ()


@dataclass(eq=False)
class Questions:
    """Puts questions between the records of a feed, in the order of event time.

    An entity is asked for from its first event on. A question's id is made of entity and time: feeding a file again asks
    the same again.

    Attributes:
        asked: how many so far.
    """

    event_type: EventType
    times: AskedAt
    partition_count: int
    asked: int = 0
    _known: dict[str, None] = field(default_factory=dict)
    _reached_ms: int | None = None

    def between(self, frame: pl.DataFrame) -> Iterator[Records]:
        """The events of a frame as records, with what is asked before some of them."""
        if not frame.height:
            return
        reached = np.maximum.accumulate(frame["occurred_at_ms"].to_numpy())
        before = int(reached[0]) if self._reached_ms is None else self._reached_ms
        start = 0
        # at a time that is asked for, events of that very time are counted: they come first
        for at_ms in self.times.between(before - 1, int(reached[-1]) - 1):
            stop = int(np.searchsorted(reached, at_ms, side="right"))
            yield self._events(frame[start:stop])
            yield self._ask(at_ms)
            start = stop
        yield self._events(frame[start:])
        self._reached_ms = max(before, int(reached[-1]))

    def at_end(self) -> Records | None:
        """What is asked for behind the last event: a date that no event has reached."""
        at_ms = self.times.at_ms
        if at_ms is None or self._reached_ms is None or at_ms < self._reached_ms:
            return None
        return self._ask(at_ms)

    def _events(self, part: pl.DataFrame) -> Records:
        self._known.update(dict.fromkeys(part[self.event_type.key].unique(maintain_order=True).to_list()))
        return as_records(part, self.event_type, self.partition_count)

    def _ask(self, at_ms: int) -> Records:
        names = list(self._known)
        self.asked += len(names)
        keys = [name.encode() for name in names]
        moment = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(milliseconds=at_ms)
        values = [
            encoded(AsOf(event_id=question_id(name, moment), entity=name, occurred_at_ms=at_ms)) for name in names
        ]
        return Records(values, keys, partitions_of(keys, self.partition_count), np.full(len(names), at_ms, np.int64))


def question_id(entity: str, moment: dt.datetime) -> str:
    """The id of a question; of a long name the hash, so that it keeps within an id's 128 characters.

    >>> question_id("account-7", dt.datetime(2026, 1, 31, tzinfo=dt.UTC))
    'as-of:2026-01-31T00:00:00+00:00:account-7'
    """
    named = entity if len(entity) <= LONGEST_NAME else xxh3_64_hexdigest(entity.encode())
    return f"as-of:{moment.isoformat()}:{named}"
