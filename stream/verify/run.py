"""A verification: per input partition the books, the log scored again, and the states in Redis."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from schemas.catalog import event_types
from schemas.cloudevents import source_of
from schemas.codec import EventDecoder
from scoring.clock import now_ms, stopwatch_s
from scoring.model.errors import RefusedBundle
from scoring.scorer import Scorer
from scoring.sequence import SequenceWriter
from scoring.store.contract import MOST_KEYS, Partition, Record
from scoring.store.redis import RedisStore
from stream.bundle_library import BundleLibrary
from stream.errors import JobFailed
from stream.operator import recorded_activations
from stream.settings import Settings
from stream.state_store import opened_store
from stream.verify.accounting import EVERYBODY, OUTPUTS, Account, PassedOn, content_of, placed
from stream.verify.findings import Findings
from stream.verify.reading import LogReader, Range
from stream.verify.rescoring import Rescoring, in_polls
from stream.worker.activation_log import ActivationLog

STILL_S = 5.0
"""A partition whose offset stands still for so long is not being worked on."""

Progress = Callable[[Partition, int], None]


async def verify(
    settings: Settings,
    scorers: Mapping[str, Scorer],
    *,
    topics: Sequence[str] = (),
    wait_s: float = 30.0,
    on_progress: Progress = lambda _partition, _inputs: None,
) -> Findings:
    """Looks at every partition of the input topics (all that were scored, when none is named).

    Args:
        wait_s: how long to wait for workers to come to the end of the log.

    Raises:
        JobFailed: Kafka or Redis do not answer, or nothing was ever scored.
    """
    log = await recorded_activations(settings)
    scored = sorted({partition.topic for _, partition in log.activations})
    unknown = [topic for topic in topics if topic not in scored]
    if unknown or not scored:
        raise JobFailed(
            f"topic {', '.join(unknown) or 'of events'}: nothing of it was scored in namespace {settings.namespace}; "
            f"scored were {', '.join(scored) or 'none'}"
        )
    findings = Findings()
    async with opened_store(settings) as store:
        with LogReader(settings) as reader:
            job = _Job(settings, scorers, log, store, reader, findings, wait_s, on_progress)
            for topic in topics or scored:
                for index in range(reader.partition_count(topic)):
                    await job.look_at(Partition(topic, index))
    return findings


@dataclass(eq=False)
class _Job:
    settings: Settings
    scorers: Mapping[str, Scorer]
    log: ActivationLog
    store: RedisStore
    reader: LogReader
    findings: Findings
    wait_s: float
    on_progress: Progress

    def __post_init__(self) -> None:
        self._library = BundleLibrary(self.settings.bundle_dirs)
        self._decoders: dict[str, EventDecoder] = {}
        self._passed_on: dict[str, dict[str, list[tuple[str, int]]]] = {}
        types = event_types()
        self._second_pass = frozenset(
            name for name, where in self.log.activations if where.topic in types and types[where.topic].origin
        )

    async def look_at(self, partition: Partition) -> None:
        """One partition: outputs first, then its inputs, which are scored again on the way."""
        whole = self.reader.range_of(partition.topic, partition.index)
        before = await self._settled(partition, whole.end)
        scores_from = {
            name: known[0].from_offset for (name, where), known in self.log.activations.items() if where == partition
        }  # fmt: skip
        account = self._account(partition, whole, scores_from)
        for to in account.passed_from:
            account.take_passed_on(to, self._passed_on_from(to).get(account.origin, ()))
        for topic in OUTPUTS:
            within = self.reader.range_of(topic, partition.index)
            for records in self.reader.read(topic, partition.index, within):
                account.take_outputs(topic, records)
        again = await self._again(partition, whole)
        committed = min(before.offsets.values(), default=0) if before is not None else 0
        given: set[tuple[str, str]] = set()
        taken = 0
        for records in in_polls(self.reader.read(partition.topic, partition.index, whole)):
            account.take_inputs(records)
            if again is not None:
                for topic, identity, content in await again.score(
                    [record for record in records if record.offset < committed]
                ):
                    self._compare(account, (topic, identity), content, given)
            taken += len(records)
            self.on_progress(partition, taken)
        account.close()
        if again is not None:
            self._find_strange(account, again, given)
            await self._compare_states(partition, again, before)
            again.close()

    def _account(self, partition: Partition, whole: Range, scores_from: Mapping[str, int]) -> Account:
        namespace, event_type = self.settings.namespace, event_types().get(partition.topic)
        if event_type is not None and event_type.origin is not None:
            origins = source_of(namespace, event_type.origin.topic, 0)[:-1]
            records = self.reader.read(partition.topic, partition.index, whole)
            sequence = PassedOn.of((record for block in records for record in block), origins)
            return Account(partition, origins, scores_from, self.findings, sequence=sequence)
        origin = source_of(namespace, partition.topic, partition.index)
        passed_from = {to: first for (to, where), first in self.log.passed_on.items() if where == partition}
        return Account(
            partition, origin, scores_from, self.findings, others=self._second_pass, passed_from=passed_from
        )

    def _passed_on_from(self, to: str) -> Mapping[str, list[tuple[str, int]]]:
        """Everything in an internal topic by CloudEvents source: identities, and hashes of content and place."""
        if to not in self._passed_on:
            found = self._passed_on[to] = {}
            for index in range(self.reader.partition_count(to)):
                for records in self.reader.read(to, index, self.reader.range_of(to, index)):
                    for record in records:
                        content = placed(content_of(record.value), index)
                        found.setdefault(record.origin, []).append((record.identity, content))
        return self._passed_on[to]

    def _passes_on(self, partition: Partition) -> list[SequenceWriter]:
        found = []
        views = {scorer.topic: scorer.view for scorer in self.scorers.values() if scorer.view.carries}
        for (to, where), first in sorted(self.log.passed_on.items()):
            carried = views[to].carries if to in views else None
            if where == partition and carried is not None:
                found.append(SequenceWriter(views[to].event, carried, self.reader.partition_count(to), first))
        return found

    async def _settled(self, partition: Partition, end: int) -> Record | None:
        """What Redis records of the partition, once it covers the log or stands still."""
        began = changed = stopwatch_s()
        found = await self.store.record(partition)
        while True:
            offsets = found.offsets.values() if found is not None else ()
            now = stopwatch_s()
            if min(offsets, default=0) >= end or now - began > self.wait_s or now - changed > STILL_S:
                return found
            await asyncio.sleep(0.2)
            following = await self.store.record(partition)
            if following is None or found is None or following.offsets != found.offsets:
                changed = now
            found = following

    async def _again(self, partition: Partition, whole: Range) -> Rescoring | None:
        if whole.begin > 0:
            self.findings.notes.append(
                f"{partition}: its log begins at offset {whole.begin}, what came before is gone; contents and states "
                "were not checked"
            )
            return None
        event_type = event_types().get(partition.topic)
        if event_type is None:
            self.findings.notes.append(f"{partition}: this version has no event type of that topic")
            return None
        decoder = self._decoders.setdefault(
            partition.topic, EventDecoder(event_type, strict=self.settings.strict)
        )
        of_topic = {name: scorer for name, scorer in self.scorers.items() if scorer.topic == partition.topic}
        count = self.reader.partition_count(partition.topic)
        try:
            return await Rescoring.of(
                self.settings, partition, count, whole.begin, of_topic, self.log, self._library, decoder,
                self._passes_on(partition),
            )  # fmt: skip
        except (JobFailed, RefusedBundle) as error:
            self.findings.notes.append(f"{partition}: {error}; contents and states were not checked")
            return None

    def _compare(
        self, account: Account, key: tuple[str, str], content: int, given: set[tuple[str, str]]
    ) -> None:
        given.add(key)
        answer = account.written.get(key)  # what is not there was counted by coordinates
        if answer is not None and answer.content != content:
            self.findings.note("different", f"{key[1]}: scoring the log again gives other bytes")

    def _find_strange(self, account: Account, again: Rescoring, given: set[tuple[str, str]]) -> None:
        for key in sorted(account.written.keys() - given):
            answer = account.written[key]
            if answer.offset >= again.state.next_offset:
                continue
            if key[0] in OUTPUTS and (answer.scorer == EVERYBODY or again.scored_at(answer.scorer, answer.offset)):
                self.findings.note("different", f"{key[1]}: scoring the log again does not give it")

    async def _compare_states(self, partition: Partition, again: Rescoring, before: Record | None) -> None:
        expected, now = again.states(), now_ms()
        prefixes = tuple(again.state.state_prefix(view) for view in again.state.views)
        keys = [
            key
            for key in await self.store.keys(partition)
            if key.startswith("a:") or key.startswith(prefixes)
        ]
        values = [
            value
            for start in range(0, len(keys), MOST_KEYS)
            for value in await self.store.values(partition, keys[start : start + MOST_KEYS])
        ]
        after = await self.store.record(partition)
        if before is None or after is None or after.offsets != before.offsets:
            self.findings.notes.append(
                f"{partition}: was worked on meanwhile, its states were not checked; verify when nothing is fed"
            )
            return
        found = dict(zip(keys, values, strict=True))
        for key in sorted(expected.keys() | found.keys()):
            if found.get(key) == expected.get(key):
                continue
            if found.get(key) is None and again.expires_ms.get(key, now) < now:
                continue  # past its horizon, and dropped: the same as absent
            kind = "state_mismatches" if key.startswith("s:") else "alert_state_mismatches"
            # the entity is left out: it is personal data
            what = "is not in Redis" if found.get(key) is None else "is not that of the log"
            self.findings.note(kind, f"{partition}: the state of one entity {what}")
