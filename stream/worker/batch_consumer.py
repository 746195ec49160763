"""An aiokafka consumer that takes the answers of the broker whole: runs of records instead of an object for each.

Group, assignment, leaders, positions and pauses stay aiokafka's. Its own fetcher makes an object of every record, and
asks for more of a partition as soon as what it has was taken: what comes while that poll is in work waits for one more.
Here more is asked for while a full poll is in work, up to a bound; after a smaller one the next poll asks, and takes all
that is there (decision 20).
"""

import asyncio
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.consumer.fetcher import Fetcher, FetchResult
from aiokafka.errors import CorruptRecordException
from aiokafka.protocol.fetch import FetchRequest

from scoring.clock import stopwatch_s
from scoring.record_run import InputRecord, RecordRun
from stream.worker.record_batches import has_old_messages, parts_of
from stream.worker.runs import ReadEvents, Visible, read_events, runs_of, visible_from

Taken = dict[TopicPartition, Sequence[InputRecord]]


class BatchConsumer(AIOKafkaConsumer):  # type: ignore[misc]  # aiokafka is not followed
    """Gives runs of records for some topics, with their events read, and records one by one for the others.

    Args:
        readers: of the topics that are read in runs, what makes events of values; called in this consumer's thread.
    """

    def __init__(self, *, readers: Mapping[str, ReadEvents], **named: Any) -> None:
        super().__init__(**named)
        self._readers = readers

    async def start(self) -> None:
        """As aiokafka's; its fetcher has nothing to fetch yet, and is replaced."""
        await super().start()
        idle: Fetcher = self._fetcher
        await idle.close()
        self._fetcher: Fetcher = BatchFetcher(
            self._client, self._subscription, readers=self._readers, most_ahead=self._max_poll_records,
            fetch_min_bytes=self._fetch_min_bytes, fetch_max_bytes=self._fetch_max_bytes,
            fetch_max_wait_ms=self._fetch_max_wait_ms, max_partition_fetch_bytes=self._max_partition_fetch_bytes,
            check_crcs=self._check_crcs, fetcher_timeout=self._consumer_timeout,
            retry_backoff_ms=self._retry_backoff_ms, auto_offset_reset=self._auto_offset_reset,
            isolation_level=self._isolation_level, client_rack=self._client_rack,
        )  # fmt: skip


class _Overheard:
    """aiokafka's client, which also keeps what fetches bring of some topics."""

    def __init__(self, client: AIOKafkaClient, topics: Collection[str]) -> None:
        self._client, self._topics = client, topics
        self.batches: dict[TopicPartition, tuple[Sequence[tuple[int, int]], bytes]] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    async def send(self, node_id: Any, request: Any) -> Any:
        answer = await self._client.send(node_id, request)
        for target, _, aborted, raw in parts_of(answer) if answer.API_KEY == FetchRequest.API_KEY else ():
            if target.topic in self._topics:
                self.batches[target] = (aborted, raw)
        return answer


