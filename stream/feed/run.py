"""The feeding itself: reads, pseudonymises, encodes and sends, in event time or as fast as it goes."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec

from schemas.event import EventType
from schemas.topics import LABELS
from scoring.clock import stopwatch_s
from scoring.files import BadMapping, Chunk, Mapping, RefusedRow, UnreadableFile, read_events
from stream.errors import JobFailed
from stream.feed.labels import Labels
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
        labels: whether the labels of the events go to the topic `labels`; the mapping has one, then.
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
    labels: bool = False
    chunk_rows: int = 50_000

    def chunks(self) -> Iterator[Chunk]:
        """The events to feed, pseudonymised; the same as a dry run shows.

        A label that nobody asks for is not read: the file need not have it.

        Raises:
            JobFailed: the mapping does not fit, or a file cannot be read.
        """
        mapping = self.mapping
        if not self.labels and not mapping.chargebacks:
            mapping = msgspec.structs.replace(mapping, label=None, label_known=None)
        try:
            for chunk in read_events(
                self.files,
                mapping,
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
        labels: acknowledged labels; labels_unknown: events fed without one, because it is not known.
        labels_refused_by_rule: labels that are none, by reason code; their events are fed.
    """

    events: int = 0
    asked: int = 0
    labels: int = 0
    labels_unknown: int = 0
    labels_refused_by_rule: Counter[str] = field(default_factory=Counter)
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
    def labels_refused(self) -> int:
        """Labels refused so far."""
        return self.labels_refused_by_rule.total()

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
        on_refused: called with the refused rows of a chunk, and with its refused labels when labels are fed.
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

    def labels_acknowledged(count: int) -> None:
        progress.labels += count
        on_progress(progress)

    chunks = order.chunks()
    async with AsyncExitStack() as senders:
        sender = await senders.enter_async_context(
            BatchSender(settings, order.topic, on_acknowledged=acknowledged, patience_s=patience_s)
        )
        truth = None
        if order.labels:
            labelling = await senders.enter_async_context(
                BatchSender(settings, LABELS, on_acknowledged=labels_acknowledged, patience_s=patience_s)
            )
            truth = _Truth(labelling, Labels(order.event_type, labelling.partition_count))
        started = stopwatch_s()
        pacer = _Pacer(order.speed, truth)
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
                if truth is not None:
                    truth.waiting.take(chunk)
                    progress.labels_unknown = truth.waiting.unknown
                    progress.labels_refused_by_rule.update(str(row.reason) for row in chunk.labels_refused)
                    if chunk.labels_refused:
                        on_refused(chunk.labels_refused)
                for part in records:
                    await pacer.send(sender, part)
                if truth is not None and order.speed is None:
                    await truth.send()
                on_progress(progress)
            last = questions.at_end() if questions is not None else None
            if last is not None:
                await pacer.send(sender, last)
            await sender.flush()
            if truth is not None:
                await pacer.send_labels()
                await truth.sender.flush()
            progress.asked = questions.asked if questions is not None else 0
        finally:
            ahead.cancel()
    progress.seconds = stopwatch_s() - started
    return progress


@dataclass(frozen=True)
class _Truth:
    """Where labels go, and those that wait to be known."""

    sender: BatchSender
    waiting: Labels

    async def send(self, until_ms: float | None = None) -> bool:
        """Hands over what is known by a time, all without one; whether there was anything."""
        due = self.waiting.due(until_ms)
        if due is not None:
            await self.sender.send(due)
        return due is not None


class _Pacer:
    """Hands records to the sender when they are due; all at once without a speed.

    Labels that become known meanwhile go after the events that are due with them.
    """

    def __init__(self, speed: float | None, truth: _Truth | None = None) -> None:
        self._speed = speed
        self._truth = truth
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
            await self._send_known(elapsed_s)
            if sent < len(records):
                await self._sleep_until(int(records.occurred_at_ms[sent]))

    async def send_labels(self) -> None:
        """Hands over the labels that still wait, each when it is known."""
        assert self._truth is not None
        if self._pace is None:
            await self._truth.send()
            return
        while (next_ms := self._truth.waiting.next_ms()) is not None:
            await self._sleep_until(next_ms)
            await self._send_known(stopwatch_s() - self._started)

    async def _send_known(self, elapsed_s: float) -> None:
        if self._truth is not None and self._pace is not None:
            passed_ms = self._pace.first_ms + elapsed_s * 1_000 * self._pace.speed
            if await self._truth.send(passed_ms):
                await self._truth.sender.flush()

    async def _sleep_until(self, occurred_at_ms: int) -> None:
        assert self._pace is not None
        wait_s = self._pace.wait_s(occurred_at_ms, stopwatch_s() - self._started)
        await asyncio.sleep(min(max(wait_s, _SHORTEST_SLEEP_S), _LONGEST_SLEEP_S))


def _replaced(chunk: Chunk, pseudonyms: Pseudonyms) -> Chunk:
    return replace(chunk, frame=pseudonyms.apply(chunk.frame))
