"""Polls through the scoring core: prepare, produce, wait for acknowledgement, commit; one recovery path for all doubts.

Two polls overlap: while the outputs of one are being acknowledged the next is scored. Commits are strictly in order.
Whatever goes wrong - a lost lease, no Redis, no Kafka, a failed acknowledgement - leads to the same thing: leases and
caches are dropped, the worker is not ready, and it acquires again until it works.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from faust.types import TP

from scoring.clock import now_ms, stopwatch_s
from scoring.model.errors import RefusedBundle
from scoring.partition import PartitionState
from scoring.poll import Poller, Prepared, with_outputs
from scoring.store.contract import (
    EvictingStore,
    Partition,
    PartitionCountChanged,
    StateStore,
    StoreError,
    StoreRefused,
    StoreUnavailable,
)
from stream.errors import JobFailed
from stream.settings import Settings
from stream.worker.activation_log import ActivationLog
from stream.worker.leasing import PAUSED, Leasing
from stream.worker.metrics import Metrics
from stream.worker.outputs import acknowledged, make_producer, send
from stream.worker.watchdog import Watchdog

FATAL = (JobFailed, RefusedBundle, PartitionCountChanged, EvictingStore, StoreRefused)
WAITS_S = (0.1, 0.3, 1.0, 2.0, 5.0)
MOST_FAILURES_WITHOUT_PROGRESS = 8
Seek = Callable[[Mapping[TP, int]], Awaitable[None]]
log = structlog.get_logger("riskstream.worker")


@dataclass(eq=False)
class Pipeline:
    """What the agent hands its polls to.

    Attributes:
        generation: number of the current leases; a poll fetched under another is dropped.
        fatal: why the worker has to end, once it has to.
    """

    settings: Settings
    store: StateStore
    leasing: Leasing
    activations: ActivationLog
    metrics: Metrics
    watchdog: Watchdog
    on_fatal: Callable[[], None]
    generation: int = 0
    fatal: BaseException | None = None
    consumer: Any = None
    states: dict[TP, PartitionState] = field(default_factory=dict)
    problem: str = "starting"

    def __post_init__(self) -> None:
        self.poller = Poller(self.store, self.settings.dead_letter_content)
        self._turn = asyncio.Lock()
        self._finishing: asyncio.Task[None] | None = None
        self._lost = asyncio.Event()
        self._failures = 0
        self._producer: AIOKafkaProducer | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._working: asyncio.Task[None] | None = None
        self._closing = False

    async def open(self) -> None:
        """Connects to the store and the activations, however long they are away, and watches over the leases.

        Raises:
            EvictingStore, StoreRefused: the store is not fit to keep state.
        """
        attempt = 0
        while True:
            try:
                await self.store.open()
                await self.activations.open()
                break
            except (StoreUnavailable, KafkaError, OSError) as error:
                self.problem = (
                    f"waiting for {'Redis' if isinstance(error, StoreUnavailable) else 'Kafka'}: {error}"
                )
                log.warning(self.problem)
                await asyncio.sleep(WAITS_S[min(attempt, len(WAITS_S) - 1)])
                attempt += 1
        self._keeper = asyncio.create_task(self._keep())

    async def close(self) -> None:
        """Finishes what is in work, so that nothing of it is done again, and lets go."""
        self._closing = True
        self.generation += 1
        if self._keeper is not None:
            self._keeper.cancel()
        if self._working is not None:
            await asyncio.wait([self._working], timeout=30)
        if self._finishing is not None:
            await asyncio.wait([self._finishing], timeout=30)
            self._mark()
        if self._producer is not None:
            await self._producer.stop()
        await self.activations.close()
        await self.store.close()

    def problems(self) -> list[str]:
        """Why the worker is not ready; empty when it is."""
        found = [self.problem] if self.problem else []
        for tp, state in self.states.items():
            if state.paused_at_ms:
                found.append(
                    f"{tp.topic} {tp.partition} is paused: too many records were refused; look at dead-letters, "
                    f"then: riskstream resume {tp.topic} {tp.partition}"
                )
            elif not state.caught_up:
                found.append(f"{tp.topic} {tp.partition} folds again what was already scored")
        return found

    async def acquire(self, wanted: set[TP]) -> Mapping[TP, int]:
        """Takes the partitions over, however long Kafka and Redis are away; gives the offsets to begin at.

        Ends early, with nothing, when the assignment changes meanwhile or the worker has to end.
        """
        self.problem = "acquiring partitions"
        attempt = 0
        while not self._closing and self.fatal is None:
            async with self._turn:
                try:
                    return await self._acquire(wanted)
                except FATAL as error:
                    self._end(error)
                except (StoreError, KafkaError, OSError, TimeoutError) as error:
                    self.problem = (
                        f"waiting for {'Redis' if isinstance(error, StoreUnavailable) else 'Kafka'}: {error}"
                    )
                    log.warning("cannot acquire partitions, trying again", error=str(error))
            await asyncio.sleep(WAITS_S[min(attempt, len(WAITS_S) - 1)])
            attempt += 1
            if (
                self.consumer is not None
                and {TP(tp.topic, tp.partition) for tp in self.consumer.assignment()} != wanted
            ):
                break
        return {}

    def handle(self, generation: int, poll: Mapping[TP, list[Any]]) -> "asyncio.Task[None]":
        """Scores a poll; the task ends when the poll is handed to Kafka and the one before is committed."""
        self._working = asyncio.create_task(self._handle(generation, poll))
        return self._working

    async def _handle(self, generation: int, poll: Mapping[TP, list[Any]]) -> None:
        async with self._turn:
            if generation != self.generation or self._closing:
                return
            try:
                await self._score(poll)
            except FATAL as error:
                self._end(error)
            except Exception as error:  # known or not, the answer is the same: drop, acquire, score again
                self._lose(error)

    async def _score(self, poll: Mapping[TP, list[Any]]) -> None:
        wanted = {}
        for tp, records in poll.items():
            state = self.states.get(tp)
            if state is not None and not state.paused_at_ms:
                fresh = [record for record in records if record.offset >= state.next_offset]
                if fresh:
                    wanted[state] = fresh
                    await self.leasing.activate_desired(state, self._sender())
        if not wanted:
            return
        with self.watchdog.watching():
            prepared = await self.poller.prepare(wanted)
        self._note_refusals(prepared, {state: len(records) for state, records in wanted.items()})
        began = stopwatch_s()
        sent = await send(self._sender(), prepared.outputs)
        previous, self._finishing = self._finishing, None
        if previous is not None:
            await previous
        if self._lost.is_set():
            return
        newest = max(records[-1].timestamp for records in wanted.values())
        self._finishing = asyncio.create_task(self._finish(prepared, sent, began, newest))
        self._observe(prepared, sum(map(len, wanted.values())), wanted)

    async def _finish(self, prepared: Prepared, sent: Any, began: float, newest_ms: int) -> None:
        try:
            covered = await acknowledged(sent)
            acked = stopwatch_s()
            await asyncio.gather(*(self._commit(state, prepared, covered) for state in prepared.steps))
        except FATAL as error:
            self._end(error)
            return
        except Exception as error:
            self._lose(error)
            return
        self._failures = 0
        self._mark()
        self.metrics.stage_seconds.labels("produce").observe(acked - began)
        self.metrics.stage_seconds.labels("commit").observe(stopwatch_s() - acked)
        self.metrics.delay_seconds.observe(max(0.0, (now_ms() - newest_ms) / 1000))

    async def _commit(self, state: PartitionState, prepared: Prepared, covered: Mapping[str, int]) -> None:
        own = {name: offset for name, offset in covered.items() if name.endswith(f"/{state.partition.index}")}
        async with state.busy:
            state.lease = await self.store.commit(state.lease, with_outputs(prepared.steps[state], own))
        state.cache.unpin(prepared.pinned[state])

    def _mark(self) -> None:
        if self.consumer is not None:
            done = {
                tp: min(state.lease.offsets.values())
                for tp, state in self.states.items()
                if state.lease.offsets
            }
            self.consumer.mark_done(done)

    def _note_refusals(self, prepared: Prepared, records: Mapping[PartitionState, int]) -> None:
        for state, taken in records.items():
            letters = sum(len(part.chunk.letters) for part in prepared.folded if part.state is state)
            outcomes = [True] * letters + [False] * (taken - letters)
            if state.note_refusals(outcomes, self.settings.refuse_share):
                state.paused_at_ms = now_ms()
                state.refused.clear()
                prepared.note(state, PAUSED, str(state.paused_at_ms))
                self.consumer.pause_partitions({TP(state.partition.topic, state.partition.index)})
                log.error(
                    "partition paused: too many records refused", topic=state.partition.topic,
                    partition=state.partition.index, share=self.settings.refuse_share,
                )  # fmt: skip

    async def _keep(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._lost.wait(), 0.5)
            if self._lost.is_set():
                await self._recover()
            await self._resume_asked()

    async def _recover(self) -> None:
        self.metrics.recoveries.inc()
        wanted = {TP(tp.topic, tp.partition) for tp in self.consumer.assignment()}
        offsets = await self.acquire(wanted)
        if offsets:
            await self.consumer.seek_wait(offsets)
            self._lost.clear()
            self.generation += 1
            log.info("acquired again", partitions=len(offsets))
        elif not wanted:
            self._lost.clear()

    async def _resume_asked(self) -> None:
        for tp, state in list(self.states.items()):
            if state.paused_at_ms and self.activations.resumed.get(state.partition, 0) > state.paused_at_ms:
                async with self._turn:
                    state.paused_at_ms = 0
                    state.new_notes[PAUSED] = "0"
                    await self.consumer.seek_wait({tp: state.next_offset})
                    self.consumer.resume_partitions({tp})
                log.info("partition resumed", topic=tp.topic, partition=tp.partition)

    async def _acquire(self, wanted: set[TP]) -> Mapping[TP, int]:
        self.generation += 1
        finishing, self._finishing = self._finishing, None
        if finishing is not None:
            await asyncio.wait([finishing], timeout=self.settings.session_timeout_ms / 2000)
            finishing.cancel()
        self.states = {}
        if self._producer is None:
            self._producer = make_producer(self.settings)
            await self._producer.start()
        partitions = [Partition(tp.topic, tp.partition) for tp in sorted(wanted)]
        acquired = await self.leasing.acquire(partitions, self._producer) if partitions else []
        self.states = {TP(state.partition.topic, state.partition.index): state for state in acquired}
        for state in acquired:
            if state.lease.rolled_back:
                log.error(
                    "Redis was rolled back: state is older than seen before, scoring again from it",
                    partition=str(state.partition),
                )
        paused = {tp for tp, state in self.states.items() if state.paused_at_ms}
        if paused:
            self.consumer.pause_partitions(paused)
        self.problem = "" if acquired or not wanted else "no partitions"
        return {tp: state.next_offset for tp, state in self.states.items()}

    def _lose(self, error: Exception) -> None:
        self.generation += 1
        self._failures += 1
        self.problem = f"recovering from {type(error).__name__}"
        log.warning(
            "poll failed; dropping leases and acquiring again", error=f"{type(error).__name__}: {error}"
        )
        if self._failures > MOST_FAILURES_WITHOUT_PROGRESS:
            self._end(error)
            return
        self.states = {}
        producer, self._producer = self._producer, None
        if producer is not None:
            self._stopping = asyncio.create_task(_stop_quietly(producer))
        self._lost.set()

    def _end(self, error: BaseException) -> None:
        self.fatal = error
        self.problem = str(error)
        log.error("worker has to end", reason=f"{type(error).__name__}: {error}")
        self.on_fatal()

    def _sender(self) -> AIOKafkaProducer:
        if self._producer is None:
            raise StoreUnavailable("the producer was dropped; acquiring again makes a new one")
        return self._producer

    def _observe(self, prepared: Prepared, records: int, wanted: Mapping[PartitionState, list[Any]]) -> None:
        for stage, seconds in prepared.seconds.items():
            self.metrics.stage_seconds.labels(stage).observe(seconds)
        self.metrics.poll_records.observe(records)
        for state, taken in wanted.items():
            self.metrics.events.labels(state.partition.topic).inc(len(taken))
        self.metrics.scores.inc(prepared.counts["scores"])
        self.metrics.alerts.inc(prepared.counts["alerts"])
        self.metrics.dead_letters.inc(prepared.counts["letters"])
        self.metrics.cached.set(sum(len(state.cache) for state in self.states.values()))
        for topic, decoder in self.leasing.decoders.items():
            self.metrics.unknown_fields.labels(topic).set(sum(decoder.unknown_fields.values()))


async def _stop_quietly(producer: AIOKafkaProducer) -> None:
    # it failed or its outcome is in doubt: the scan of the outputs decides what got through
    with contextlib.suppress(Exception):
        await asyncio.wait_for(producer.stop(), 5)
