"""A replay from its order to its summary."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pyarrow.parquet

from schemas.topics import SCORES
from scoring.clock import stopwatch_s
from stream.errors import JobFailed
from stream.replay.compare import compare
from stream.replay.log import read_scores
from stream.replay.order import Order, Summary
from stream.replay.rows import REPEATED, SCHEMA, served_frame
from stream.replay.sources import from_files, from_log
from stream.settings import Settings

Progress = Callable[[Summary], None]


async def replay(settings: Settings, order: Order, on_progress: Progress = lambda _: None) -> Summary:
    """Replays; scores go to `order.out`, never to a live topic.

    Raises:
        JobFailed: nothing to score with, or a source or the other side cannot be read.
        RefusedBundle, BadMapping, UnreadableFile: as they say.
    """
    summary, began = Summary(), stopwatch_s()
    sink = Sink(order.out, keep=order.against is not None)
    try:
        source = from_log(settings, order, summary) if order.topic else from_files(settings, order, summary)
        async for frames in source:
            sink.write(frames)
            summary.seconds = stopwatch_s() - began
            on_progress(summary)
    finally:
        sink.close()
    summary.seconds = stopwatch_s() - began
    summary.events_per_second = summary.events / summary.seconds if summary.seconds else 0.0
    if order.against is not None:
        summary.difference = compare(await _served(settings, order), sink.frame())
        summary.verdict = summary.difference.verdict
    return summary


class Sink:
    """Writes frames of scores to Parquet as they come, in a thread; keeps them when they are compared."""

    def __init__(self, path: Path | None, *, keep: bool) -> None:
        self._path, self._keep = path, keep
        self._kept: list[pl.DataFrame] = []
        self._writer: pyarrow.parquet.ParquetWriter | None = None
        self._thread = ThreadPoolExecutor(1, "scores-file")
        self._writing: Future[None] | None = None

    def write(self, frames: list[pl.DataFrame]) -> None:
        """Appends; what was given before is written then.

        Raises:
            JobFailed: the file cannot be written.
        """
        if self._keep:
            self._kept.extend(frames)
        if self._path is not None:
            self._finish()
            self._writing = self._thread.submit(self._append, self._path, frames)

    def frame(self) -> pl.DataFrame:
        """Everything written."""
        return pl.concat(self._kept) if self._kept else pl.DataFrame(schema=SCHEMA)

    def close(self) -> None:
        """Ends the file; an empty replay leaves an empty file with the right columns.

        Raises:
            JobFailed: as `write`.
        """
        try:
            self._finish()
            if self._writer is None and not self._kept:
                self.write([pl.DataFrame(schema=SCHEMA)])
                self._finish()
        finally:
            self._thread.shutdown()
            if self._writer is not None:
                with self._told():
                    self._writer.close()

    def _append(self, path: Path, frames: list[pl.DataFrame]) -> None:
        with self._told():
            for table in [frame.to_arrow() for frame in frames]:
                if self._writer is None:
                    self._writer = pyarrow.parquet.ParquetWriter(
                        path, table.schema, compression="zstd", use_dictionary=REPEATED
                    )
                self._writer.write_table(table)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise JobFailed(f"{self._path}: {error}; make room, or choose another --out") from None

    def _finish(self) -> None:
        if self._writing is not None:
            writing, self._writing = self._writing, None
            writing.result()


async def _served(settings: Settings, order: Order) -> pl.DataFrame:
    if order.against == SCORES:
        origin = order.event_type.origin or order.event_type
        return served_frame(await read_scores(settings, of_topic=origin.topic, by=order.scorers))
    try:
        served = pl.read_parquet(str(order.against))
    except (OSError, pl.exceptions.PolarsError) as error:
        raise JobFailed(
            f"{order.against}: {error}; expected a file that riskstream replay wrote, or {SCORES}"
        ) from None
    if "outputs" not in served.columns:  # written before there were any
        served = served.with_columns(pl.lit("").alias("outputs"))
    missing = [name for name in SCHEMA if name not in served.columns]
    if missing:
        raise JobFailed(
            f"{order.against}: no column {', '.join(missing)}; expected a file that riskstream replay wrote"
        )
    return served.select(list(SCHEMA))
