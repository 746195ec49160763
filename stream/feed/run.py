"""The feeding itself: reads, pseudonymises, encodes and sends, in event time or as fast as it goes."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from schemas.event import EventType
from scoring.clock import stopwatch_s
from scoring.files import BadMapping, Chunk, Mapping, RefusedRow, UnreadableFile, read_events
from stream.errors import JobFailed
from stream.feed.pace import Pace
from stream.feed.pseudonym import Pseudonyms
from stream.feed.questions import AskedAt, Questions
from stream.feed.records import Records, as_records
from stream.feed.sender import PATIENCE_S, BatchSender
from stream.settings import Settings

_LONGEST_SLEEP_S = 0.5
_SHORTEST_SLEEP_S = 0.005


@dataclass(frozen=True)
class Order:
    """What is to be fed.

    Attributes:
        speed: how many times faster than real time event time passes; None means as fast as it goes.
        from_row: first row of the first file to take; limit: most events.
        pseudonyms: fields to replace.
        asked_at: when known entities are asked for, in between.
    """

    topic: str
    files: tuple[Path, ...]
    mapping: Mapping
    event_type: EventType
    limit: int | None = None
    from_row: int = 0
    speed: float | None = None
    pseudonyms: Pseudonyms | None = None
    asked_at: AskedAt | None = None
    chunk_rows: int = 50_000

    def chunks(self) -> Iterator[Chunk]:
        """The events to feed, pseudonymised; the same as a dry run shows.

        Raises:
            JobFailed: the mapping does not fit, or a file cannot be read.
        """
        try:
            for chunk in read_events(
                self.files,
                self.mapping,
                self.event_type,
                limit=self.limit,
                from_row=self.from_row,
                chunk_rows=self.chunk_rows,
            ):
                yield chunk if self.pseudonyms is None else _replaced(chunk, self.pseudonyms)
        except (BadMapping, UnreadableFile) as error:
            raise JobFailed(str(error)) from None


@dataclass
class Progress:
    """How far a feed has come; changes while it runs.

    Attributes:
        events: acknowledged by the broker; read: taken from the files.
        refused_by_rule: refused rows by reason code; filtered: rows that the mapping left out.
        first_ms, last_ms: least and greatest event time read; None before the first event.
        asked: questions among the acknowledged records.
    """

    events: int = 0
    asked: int = 0
    read: int = 0
    refused_by_rule: Counter[str] = field(default_factory=Counter)
    filtered: int = 0
    seconds: float = 0.0
    first_ms: int | None = None
    last_ms: int | None = None

    @property
    def refused(self) -> int:
        """Rows refused so far."""
        return self.refused_by_rule.total()

    @property
    def events_per_second(self) -> float:
        """Acknowledged events per second of the whole run, reading included."""
        return self.events / self.seconds if self.seconds > 0 else 0.0

    def add(self, chunk: Chunk) -> None:
        """Counts a chunk as read."""
        self.read += chunk.frame.height
        self.filtered += chunk.filtered
        self.refused_by_rule.update(str(row.reason) for row in chunk.refused)
        if chunk.frame.height:
            times = chunk.frame["occurred_at_ms"]
            least, greatest = int(times.min()), int(times.max())  # type: ignore[arg-type]
            self.first_ms = least if self.first_ms is None else min(self.first_ms, least)
            self.last_ms = greatest if self.last_ms is None else max(self.last_ms, greatest)


async def feed(
    settings: Settings,
    order: Order,
    *,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    on_refused: Callable[[list[RefusedRow]], None] = lambda rows: None,
    patience_s: float = PATIENCE_S,
) -> Progress:
    """Feeds the order and returns how it went, when every record has been acknowledged.

    Args:
        on_progress: called whenever a chunk was sent or a batch acknowledged; always with the same object.
        on_refused: called with the refused rows of a chunk.
        patience_s: how long to wait for any acknowledgement before the broker counts as lost.

    Raises:
        JobFailed: Kafka, the topic, a file or the mapping is not as needed.
    """
    progress = Progress()
    started = stopwatch_s()

    def acknowledged(count: int) -> None:
        progress.events += count
        progress.seconds = stopwatch_s() - started
        on_progress(progress)

    chunks = order.chunks()
    async with BatchSender(
        settings, order.topic, on_acknowledged=acknowledged, patience_s=patience_s
    ) as sender:
        started = stopwatch_s()
        pacer = _Pacer(order.speed)
        questions = (
            Questions(order.event_type, order.asked_at, sender.partition_count) if order.asked_at else None
        )

        def prepared() -> tuple[Chunk, list[Records]] | None:
            chunk = next(chunks, None)
            if chunk is None:
                return None
            if questions is not None:
                return chunk, list(questions.between(chunk.frame))
            return chunk, [as_records(chunk.frame, order.event_type, sender.partition_count)]

        ahead = asyncio.create_task(asyncio.to_thread(prepared))
        try:
            while (ready := await ahead) is not None:
                # the next chunk is read and encoded while this one is sent
                ahead = asyncio.create_task(asyncio.to_thread(prepared))
                chunk, records = ready
                progress.add(chunk)
                if chunk.refused:
                    on_refused(chunk.refused)
                for part in records:
                    await pacer.send(sender, part)
                on_progress(progress)
            last = questions.at_end() if questions is not None else None
            if last is not None:
                await pacer.send(sender, last)
            await sender.flush()
            progress.asked = questions.asked if questions is not None else 0
        finally:
            ahead.cancel()
    progress.seconds = stopwatch_s() - started
    return progress


class _Pacer:
    """Hands records to the sender when they are due; all at once without a speed."""

    def __init__(self, speed: float | None) -> None:
        self._speed = speed
        self._pace: Pace | None = None

    async def send(self, sender: BatchSender, records: Records) -> None:
        if self._speed is None:
            await sender.send(records)
            return
        if len(records) == 0:
            return
        if self._pace is None:
            self._pace = Pace(self._speed, int(records.occurred_at_ms[0]))
            self._started = stopwatch_s()
        sent = 0
        while sent < len(records):
            elapsed_s = stopwatch_s() - self._started
            due = max(sent, self._pace.due(records.occurred_at_ms, elapsed_s))
            if due > sent:
                await sender.send(records.part(sent, due))
                await sender.flush()
                sent = due
            if sent < len(records):
                wait_s = self._pace.wait_s(int(records.occurred_at_ms[sent]), stopwatch_s() - self._started)
                await asyncio.sleep(min(max(wait_s, _SHORTEST_SLEEP_S), _LONGEST_SLEEP_S))


def _replaced(chunk: Chunk, pseudonyms: Pseudonyms) -> Chunk:
    return Chunk(
        chunk.file, pseudonyms.apply(chunk.frame), chunk.rows, chunk.refused, chunk.labels, chunk.filtered
    )