class BatchFetcher(Fetcher):  # type: ignore[misc]  # aiokafka is not followed
    """aiokafka's fetcher, which keeps what it fetched as runs, and the positions behind them.

    `_records` holds what it always does: errors, and results of topics that are not read in runs. Of the others the last
    result stays in it until more is to be asked for, since aiokafka asks for what has none.

    Args:
        readers: as of `BatchConsumer`.
        most_ahead: records from which no more are asked for, of all partitions, or of one that is paused.

    Attributes:
        reading_s: seconds that went into making records and events of what the broker gave, since it began.
    """

    def __init__(
        self, client: AIOKafkaClient, subscriptions: Any, *, readers: Mapping[str, ReadEvents], most_ahead: int,
        **named: Any,
    ) -> None:  # fmt: skip
        self._readers, self._most_ahead = readers, most_ahead
        self._overheard = _Overheard(client, readers.keys())
        self._ahead: dict[TopicPartition, deque[RecordRun]] = {}
        self._ahead_of: Any = None
        self._held: set[TopicPartition] = set()
        self.reading_s = 0.0
        super().__init__(self._overheard, subscriptions, **named)

    def seek_to(self, tp: TopicPartition, offset: int) -> None:
        """As aiokafka's; what was fetched from elsewhere is forgotten."""
        self._forget(tp)
        super().seek_to(tp, offset)

    def request_offset_reset(self, tps: Collection[TopicPartition], strategy: int) -> Any:
        """As aiokafka's; what was fetched from elsewhere is forgotten."""
        for tp in tps:
            self._forget(tp)
        return super().request_offset_reset(tps, strategy)

    async def _proc_fetch_request(self, assignment: Any, node_id: Any, request: Any) -> bool:
        targets = [TopicPartition(topic, part[0]) for topic, parts in request.topics for part in parts]
        before = {tp: self._records.get(tp) for tp in targets}
        woken: bool = await super()._proc_fetch_request(assignment, node_id, request)
        answered: dict[TopicPartition, Visible] = {}
        for tp in targets:
            overheard, result = self._overheard.batches.pop(tp, None), self._records.get(tp)
            if overheard and result is not before[tp] and type(result) is FetchResult:
                visible = self._visible(assignment, tp, *overheard)
                if visible is not None:
                    answered[tp] = visible
        self._take_over(assignment, answered)
        return woken

    def _visible(
        self, assignment: Any, tp: TopicPartition, aborted: Sequence[tuple[int, int]], raw: bytes
    ) -> Visible | None:
        """What may be seen of an answer; None when aiokafka reads it, or it cannot be read, which is noted."""
        if has_old_messages(raw):
            return None
        began = stopwatch_s()
        try:
            return visible_from(raw, aborted, assignment.state_value(tp).position)
        except Exception as error:  # of five codecs, each with errors of its own
            self._cannot_be_read(assignment, tp, error)
            return None
        finally:
            self.reading_s += stopwatch_s() - began

    def _take_over(self, assignment: Any, answered: Mapping[TopicPartition, Visible]) -> None:
        """Makes runs of what was just fetched, and goes on behind it."""
        began = stopwatch_s()
        try:
            runs = dict(zip(answered, runs_of(list(answered.values())), strict=True))
        except Exception:  # one of them is broken: which, tells each by itself
            runs = {}
        for tp, visible in answered.items():
            try:
                run = runs[tp] if runs else runs_of([visible])[0]
            except Exception as error:
                self._cannot_be_read(assignment, tp, error)
                continue
            self._belongs_to(assignment)
            assignment.state_value(tp).consumed_to(visible.following)
            if len(run):
                self._ahead.setdefault(tp, deque()).append(run)
            self._held.add(tp)
            _drop_records(self._records[tp])
        self.reading_s += stopwatch_s() - began

    def _cannot_be_read(self, assignment: Any, tp: TopicPartition, error: Exception) -> None:
        del self._records[tp]
        where = f"{tp.topic} {tp.partition} from offset {assignment.state_value(tp).position}"
        self._set_error(tp, CorruptRecordException(f"{where}: {type(error).__name__}: {error}"))

    async def fetched_records(
        self, partitions: Collection[TopicPartition], timeout: float = 0, max_records: int | None = None
    ) -> Taken:
        """What was fetched of these partitions, at most so many records; waits so many seconds for the first."""
        give_up_at = stopwatch_s() + timeout
        while True:
            if self._subscriptions.reassignment_in_progress:
                await self._subscriptions.wait_for_assignment()
            taken = self._taken(partitions, max_records or self._most_ahead)
            waits_s = give_up_at - stopwatch_s()
            if taken or waits_s <= 0:
                return taken
            waiter = self._create_fetch_waiter()
            done, _ = await asyncio.wait([waiter], timeout=waits_s)
            if not done or self._closed:
                waiter.cancel()
                return {}
            waiter.result()  # raises what waits for nobody

    def _taken(self, partitions: Collection[TopicPartition], most: int) -> Taken:
        """What is there of the partitions; who gave most recently is asked last."""
        taken: Taken = {}
        room, left = most, 0
        subscription = self._subscriptions.subscription
        assignment: Any = None if subscription is None else subscription.assignment
        self._belongs_to(assignment)
        for tp in list(dict.fromkeys([*self._ahead, *self._records])):
            if not self._subscriptions.is_assigned(tp):
                self._forget(tp)
                self._records.pop(tp, None)
                continue
            if (partitions and tp not in partitions) or assignment.state_value(tp).paused:
                continue
            if room > 0 and (tp in self._ahead or tp not in self._held):
                records = self._run_of(tp, room) if tp in self._ahead else self._result_of(tp, room, bool(taken))
                if records:
                    taken[tp] = records
                    room -= len(records)
            left += self._waiting(tp)
        if not taken or (room <= most // 2 and left < self._most_ahead):
            self._fetch_on()
        began = stopwatch_s()
        read_events(taken, self._readers)
        self.reading_s += stopwatch_s() - began
        return taken

    def _fetch_on(self) -> None:
        """Lets more be fetched of all partitions that are not far enough ahead; those that are paused may be."""
        for tp in [tp for tp in self._held if self._waiting(tp) < self._most_ahead]:
            self._held.discard(tp)
            self._ask_on(tp)

    def _run_of(self, tp: TopicPartition, most: int) -> RecordRun:
        """The first of the runs, as many whole ones as fit, the rest behind those of other partitions."""
        runs, parts, began = self._ahead.pop(tp), [], stopwatch_s()
        while runs and most > 0:
            first = runs.popleft()
            if len(first) > most:
                runs.appendleft(first[most:])
            parts.append(first[:most])
            most -= len(parts[-1])
        if runs:
            self._ahead[tp] = runs
        run = RecordRun.joined(parts)
        self.reading_s += stopwatch_s() - began
        return run

    def _result_of(self, tp: TopicPartition, most: int, later: bool) -> Sequence[InputRecord]:
        """Records that aiokafka reads one by one; an error is raised, or kept while there is something to give."""
        result = self._records[tp]
        if type(result) is FetchResult:
            records: list[InputRecord] = result.getall(most)
            if not result.has_more():
                self._ask_on(tp)
            return records
        if not later:
            self._ask_on(tp)
            result.check_raise()
        return ()

    def _ask_on(self, tp: TopicPartition) -> None:
        del self._records[tp]
        self._notify(self._wait_consume_future)

    def _waiting(self, tp: TopicPartition) -> int:
        return sum(map(len, self._ahead.get(tp, ())))

    def _forget(self, tp: TopicPartition) -> None:
        self._ahead.pop(tp, None)
        self._held.discard(tp)

    def _belongs_to(self, assignment: Any) -> None:
        """What was fetched for another assignment is forgotten."""
        if self._ahead_of is not assignment:
            self._ahead, self._ahead_of, self._held = {}, assignment, set()


def _drop_records(result: FetchResult) -> None:
    """Frees what is not read from here: with its iterator it is a cycle, which lasts until the collector comes."""
    unread = result._partition_records
    unread._records, unread._records_iterator = None, iter(())
