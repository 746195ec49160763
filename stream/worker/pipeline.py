"""Polls through the scoring core: prepare, produce, wait for acknowledgement, commit.

Two polls overlap: while the outputs of one are sent and acknowledged the next is scored. Commits are strictly in order.
Whatever goes wrong - a lost lease, no Redis, no Kafka, a failed acknowledgement - leads to the same thing: the keeper
drops leases and caches and takes the partitions over again.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog
from aiokafka import AIOKafkaProducer
from faust.types import TP

from scoring.clock import now_ms, stopwatch_s
from scoring.partition import PartitionState
from scoring.poll import Poller
from scoring.prepared import Prepared, with_outputs
from scoring.record_run import InputRecord, offsets_of
from stream.settings import Settings
from stream.worker.keeper import FATAL, Keeper
from stream.worker.leasing import PAUSED
from stream.worker.log_range import LogBehind
from stream.worker.metrics import Metrics
from stream.worker.outputs import acknowledged, covered_for, send
from stream.worker.watchdog import Watchdog

DRAINED_WITHIN_S = 30.0
log = structlog.get_logger("riskstream.worker")


@dataclass(eq=False)
class Pipeline:
    """What the agent hands its polls to.

    Args:
        keeper: holds the partitions, and hears of every failure.
        watchdog: ends the process when a model hangs.
    """

    settings: Settings
    keeper: Keeper
    metrics: Metrics
    watchdog: Watchdog

    def __post_init__(self) -> None:
        self.poller = Poller(self.keeper.leasing.store, self.settings.dead_letter_content)
        self._working: asyncio.Task[None] | None = None
        self._closing = False
        self._sending = asyncio.Lock()

    async def close(self) -> None:
        """Finishes what is in work, so that nothing of it is done again, and lets go."""
        self._closing = True  # a poll fetched from now on would be scored and written, and never committed
        self.keeper.generation += 1
        if self._working is not None:
            await asyncio.wait([self._working], timeout=DRAINED_WITHIN_S)
        await self.keeper.close()
        self.poller.close()

    def handle(self, generation: int, poll: Mapping[TP, Sequence[InputRecord]]) -> "asyncio.Task[None]":
        """Scores a poll; the task ends when it is scored and the one before is committed."""
        self._working = asyncio.create_task(self._handle(generation, poll))
        return self._working

    async def _handle(self, generation: int, poll: Mapping[TP, Sequence[InputRecord]]) -> None:
        keeper = self.keeper
        async with keeper.turn:
            if self._closing or generation != keeper.generation:
                return
            try:
                await self._score(poll)
            except FATAL as error:
                keeper.end(error)
            except Exception as error:  # known or not, the answer is the same: drop, acquire, score again
                keeper.lose(error)

    async def _score(self, poll: Mapping[TP, Sequence[InputRecord]]) -> None:
        keeper = self.keeper
        wanted = {}
        for tp, records in poll.items():
            state = keeper.states.get(tp)
            if state is not None and not state.paused_at_ms:
                if records and records[0].offset < state.next_offset:
                    # the consumer stands where it was told to, so the log itself went back: made anew, or cut short
                    raise LogBehind(f"{state.partition}: offset {records[0].offset} came after {state.next_offset}")
                if records:
                    wanted[state] = records
                    await keeper.leasing.activate_desired(state, keeper.producers.present)
        if not wanted:
            return
        with self.watchdog.watching():
            prepared = await self.poller.prepare(wanted)
        self._note_refusals(prepared, wanted)
        self._note_intake(prepared, wanted)
        newest_ms = max(records[-1].timestamp for records in wanted.values())
        before, keeper.sent_at_s = keeper.in_flight, stopwatch_s()
        keeper.in_flight = asyncio.create_task(
            self._finish(prepared, newest_ms, keeper.producers.present, before)
        )
        if before is not None:  # one poll on its way to Kafka and Redis while the next is scored, not more
            began = stopwatch_s()
            await before
            self.metrics.stage_seconds.labels("wait").observe(stopwatch_s() - began)

    async def _finish(
        self,
        prepared: Prepared,
        newest_ms: int,
        producer: AIOKafkaProducer,
        before: "asyncio.Task[bool] | None",
    ) -> bool:
        """Sends, waits for the acknowledgements, commits after the poll before; whether all of it came to its commit."""
        try:
            async with self._sending:  # polls are handed over one after another, in their order
                began = stopwatch_s()
                sent = await send(producer, prepared.outputs, self.settings.compression)
                prepared.outputs.clear()  # the producer has its own copy
                self.metrics.stage_seconds.labels("send").observe(stopwatch_s() - began)
            # counted now: what was handed over may be out, whatever becomes of the poll before
            self.metrics.scores.inc(prepared.counts["scores"])
            self.metrics.alerts.inc(prepared.counts["alerts"])
            self.metrics.dead_letters.inc(prepared.counts["letters"])
            if before is not None and not await before:
                return False  # the keeper was told; of what was just sent, the scan finds what got through
            covered = await acknowledged(sent)
            acked = stopwatch_s()
            await asyncio.gather(*(self._commit(state, prepared, covered) for state in prepared.steps))
        except FATAL as error:
            self.keeper.end(error)
            return False
        except Exception as error:
            self.keeper.lose(error)
            return False
        self.keeper.progressed()
        self.metrics.stage_seconds.labels("produce").observe(acked - began)
        self.metrics.stage_seconds.labels("commit").observe(stopwatch_s() - acked)
        self.metrics.delay_seconds.observe(max(0.0, (now_ms() - newest_ms) / 1000))
        return True

    async def _commit(self, state: PartitionState, prepared: Prepared, covered: Mapping[str, int]) -> None:
        own = covered_for(state, max(prepared.steps[state][-1].next.values()), covered)
        async with state.busy:
            state.lease = await self.keeper.leasing.store.commit(
                state.lease, with_outputs(prepared.steps[state], own)
            )
        state.cache.unpin(prepared.pinned[state])

    def _note_refusals(self, prepared: Prepared, taken: Mapping[PartitionState, Sequence[InputRecord]]) -> None:
        for state, records in taken.items():
            refused, offsets = prepared.refused[state], offsets_of(records)
            # what was refused before, and is only folded again, was looked at then: nobody has to say go on twice
            new = offsets[offsets > state.emitted.highest]
            outcomes = [offset in refused for offset in new.tolist()] if refused else [False] * len(new)
            if state.note_refusals(outcomes, self.settings.refuse_share):
                state.paused_at_ms = now_ms()
                state.refused.clear()
                prepared.note(state, PAUSED, str(state.paused_at_ms))
                self.keeper.consumer.pause_partitions({TP(state.partition.topic, state.partition.index)})
                log.error(
                    "partition paused: too many records refused", topic=state.partition.topic,
                    partition=state.partition.index, share=self.settings.refuse_share,
                )  # fmt: skip

    def _note_intake(self, prepared: Prepared, taken: Mapping[PartitionState, Sequence[InputRecord]]) -> None:
        for stage, seconds in prepared.seconds.items():
            self.metrics.stage_seconds.labels(stage).observe(seconds)
        self.metrics.poll_records.observe(sum(map(len, taken.values())))
        for state, records in taken.items():
            self.metrics.events.labels(state.partition.topic).inc(len(records))
        self.metrics.cached.set(sum(len(state.cache) for state in self.keeper.states.values()))
        for topic, decoder in self.keeper.leasing.decoders.items():
            self.metrics.unknown_fields.labels(topic).set(sum(decoder.unknown_fields.values()))
