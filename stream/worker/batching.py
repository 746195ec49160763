"""One Faust event per poll: a transport whose consumer hands over `{partition: records}` and reads where it is told.

Faust's app, agents, worker and rebalancing stay. Overridden is what was found wrong or slow in faust-streaming 0.15.3:
four tasks per record; start offsets that only `seek_to_committed` decides, and within a time limit; commits by
acknowledged message, which pass records still in work; a buffer that fetches nothing ahead when it holds one message,
and sleeps for a second when it is full; reading uncommitted records. Where to begin is the keeper's: it may take as long
as Kafka or Redis are away.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import faust
from faust.transport.consumer import ensure_TP
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage

from scoring.record_run import InputRecord
from stream.worker.assignor import TopicAwareAssignor
from stream.worker.batch_consumer import BatchConsumer
from stream.worker.clients import let_go
from stream.worker.fetch_ahead import FetchAhead
from stream.worker.keeper import Keeper
from stream.worker.runs import ReadEvents

FETCH_FOR_S = 0.25
Poll = dict[TP, Sequence[InputRecord]]


class PollSchema(faust.Schema):  # type: ignore[misc]
    """Hands the poll to the agent as it is; decoding is the scoring core's."""

    def loads_key(self, app: Any, message: Any, *, loads: Any = None, serializer: Any = None) -> None:
        """No key: a poll has many."""

    def loads_value(self, app: Any, message: Any, *, loads: Any = None, serializer: Any = None) -> Any:
        """The poll."""
        return message.value


class ReadCommittedThread(driver.AIOKafkaConsumerThread):  # type: ignore[misc]
    """The thread that owns the aiokafka consumer, made with riskstream's own arguments."""

    def _create_worker_consumer(self, transport: Any) -> BatchConsumer:
        self._assignor = TopicAwareAssignor
        return BatchConsumer(
            readers=transport.readers,
            group_id=self.app.conf.id,
            partition_assignment_strategy=[self._assignor],
            **transport.consumer_arguments,
        )

    async def on_thread_stop(self) -> None:
        """Leaves the group; a broker that is away does not hold the thread back."""
        await super(
            driver.AIOKafkaConsumerThread, self
        ).on_thread_stop()  # ends the queue of calls to this thread
        if self._consumer is not None:
            await let_go(self._consumer)


class PollConsumer(driver.Consumer):  # type: ignore[misc]
    """A consumer whose messages are polls, and whose progress is what it is told."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.ahead = FetchAhead(self.transport.consumer_arguments["max_poll_records"])
        self._held = asyncio.Event()
        self._fetching = asyncio.Lock()
        self._done: dict[TP, int] = {}
        self._read_s = 0.0

    def _new_consumer_thread(self) -> ReadCommittedThread:
        return ReadCommittedThread(self, loop=self.loop, beacon=self.beacon)

    def mark_done(self, offsets: Mapping[TP, int]) -> None:
        """Notes the next offsets for Kafka's own commit, which only lag tools read."""
        self._done.update(offsets)

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> list[TP]:
        assigned = (
            self.assignment() if self._done else set()
        )  # before the first rebalance there is no consumer
        return [
            tp
            for tp in list(self._done)
            if tp in assigned and (topics is None or tp in topics or tp.topic in topics)
        ]

    def _new_offset(self, tp: TP) -> int | None:
        return self._done.pop(tp, None)

    def ack(self, message: Any) -> bool:
        """A poll is done when its outputs and state are durable, not when the agent takes the next one."""
        if message.acked:
            return False
        message.acked = True
        self._unacked_messages.discard(message)
        waiting = self._waiting_for_ack
        if waiting is not None and not waiting.done():
            waiting.set_result(None)
        return True

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Tells the keeper of the new assignment; it seeks to the offsets that belong to the states."""
        self._done.clear()
        self.ahead.forget()
        keeper: Keeper = self.transport.keeper
        keeper.consumer = self
        keeper.rebalanced()
        return {}

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Lets the poll in flight come to its commit before Kafka gives the partitions to another worker."""
        await self.transport.keeper.release()
        await super().on_partitions_revoked(revoked)

    def hold(self) -> None:
        """Fetch nothing until `proceed`."""
        self._held.clear()

    async def quiet(self) -> None:
        """Returns when no fetch is under way: one that ends after a seek has moved the position past its records."""
        async with self._fetching:
            return

    def proceed(self) -> None:
        """The partitions are held and the positions are right: fetch."""
        self._held.set()

    def on_buffer_full(self, tp: TP) -> None:
        """Nothing: how far to fetch ahead is not Faust's."""

    def on_buffer_drop(self, tp: TP) -> None:
        """The agent asks for a poll and none is waiting, whatever became of those handed over: Faust skips stale ones."""
        self.ahead.forget()

    def resume_flow(self) -> None:
        """After a rebalance."""
        self.ahead.forget()
        super().resume_flow()

    async def _drain_messages(self, fetcher: Any) -> None:
        transport = self.transport
        while not (self._stopped.is_set() or fetcher._stopped.is_set()):
            if not self._held.is_set():
                await self.wait_first(self._held.wait())
                continue
            if not self.flow_active:
                await self.wait_first(self.can_resume_flow.wait())
                continue
            if not self.ahead.room:
                await self.wait_first(self.ahead.wait(), self.suspend_flow.wait())
            async with self._fetching:
                generation = transport.keeper.generation
                records, _ = await self._wait_next_records(FETCH_FOR_S) if self._held.is_set() else ({}, None)
            if not records:
                await asyncio.sleep(0)
                continue
            if not self._held.is_set() or generation != transport.keeper.generation:
                continue  # fetched for a hold that is gone; the next one seeks
            poll: Poll = {ensure_TP(tp): found for tp, found in records.items() if found}
            if not poll:
                continue
            first, last = next(iter(poll.items()))
            message = ConsumerMessage(
                first.topic, first.partition, last[-1].offset, last[-1].timestamp / 1000.0, last[-1].timestamp_type,
                (), None, (generation, poll), None, 0, 0, first, generation_id=self.app.consumer_generation_id,
            )  # fmt: skip
            self.ahead.handed_over(sum(map(len, poll.values())))
            self._note_reading()
            await self.wait_first(self.callback(message), self.suspend_flow.wait())
            await asyncio.sleep(0)

    def _note_reading(self) -> None:
        consumer = self._thread._consumer
        if consumer is not None and consumer._fetcher is not None:
            before, self._read_s = self._read_s, consumer._fetcher.reading_s
            self.transport.keeper.metrics.stage_seconds.labels("read").observe(max(0.0, self._read_s - before))


class PollTransport(driver.Transport):  # type: ignore[misc]
    """Faust's aiokafka transport with the poll consumer.

    Attributes:
        consumer_arguments: keyword arguments of the aiokafka consumer.
        readers: what makes events of the values of the topics that are read in runs.
        keeper: knows where to begin, and which polls still count.
    """

    Consumer = PollConsumer

    def __init__(
        self, *arguments: Any, consumer_arguments: dict[str, Any], readers: Mapping[str, ReadEvents], keeper: Keeper,
        **named: Any,
    ) -> None:  # fmt: skip
        super().__init__(*arguments, **named)
        self.consumer_arguments, self.readers = consumer_arguments, readers
        self.keeper = keeper
