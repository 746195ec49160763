"""The two ways the demo feeds: history at full speed, then a steady rate at which latency can be measured."""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from scoring.clock import now_ms, stopwatch_s
from stream.demo.inputs import DemoInput
from stream.feed.records import Records, as_records
from stream.feed.run import Progress, feed
from stream.feed.sender import BatchSender
from stream.settings import Settings

SLICE_S = 0.005
"""How often due events are handed over: at 1,000 events/s five at a time."""

LEAD_MS = 200
"""The first event is due this long after all is prepared, so that no preparation counts as latency."""

Acknowledged = Callable[[str, int], None]


@dataclass(frozen=True)
class Steady:
    """Events at one rate: event number `n` is due `n / rate` seconds after the beginning.

    Args:
        rate: events per second.
        began_ms: wall time at which the first one is due.
    """

    rate: float
    began_ms: float

    def due_ms(self, number: int) -> float:
        """Wall time at which this event, counted from 0, is due.

        >>> Steady(rate=100, began_ms=5_000).due_ms(3)
        5030.0
        """
        return self.began_ms + 1_000 * number / self.rate

    def due_by(self, time_ms: float) -> int:
        """How many events are due at that time.

        >>> Steady(rate=100, began_ms=5_000).due_by(5_030)
        4
        """
        return max(0, int((time_ms - self.began_ms) * self.rate / 1_000) + 1)


@dataclass
class DueTimes:
    """When each event of the steady phase was due, in wall milliseconds, by topic and event id."""

    by_event: dict[tuple[str, str], float] = field(default_factory=dict)


async def feed_history(settings: Settings, inputs: Iterable[DemoInput], acknowledged: Acknowledged) -> None:
    """Feeds the history of every input as `riskstream feed` would, as fast as it goes.

    Args:
        acknowledged: told, per topic, how many events more the broker has taken.

    Raises:
        JobFailed: Kafka, a topic or a file is not as needed.
    """

    async def one(given: DemoInput) -> None:
        before = 0

        def on_progress(progress: Progress) -> None:
            nonlocal before
            acknowledged(given.topic, progress.events - before)
            before = progress.events

        await feed(settings, given.order(limit=given.history), on_progress=on_progress)

    await asyncio.gather(*(one(given) for given in inputs if given.history))


async def feed_steadily(
    settings: Settings,
    inputs: Iterable[DemoInput],
    *,
    events_per_second: float,
    due: DueTimes,
    acknowledged: Acknowledged,
) -> None:
    """Feeds what follows the history of every input, all together at this rate and evenly mixed.

    Whether or not the broker keeps up, an event counts as handed over when it was due, so a feeder that falls
    behind shows as latency and hides nothing.

    Args:
        due: takes the time at which each event was due.

    Raises:
        JobFailed: Kafka, a topic or a file is not as needed.
    """
    async with AsyncExitStack() as stack:
        prepared: list[tuple[DemoInput, BatchSender, Records, list[str]]] = []
        for given in inputs:
            told = _teller(given.topic, acknowledged)
            sender = await stack.enter_async_context(BatchSender(settings, given.topic, on_acknowledged=told))
            for chunk in given.order(from_row=given.history).chunks():
                records = as_records(chunk.frame, given.order().event_type, sender.partition_count)
                prepared.append((given, sender, records, chunk.frame["event_id"].to_list()))
        total = sum(len(records) for _, _, records, _ in prepared)
        began_ms = float(now_ms() + LEAD_MS)
        work = []
        for given, sender, records, event_ids in prepared:
            pace = Steady(events_per_second * len(records) / total, began_ms)
            due.by_event |= {(given.topic, each): pace.due_ms(n) for n, each in enumerate(event_ids)}
            work.append(_send_when_due(sender, records, pace))
        await asyncio.gather(*work)


async def _send_when_due(sender: BatchSender, records: Records, pace: Steady) -> None:
    # durations by a clock that only goes forward: the wall clock may be set meanwhile
    offset_ms = now_ms() - 1_000 * stopwatch_s()
    sent = 0
    while sent < len(records):
        due = min(len(records), pace.due_by(1_000 * stopwatch_s() + offset_ms))
        if due > sent:
            await sender.send(records.part(sent, due))
            await sender.flush()
            sent = due
        await asyncio.sleep(SLICE_S)


def _teller(topic: str, acknowledged: Acknowledged) -> Callable[[int], None]:
    return lambda count: acknowledged(topic, count)
