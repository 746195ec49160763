"""Files to events: opens them, lays the rows out as the mapping says, and yields checked chunks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from schemas.dead_letter import Reason
from schemas.event import EventType
from scoring.files.chargebacks import with_chargebacks
from scoring.files.layout import FILE, ROW_NUMBER, Layout, lay_out, side_by_side
from scoring.files.mapping import Mapping
from scoring.files.rows import Chunk, RefusedRow, Typed, typed
from scoring.files.sources import REFUSED, ROW, Source, digest_of, open_source

CHUNK_ROWS = 50_000


@dataclass(frozen=True)
class _Input:
    """One file, or several joined ones that count as one: batches of raw columns and the layout they need."""

    path: Path
    layout: Layout
    batches: Iterator[pl.DataFrame]
    digest: str | None


def read_events(
    files: Sequence[Path],
    mapping: Mapping,
    event_type: EventType,
    *,
    limit: int | None = None,
    from_row: int = 0,
    chunk_rows: int = CHUNK_ROWS,
) -> Iterator[Chunk]:
    """The events of the files in chunks of at most `chunk_rows`; every row is an event, refused or filtered.

    A mapping that sorts, groups or joins holds one file (or the joined ones) in memory; others stream.

    Args:
        files: read one after the other, or side by side when the mapping joins.
        limit: most events to yield; rows after the last of them are not read.
        from_row: first row to take of the first file, counted before any sorting.

    Raises:
        BadMapping: the mapping does not fit a file or the event type.
        UnreadableFile: a file cannot be read.
    """
    left = limit
    for each in _inputs(files, mapping, event_type, chunk_rows, from_row):
        for chunk in _chunks(each, chunk_rows, left):
            left = None if left is None else left - chunk.frame.height
            yield chunk
            if left is not None and left <= 0:
                return


def _inputs(
    files: Sequence[Path], mapping: Mapping, event_type: EventType, chunk_rows: int, from_row: int
) -> Iterator[_Input]:
    if mapping.join is not None:
        sources = [open_source(path, separator=mapping.separator) for path in files]
        joined, ordered = side_by_side(sources, mapping.join)
        names = [name for name in joined.columns if not name.startswith("__")]
        layout = lay_out(mapping, event_type, names, " + ".join(source.path.name for source in ordered))
        layout.columns(names)
        batches = iter([joined.filter(pl.col(ROW) >= from_row)])
        digest = None if "event_id" in layout.fields else digest_of([source.path for source in ordered])
        yield _Input(ordered[0].path, layout, batches, digest)
        return
    for place, path in enumerate(files):
        source = open_source(path, separator=mapping.separator)
        yield _one_file(source, mapping, event_type, chunk_rows, from_row if place == 0 else 0)


def _one_file(
    source: Source, mapping: Mapping, event_type: EventType, chunk_rows: int, from_row: int
) -> _Input:
    names = list(source.types)
    if source.format == "jsonl":
        # fields may be absent from the first lines; what never comes is missing on every row, and reported
        # there
        names = list(dict.fromkeys([*names, *_mentioned(mapping, event_type)]))
    layout = lay_out(mapping, event_type, names, source.path.name)
    batches = source.batches(layout.columns(names), rows=chunk_rows, from_row=from_row)
    digest = None if "event_id" in layout.fields else digest_of([source.path])
    return _Input(source.path, layout, batches, digest)


def _mentioned(mapping: Mapping, event_type: EventType) -> list[str]:
    names = [name for expression in mapping.expressions().values() for name in expression.columns]
    names += [each.value for each in mapping.assignments.values() if each.kind == "column"]
    names += [name for name in (mapping.time.column, mapping.label_known) if name]
    names += list(mapping.group.by) if mapping.group else []
    if mapping.melt is not None:
        names = [name for name in names if name in mapping.melt.keep]
    names += mapping.protected
    if mapping.repeat is not None:
        new = {mapping.repeat.name, *mapping.repeat.columns}
        names = [*(name for name in names if name not in new), *mapping.repeat.sources().values()]
    return [name for name in names if name not in (FILE, ROW_NUMBER)]


def _chunks(each: _Input, chunk_rows: int, limit: int | None) -> Iterator[Chunk]:
    mapping = each.layout.mapping
    batches = each.batches
    if mapping.sort or mapping.group is not None:
        frames = list(batches)
        batches = iter([pl.concat(frames)] if frames else [])
    left = limit
    for frame in batches:
        rows, broken = _without_broken(frame, each.path)
        prepared, filtered = each.layout.prepare(rows, each.path)
        checked = typed(prepared, each.layout, each.path, each.digest)
        checked = with_chargebacks(checked) if mapping.chargebacks else checked
        checked = checked.in_time_order() if mapping.sort else checked
        for chunk in _parts(checked, chunk_rows, left, filtered, broken):
            left = None if left is None else left - chunk.frame.height
            yield chunk
            if left is not None and left <= 0:
                return


def _parts(
    checked: Typed, chunk_rows: int, limit: int | None, filtered: int, broken: list[RefusedRow]
) -> Iterator[Chunk]:
    left = limit
    # at least one part, so that filtered and broken rows of an otherwise empty batch are told
    for start in range(0, max(checked.height, 1), chunk_rows):
        part = checked.part(start, chunk_rows)
        chunk = (part if left is None else part.until(left)).chunk()
        if start == 0:
            chunk = replace(chunk, filtered=filtered, refused=broken + chunk.refused)
        left = None if left is None else left - chunk.frame.height
        yield chunk
        if left is not None and left <= 0:
            return


def _without_broken(frame: pl.DataFrame, path: Path) -> tuple[pl.DataFrame, list[RefusedRow]]:
    if REFUSED not in frame.columns:
        return frame, []
    bad = frame.filter(pl.col(REFUSED).is_not_null()).select(ROW, REFUSED)
    broken = []
    for row, said in bad.iter_rows():
        reason, place, detail = said.split("\t", 2)
        broken.append(RefusedRow(row, Reason(reason), place, detail, path))
    return frame.filter(pl.col(REFUSED).is_null()).drop(REFUSED), broken
