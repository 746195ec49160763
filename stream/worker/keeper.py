"""Holding partitions: one path to take them over, whether at the start, after a rebalance or after any loss.

Leases and caches are dropped, nothing is fetched and the worker is not ready, until the partitions are acquired and the
consumer stands where their state is. What was fetched before is never scored: every step of that raises the generation.
Taking over, losing and ending change the same few values, so they stay in one file.
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Any

import structlog
from faust.types import TP

from scoring.clock import stopwatch_s
from scoring.model.errors import RefusedBundle
from scoring.partition import PartitionState
from scoring.store.contract import (
    EvictingStore,
    Partition,
    PartitionCountChanged,
    StoreError,
    StoreRefused,
)
from stream.errors import JobFailed
from stream.settings import Settings
from stream.worker.absences import Absences, answers
from stream.worker.clients import Producers
from stream.worker.leasing import PAUSED, Leasing
from stream.worker.metrics import Metrics
from stream.worker.outputs import make_producer

FATAL = (JobFailed, RefusedBundle, PartitionCountChanged, EvictingStore, StoreRefused)
WAITS_S = (0.1, 0.3, 1.0, 2.0, 5.0)
LOOK_EVERY_S = 0.5
SETTLE_WITHIN_S = 10.0
UNACKNOWLEDGED_S = 3.0
MOST_FAILURES_WITHOUT_PROGRESS = 8
log = structlog.get_logger("riskstream.worker")


@dataclass(eq=False)
class Keeper:
    """Keeps a worker's hold on the partitions that Kafka assigns to it.

    Attributes:
        consumer: the Faust consumer, once there is one.
        states: the partitions held; empty while they are being taken over.
        generation: number of the present hold; a poll fetched under another is dropped.
        turn: held by whoever changes states: a poll being scored, or a take-over.
        in_flight: the poll that is scored and not yet committed; sent_at_s: since when, by the stopwatch.
        producers: the producer of the present hold, and those given up.
        fatal: why the worker has to end, once it has to.
    """

    settings: Settings
    leasing: Leasing
    metrics: Metrics
    on_fatal: Callable[[], None]
    consumer: Any = None
    states: dict[TP, PartitionState] = field(default_factory=dict)
    generation: int = 0
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    in_flight: "asyncio.Task[bool] | None" = None
    sent_at_s: float = 0.0
    fatal: BaseException | None = None
    problem: str = "starting"

    def __post_init__(self) -> None:
        self._wanted = asyncio.Event()
        self._failures = 0
        self.producers = Producers(lambda: make_producer(self.settings))
        self._away = Absences()
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Connects to the store and the activations, however long they are away, and begins to keep.

        Raises:
            EvictingStore, StoreRefused: the store is not fit to keep state.
        """
        for attempt in count():
            try:
                await self.leasing.open()
                break
            except FATAL:
                raise
            except Exception as error:  # of the clients and the network; none of them ends the wait
                self._say_waiting(error)
                await asyncio.sleep(_wait_s(attempt))
        self._task = asyncio.create_task(self._keep())

    async def close(self) -> None:
        """Waits for the poll in flight, so that nothing of it is done again, and lets go."""
        self.generation += 1
        self.problem = "stopping"
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        await self._settle()
        self.producers.drop()
        await self.producers.abandon_dropped()
        await self.leasing.close()

    def problems(self) -> list[str]:
        """Why the worker is not ready; empty when it is."""
        found = [self.problem] if self.problem else []
        found += self._away.problems()
        waited_s = 0.0 if self.in_flight is None or self.in_flight.done() else stopwatch_s() - self.sent_at_s
        if waited_s > UNACKNOWLEDGED_S:
            found.append(f"what was scored {waited_s:.0f} s ago is not acknowledged and committed yet")
        for tp, state in self.states.items():
            if state.paused_at_ms:
                found.append(
                    f"{tp.topic} {tp.partition} is paused: too many records were refused; look at dead-letters, "
                    f"then: riskstream resume {tp.topic} {tp.partition}"
                )
            elif not state.caught_up:
                progress = f"at offset {state.next_offset:,} of {state.emitted.highest + 1:,}"
                found.append(f"{tp.topic} {tp.partition} folds again what was already scored: {progress}")
        return found

    def rebalanced(self) -> None:
        """Kafka has assigned partitions: they are taken over as soon as Kafka and Redis allow."""
        self._drop("acquiring partitions")

    async def release(self) -> None:
        """Kafka takes the partitions away: what is in flight is committed before another worker gets them."""
        if self.consumer is None:
            return  # the first join: there is nothing yet
        self.generation += 1
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SETTLE_WITHIN_S):
                async with self.turn:
                    await self._settle()
        self._drop("acquiring partitions")

    def lose(self, error: Exception) -> None:
        """Something went wrong with a poll: whatever it was, the partitions are taken over again."""
        self._failures += 1
        log.warning(
            "poll failed; dropping leases and acquiring again", error=f"{type(error).__name__}: {error}"
        )
        if self._failures > MOST_FAILURES_WITHOUT_PROGRESS:
            self.end(error)
            return
        self.producers.drop()
        self._drop(f"recovering from {type(error).__name__}")

    def progressed(self) -> None:
        """A poll was committed; Kafka is told how far, which only lag tools read."""
        self._failures = 0
        done = {
            tp: min(kept.lease.offsets.values()) for tp, kept in self.states.items() if kept.lease.offsets
        }
        self.consumer.mark_done(done)

    def end(self, error: BaseException) -> None:
        """The worker has to end: no waiting helps."""
        self.generation += 1
        self.fatal = error
        self.problem = str(error)
        log.error("worker has to end", reason=f"{type(error).__name__}: {error}")
        self.on_fatal()

    async def end_and_wait(self, error: BaseException) -> None:
        """The worker has to end before it has begun; does not return, the end comes by a signal."""
        self.end(error)
        await asyncio.Event().wait()

    def _drop(self, problem: str) -> None:
        self.generation += 1
        self.states = {}
        self.problem = problem
        if self.consumer is not None:
            self.consumer.hold()
        self._wanted.set()

    async def _keep(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wanted.wait(), LOOK_EVERY_S)
            if self.fatal is not None:
                await asyncio.sleep(LOOK_EVERY_S)
                continue
            try:
                if self._wanted.is_set():
                    await self._recover()
                await self._resume_asked()
                await self._look()
            except Exception as error:  # whatever it was, without this task nothing is ever taken over again
                log.error("keeping partitions failed, trying again", error=f"{type(error).__name__}: {error}")
                self._drop(f"recovering from {type(error).__name__}")
                await asyncio.sleep(LOOK_EVERY_S)

    async def _recover(self) -> None:
        attempt = 0
        while self._wanted.is_set() and self.fatal is None:
            self.consumer.hold()
            await self.consumer.quiet()
            async with self.turn:
                self._wanted.clear()
                try:
                    await self._take_over()
                except FATAL as error:
                    self.end(error)
                except Exception as error:  # Kafka, Redis or the network, in any of their ways
                    self._wanted.set()
                    self._say_waiting(error)
            if self._wanted.is_set():
                await asyncio.sleep(_wait_s(attempt))
                attempt += 1

    async def _take_over(self) -> None:
        self.generation += 1
        mine = self.generation
        await self._settle()
        self.metrics.recoveries.inc()
        producer = await self.producers.opened()
        wanted = {TP(tp.topic, tp.partition) for tp in self.consumer.assignment()}
        partitions = [Partition(tp.topic, tp.partition) for tp in sorted(wanted)]
        acquired = await self.leasing.acquire(partitions, producer) if partitions else []
        states = {TP(state.partition.topic, state.partition.index): state for state in acquired}
        if mine == self.generation and states:
            await self.consumer.seek_wait({tp: state.next_offset for tp, state in states.items()})
        if mine != self.generation:
            return  # the assignment changed meanwhile, which asks for another take-over
        self.states = states
        for state in states.values():
            state.cache.most = self.settings.cache_entities // len(states)
        self.generation += 1
        paused = {tp for tp, state in states.items() if state.paused_at_ms}
        if paused:
            self.consumer.pause_partitions(paused)
        self.problem = ""
        self.consumer.proceed()
        log.info("partitions acquired", partitions=len(states))

    async def _settle(self) -> None:
        """The poll in flight is committed or given up, and nothing of a dropped producer is on its way any more."""
        in_flight, self.in_flight = self.in_flight, None
        if in_flight is not None:
            done, _ = await asyncio.wait([in_flight], timeout=SETTLE_WITHIN_S)
            if not done:
                in_flight.cancel()
                self.producers.drop()
        await self.producers.abandon_dropped()

    async def _resume_asked(self) -> None:
        asked = self.leasing.log.resumed
        found = [
            tp for tp, state in self.states.items() if 0 < state.paused_at_ms < asked.get(state.partition, 0)
        ]
        if not found:
            return
        self.consumer.hold()
        await self.consumer.quiet()
        async with self.turn:
            for tp in found:
                if tp in self.states:
                    self.states[tp].paused_at_ms = 0
                    self.states[tp].new_notes[PAUSED] = "0"
                    self.consumer.resume_partitions({tp})
                    log.info("partition resumed", topic=tp.topic, partition=tp.partition)
            # what was fetched before lacks what these partitions have missed
            self.generation += 1
            await self.consumer.seek_wait({tp: state.next_offset for tp, state in self.states.items()})
            if not self._wanted.is_set():
                self.consumer.proceed()

    async def _look(self) -> None:
        """Whether Kafka and Redis answer, and Redis did not go back: who waits for records would not notice."""
        held = [state.partition for state in self.states.values()]
        kafka, redis = await asyncio.gather(
            answers(partial(self.leasing.log.ask, held)), answers(self._compare)
        )
        self._away.note("Kafka", self.settings.kafka_bootstrap, answered=kafka)
        self._away.note("Redis", self.settings.redis_url, answered=redis)
        self.metrics.ready.set(not self.problems())
        self.metrics.lag.clear()
        for tp, state in self.states.items():
            end = self.consumer.highwater(tp)
            if end is not None:
                self.metrics.lag.labels(tp.topic, tp.partition).set(max(0, end - state.next_offset))

    async def _compare(self) -> None:
        """Asks Redis about every partition held; where it knows less than was committed, all are taken over again.

        That another worker holds one by now is Kafka's to tell: taking it back would be a quarrel.
        """
        leases = [state.lease for state in self.states.values()]
        asked = [lease.partition for lease in leases] or [Partition("none", 0)]
        found = await asyncio.gather(*map(self.leasing.store.record, asked))
        for lease, record in zip(leases, found, strict=False):
            known = record.offsets if record is not None else {}
            if any(known.get(digest, -1) < offset for digest, offset in lease.offsets.items()):
                log.error("Redis went back while nothing was read; acquiring again", partition=str(lease.partition))
                self._drop("recovering from a Redis that went back")
                return

    def _say_waiting(self, error: Exception) -> None:
        where = "Redis" if isinstance(error, StoreError) else "Kafka"
        problem = f"waiting for {where}: {type(error).__name__}: {error}"
        if problem != self.problem:
            log.warning(problem)
        self.problem = problem


def _wait_s(attempt: int) -> float:
    return WAITS_S[min(attempt, len(WAITS_S) - 1)]
