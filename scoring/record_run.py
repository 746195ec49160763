"""Records of a partition as they come: one by one, or as columns of what was read in whole batches."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Protocol, overload

import numpy as np
from numpy.typing import NDArray

from scoring.event_columns import EventColumns
from scoring.wire.packed import Bytes, Packed, pack
from scoring.wire.read_records import Batches, Located, headers_at, locate_records

LOG_APPEND_TIME, CREATE_TIME = 1, 0
_FIRST_PLACE = Located._fields.index("key_starts")
NULL = -1
"""Where a key or a value that is null begins and ends."""


class InputRecord(Protocol):
    """What is read of a consumed record; the timestamp is the broker's when its type is `LOG_APPEND_TIME`."""

    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def timestamp_type(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes]]: ...


@dataclass(frozen=True, slots=True, eq=False)
class RunRecord:
    """One record of a run."""

    run: "RecordRun"
    row: int

    @property
    def offset(self) -> int:
        """In its partition."""
        return int(self.run.located.offsets[self.row])

    @property
    def timestamp(self) -> int:
        """In ms."""
        return int(self.run.located.times[self.row])

    @property
    def timestamp_type(self) -> int:
        """`LOG_APPEND_TIME` or `CREATE_TIME`."""
        return LOG_APPEND_TIME if self.run.located.by_broker[self.row] else CREATE_TIME

    @property
    def key(self) -> bytes | None:
        """A copy."""
        return _one(self.run.keys, self.row)

    @property
    def value(self) -> bytes | None:
        """A copy."""
        return _one(self.run.values, self.row)

    @property
    def headers(self) -> Sequence[tuple[str, bytes]]:
        """Those without a value have an empty one."""
        return headers_at(self.run.raw, int(self.run.located.headers[self.row]))


@dataclass(frozen=True, eq=False, repr=False)
class RecordRun(Sequence[InputRecord]):
    """Records of one partition in the order of their offsets; each becomes an object when it is asked for.

    Attributes:
        raw: what they were read from, uint8[*].
        located: where in it.
        columns: their events, when they were read and all of them are usual.
        was_read: whether it was tried.
    """

    raw: Bytes
    located: Located
    columns: EventColumns | None = None
    was_read: bool = False

    @classmethod
    def read(cls, batches: Batches) -> "RecordRun":
        """All records of the batches.

        Raises:
            ValueError: these are no records, or fewer.
        """
        return cls(batches.raw, locate_records(batches))

    @classmethod
    def joined(cls, runs: "Sequence[RecordRun]") -> "RecordRun":
        """The records of all of them, one run behind the other."""
        if len(runs) == 1:
            return runs[0]
        located = Located._make(np.concatenate(columns) for columns in zip(*(run.located for run in runs), strict=True))
        # a run may be a few records of all that was fetched: only the bytes they lie in are copied
        parts = [(run._begin, int(run.located.ends[-1])) if len(run) else (0, 0) for run in runs]
        before = np.cumsum([0, *(end - start for start, end in parts[:-1])])
        by = np.repeat(before - [start for start, _ in parts], [len(run) for run in runs])
        for places in located[_FIRST_PLACE:]:
            np.add(places, by, out=places, where=places != NULL)
        raw = np.concatenate([run.raw[start:end] for run, (start, end) in zip(runs, parts, strict=True)])
        return cls(raw, located)

    def __len__(self) -> int:
        return len(self.located.offsets)

    @overload
    def __getitem__(self, place: int) -> RunRecord: ...
    @overload
    def __getitem__(self, place: slice) -> "RecordRun": ...
    def __getitem__(self, place: int | slice) -> "RunRecord | RecordRun":
        if isinstance(place, slice):
            return RecordRun(self.raw, Located._make(column[place] for column in self.located))
        rows = range(len(self))
        return RunRecord(self, rows[place])

    @property
    def _begin(self) -> int:
        """Where what is read of the first record begins."""
        first = (int(places[0]) for places in self.located[_FIRST_PLACE:])
        return min(place for place in first if place != NULL)

    @property
    def keys(self) -> Packed:
        """Of each record; null ones begin and end at `NULL`."""
        return Packed(self.raw, self.located.key_starts, self.located.key_ends)

    @property
    def values(self) -> Packed:
        """Of each record; null ones begin and end at `NULL`."""
        return Packed(self.raw, self.located.value_starts, self.located.value_ends)

    def with_columns(self, read: Callable[[Packed], EventColumns | None]) -> "RecordRun":
        """The same with its events read."""
        return replace(self, columns=read(self.values), was_read=True)


def read_together(
    runs: Sequence[RecordRun], read: Callable[[Packed], EventColumns | None]
) -> list[RecordRun]:
    """The runs with their events read by one call for all of them, which costs as much as reading some ten records.

    Each is read by itself when not all are usual, or when two of them have events of one entity.
    """
    if len(runs) > 1:
        joined, sizes = RecordRun.joined(runs), [len(run) for run in runs]
        columns = read(joined.values)
        pieces = None if columns is None else columns.cut(sizes)
        if pieces is not None:
            bounds = pairwise(np.cumsum([0, *sizes]).tolist())
            return [
                RecordRun(joined.raw, joined[start:end].located, columns=piece, was_read=True)
                for (start, end), piece in zip(bounds, pieces, strict=True)
            ]
    return [run.with_columns(read) for run in runs]


def offsets_of(records: Sequence[InputRecord]) -> NDArray[np.int64]:
    """Of each record, int64[n]."""
    if isinstance(records, RecordRun):
        return records.located.offsets
    return np.fromiter((record.offset for record in records), np.int64, len(records))


def times_of(records: Sequence[InputRecord]) -> NDArray[np.int64]:
    """Of each record in ms, int64[n]."""
    if isinstance(records, RecordRun):
        return records.located.times
    return np.fromiter((record.timestamp for record in records), np.int64, len(records))


def keys_of(records: Sequence[InputRecord]) -> Packed:
    """Of each record; null ones begin and end at `NULL`."""
    return records.keys if isinstance(records, RecordRun) else _pack([record.key for record in records])


def values_of(records: Sequence[InputRecord]) -> Packed:
    """Of each record; null ones begin and end at `NULL`."""
    return records.values if isinstance(records, RecordRun) else _pack([record.value for record in records])


def _pack(strings: Sequence[bytes | None]) -> Packed:
    if None not in strings:
        return pack(strings)  # type: ignore[arg-type]
    packed = pack([string or b"" for string in strings])
    null = np.array([string is None for string in strings])
    starts, ends = np.where(null, NULL, packed.starts), np.where(null, NULL, packed.ends)
    return Packed(packed.raw, starts, ends)


def _one(packed: Packed, row: int) -> bytes | None:
    return None if packed.starts[row] == NULL else packed.one(row)
