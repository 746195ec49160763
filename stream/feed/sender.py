"""Sends records in pre-built batches: one builder per partition, acknowledged by all in-sync replicas."""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import numpy as np
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from scoring.clock import now_ms, stopwatch_s
from stream.errors import JobFailed
from stream.feed.records import Records
from stream.kafka import client_arguments
from stream.settings import Settings

BATCH_BYTES = 512 * 1024
PATIENCE_S = 30.0
TOPIC_WITHIN_S = 3.0
_UNSENT_BATCHES = 64


class BatchSender:
    """Records to one topic, in order within each partition. Use as an asynchronous context manager.

    Args:
        settings: where Kafka is and how records are compressed.
        topic: must exist.
        on_acknowledged: called with the number of records whenever a batch has been acknowledged.
        patience_s: how long to wait for any acknowledgement before the broker counts as lost.

    Attributes:
        partition_count: of the topic; acknowledged: records the broker has taken.
    """

    def __init__(
        self,
        settings: Settings,
        topic: str,
        *,
        on_acknowledged: Callable[[int], None] = lambda count: None,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._settings, self._topic = settings, topic
        self._on_acknowledged, self._patience_s = on_acknowledged, patience_s
        self._builders: dict[int, Any] = {}
        self._unacknowledged: set[asyncio.Future[Any]] = set()
        self._failure: BaseException | None = None
        self.partition_count = 0
        self.acknowledged = 0

    async def __aenter__(self) -> Self:
        """Connects and learns the number of partitions.

        Raises:
            JobFailed: Kafka does not answer, or has no such topic.
        """
        self._producer = AIOKafkaProducer(
            **client_arguments(self._settings),
            acks="all",
            enable_idempotence=True,
            max_batch_size=BATCH_BYTES,
            compression_type=None if self._settings.compression == "none" else self._settings.compression,
        )
        try:
            await self._producer.start()
            self.partition_count = await self._find_topic()
        except (KafkaError, OSError) as error:
            await self._producer.stop()
            raise JobFailed(
                f"Kafka at {self._settings.kafka_bootstrap} does not answer ({error}); "
                "start it with `riskstream up`, or set RISKSTREAM_KAFKA_BOOTSTRAP"
            ) from None
        except JobFailed:
            await self._producer.stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is not None and self._producer._sender is not None and self._producer._sender.sender_task:
            # an idempotent producer tries for ever and `stop` would wait; there is no public way to give up
            self._producer._sender.sender_task.cancel()
        await self._producer.stop()

    async def send(self, records: Records) -> None:
        """Takes the records; full batches are on their way when it returns, the others wait for `flush`.

        Raises:
            JobFailed: the broker refused an earlier batch.
        """
        self._raise_failure()
        stamp = now_ms()  # replaced by the broker on topics that stamp on arrival
        values, keys = records.values, records.keys
        order = np.argsort(records.partitions, kind="stable")
        ends = np.searchsorted(records.partitions[order], np.arange(self.partition_count), side="right")
        start = 0
        for partition, end in enumerate(ends.tolist()):
            append = self._builder(partition).append
            for place in order[start:end].tolist():
                if append(timestamp=stamp, key=keys[place], value=values[place]) is None:
                    await self._send_batch(partition)
                    append = self._builder(partition).append
                    append(timestamp=stamp, key=keys[place], value=values[place])
            start = end

    async def flush(self) -> None:
        """Sends what waits, and returns when every record is acknowledged.

        Raises:
            JobFailed: the broker refused a batch.
        """
        for partition, builder in list(self._builders.items()):
            if builder.record_count():
                await self._send_batch(partition)
        while self._unacknowledged:
            await self._some_acknowledged()
        self._raise_failure()

    async def _find_topic(self) -> int:
        """Number of partitions; a topic made a moment ago may take the broker a little to show."""
        give_up_at_s = stopwatch_s() + TOPIC_WITHIN_S
        while True:
            # asked without naming the topic: a request that names it may create it, and is retried with noise
            topics = await self._producer.client.fetch_all_metadata()
            found = topics.partitions_for_topic(self._topic)
            if found:
                return len(found)
            if stopwatch_s() > give_up_at_s:
                names = sorted(name for name in topics.topics() if not name.startswith("__"))
                raise JobFailed(
                    f"topic {self._topic!r} is not there; create it with `riskstream topics create`; "
                    f"there are {', '.join(names) or 'none'}"
                )
            await asyncio.sleep(0.1)

    def _builder(self, partition: int) -> Any:
        builder = self._builders.get(partition)
        if builder is None:
            builder = self._builders[partition] = self._producer.create_batch()
        return builder

    async def _send_batch(self, partition: int) -> None:
        builder = self._builders.pop(partition)
        count = builder.record_count()
        while len(self._unacknowledged) >= _UNSENT_BATCHES:
            await self._some_acknowledged()
        try:
            acknowledged = await self._producer.send_batch(builder, self._topic, partition=partition)
        except KafkaError as error:
            raise self._failed(error) from None
        self._unacknowledged.add(acknowledged)
        acknowledged.add_done_callback(lambda done: self._done(done, count))

    async def _some_acknowledged(self) -> None:
        done, _ = await asyncio.wait(
            self._unacknowledged, timeout=self._patience_s, return_when=asyncio.FIRST_COMPLETED
        )
        if not done:
            raise self._failed(TimeoutError(f"no acknowledgement for {self._patience_s:.0f} s"))

    def _done(self, acknowledged: "asyncio.Future[Any]", count: int) -> None:
        self._unacknowledged.discard(acknowledged)
        error = asyncio.CancelledError() if acknowledged.cancelled() else acknowledged.exception()
        if error is None:
            self.acknowledged += count
            self._on_acknowledged(count)
        else:
            self._failure = self._failure or error

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failed(self._failure) from None

    def _failed(self, error: BaseException) -> JobFailed:
        return JobFailed(
            f"topic {self._topic!r}: the broker did not take a batch ({type(error).__name__}: {error}) after "
            f"{self.acknowledged:,} events; see `riskstream doctor`, then feed again: events that "
            "are already there are known by their ids and not counted twice"
        )
