"""aiokafka clients that end for certain: in time, without an error of theirs, and with nothing arriving later."""

import asyncio
from collections.abc import Callable, Collection, Coroutine
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError

from stream.kafka import client_arguments
from stream.settings import Settings

STOPPED_WITHIN_S = 5.0
RETRY_MS = 20
"""Until a client asks again that did not know a topic yet: it learns of one topic after another."""


async def let_go(consumer: AIOKafkaConsumer) -> None:
    """Stops a consumer, whether or not the broker is there."""
    await ended(consumer.stop())


class MissingTopics(Exception):
    """Topics that a worker needs are not there."""


async def require_topics(settings: Settings, names: Collection[str]) -> None:
    """Nothing, when the topics are there.

    Raises:
        MissingTopics: some are not.
        aiokafka.errors.KafkaError: the broker cannot be reached.
    """
    consumer = AIOKafkaConsumer(**client_arguments(settings), enable_auto_commit=False)
    try:
        await consumer.start()
        missing = sorted(set(names) - await consumer.topics())
    finally:
        await let_go(consumer)
    if missing:
        raise MissingTopics(f"no topic {', '.join(missing)}; create them with: riskstream topics create")


async def abandon(producer: AIOKafkaProducer) -> None:
    """Ends a producer so that nothing of it arrives later: flushed if the broker answers, else cut off.

    What it has in flight must be there or never come before the outputs are scanned: a batch that arrives after the scan
    is written a second time.
    """
    if await ended(producer.stop()):
        return
    # its sender still runs and would deliver as soon as the broker is back
    producer._message_accumulator.fail_all(KafkaConnectionError("the producer was abandoned"))
    await ended(producer.client.close())
    await ended(producer._sender.close())


class Producers:
    """The one producer in use, and those given up of which something may still be on its way.

    Args:
        make: makes a producer, not started.
    """

    def __init__(self, make: Callable[[], AIOKafkaProducer]) -> None:
        self._make = make
        self._present: AIOKafkaProducer | None = None
        self._dropped: list[AIOKafkaProducer] = []

    @property
    def present(self) -> AIOKafkaProducer:
        """The one in use.

        Raises:
            KafkaConnectionError: it was given up; `opened` makes a new one.
        """
        if self._present is None:
            raise KafkaConnectionError("the producer was given up after a failure")
        return self._present

    async def opened(self) -> AIOKafkaProducer:
        """The one in use, made and started when there is none.

        Raises:
            aiokafka.errors.KafkaError: the broker cannot be reached.
        """
        if self._present is None:
            producer = self._make()
            try:
                await producer.start()
            except BaseException:
                await abandon(producer)
                raise
            self._present = producer
        return self._present

    def drop(self) -> None:
        """What the one in use has in flight is given up."""
        if self._present is not None:
            self._dropped.append(self._present)
            self._present = None

    async def abandon_dropped(self) -> None:
        """Returns when nothing of those given up can arrive any more."""
        while self._dropped:
            await abandon(self._dropped[0])
            del self._dropped[0]


async def ended(stopping: Coroutine[Any, Any, None]) -> bool:
    """Whether it came to its end in time and well.

    In a task of its own: while a broker is away, aiokafka's stop raises the cancellation of its own inner tasks, which
    would pass for a cancellation of the caller.
    """
    task = asyncio.create_task(stopping)
    done, _ = await asyncio.wait([task], timeout=STOPPED_WITHIN_S)
    if not done:
        task.cancel()
        return False
    return not task.cancelled() and task.exception() is None
