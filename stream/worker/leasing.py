"""Taking partitions over: leases, start offsets, what is in force, what is already out."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec
import structlog
import xxhash
from aiokafka import AIOKafkaProducer

from schemas.activation import Activation, Desired, PassingOn
from schemas.codec import EventDecoder
from schemas.topics import ACTIVATIONS
from scoring.engine import InForce
from scoring.features.spec import FeatureView
from scoring.model.errors import RefusedBundle
from scoring.partition import Emitted, PartitionState, StateCache
from scoring.policy import Policy
from scoring.records import RecordReader
from scoring.scorer import Scorer
from scoring.sequence import SequenceReader, SequenceWriter, origin_of
from scoring.store.contract import Lease, Partition, StateStore
from stream.bundle_library import BundleLibrary
from stream.errors import JobFailed
from stream.inputs import input_topics, views_on
from stream.settings import Settings
from stream.worker.activation_log import ActivationLog
from stream.worker.assignor import TopicAwareAssignor
from stream.worker.clients import require_topics
from stream.worker.log_range import LogGuard, LogRange, describe, log_ranges
from stream.worker.outputs import TOPICS as OUTPUTS
from stream.worker.scan import scan

PAUSED, TOPIC_ID = "paused", "topic_id"
log = structlog.get_logger("riskstream.worker")


@dataclass(eq=False)
class Leasing:
    """Acquires partitions for a worker.

    Args:
        scorers: the scorers to run, by name.
        decoders: one per input topic, shared by its partitions (they count unknown fields).
    """

    settings: Settings
    store: StateStore
    scorers: Mapping[str, Scorer]
    library: BundleLibrary
    log: ActivationLog
    decoders: dict[str, EventDecoder]

    async def open(self) -> None:
        """Connects to the store and reads the activations.

        Raises:
            EvictingStore, StoreRefused: the store is not fit to keep state.
            StoreUnavailable, MissingTopics, aiokafka.errors.KafkaError: not now; try again.
        """
        await self.store.open()
        inputs = input_topics(self.scorers)
        await require_topics(self.settings, {*inputs, *OUTPUTS, ACTIVATIONS})
        described = sorted((await describe(self.settings, inputs)).items())
        TopicAwareAssignor.topics_seen = xxhash.xxh3_64_digest(repr(described).encode())
        await self.log.open()

    async def close(self) -> None:
        """Lets go of store and activations."""
        await self.log.close()
        await self.store.close()

    async def acquire(
        self, partitions: Sequence[Partition], producer: AIOKafkaProducer
    ) -> list[PartitionState]:
        """The states of the partitions under new leases, ready to go on at their `next_offset`.

        Raises:
            JobFailed: the log no longer reaches back to the state, or a recorded bundle is not at hand.
            PartitionCountChanged, StoreUnavailable, KafkaError: as they say.
        """
        # who held the partitions before may have activated something a moment ago
        await self.log.catch_up()
        counts = {topic: len(await producer.partitions_for(topic)) for topic in {p.topic for p in partitions}}
        leases = await asyncio.gather(
            *(self.store.acquire(p, partition_count=counts[p.topic]) for p in partitions)
        )
        for lease in leases:
            if lease.rolled_back:
                log.error(
                    "Redis was rolled back: state is older than seen before, scoring again from it",
                    partition=str(lease.partition),
                )
        ranges = await self._ranges(partitions)
        states = [
            self._state(lease, counts[lease.partition.topic], ranges[lease.partition]) for lease in leases
        ]
        for state in states:
            await self._pass_on(state, producer)
        internal = {name: scorer.topic for name, scorer in self.scorers.items() if scorer.view.carries}
        await scan(self.settings, states, internal)
        for state in states:
            await self._put_in_force(state, producer)
        return states

    async def activate_desired(self, state: PartitionState, producer: AIOKafkaProducer) -> bool:
        """Puts in force what an operator asked for, from the next record on that is not out; True when something changed.

        What cannot be put in force - no such bundle here, one for another view, a policy that is none - is said once, and
        the scorer goes on with what is recorded.
        """
        changed = False
        for name, wanted in self.log.desired.items():
            scorer, known = self.scorers.get(name), self.log.of(name, state.partition)
            if scorer is None or scorer.topic != state.partition.topic or not known:
                continue
            policy = self._usable(scorer, wanted)
            if policy is None:
                continue
            if (known[-1].bundle, known[-1].policy) != (wanted.bundle, policy.digest):
                start = max(state.first_unwritten, known[-1].from_offset)
                await self._activate(state, scorer, wanted.bundle, policy, start, producer)
                log.info(
                    "activated", scorer=name, bundle=wanted.bundle, policy=policy.digest,
                    partition=str(state.partition), from_offset=start,
                )  # fmt: skip
                changed = True
        if changed:
            self._load(state)
        return changed

    def _state(self, lease: Lease, partition_count: int, found: LogRange) -> PartitionState:
        partition = lease.partition
        views = views_on(self.scorers, partition.topic)
        offsets = {view.digest: lease.offsets.get(view.digest) for view in views}
        known = [offset for offset in offsets.values() if offset is not None]
        recorded_id = lease.notes.get(TOPIC_ID, "")
        self._guard.check(partition, found, offsets=known, recorded_id=recorded_id)
        rebuilding = len(known) < len(offsets)
        start = found.begin if rebuilding else min(known)
        if rebuilding:
            # the scan must see every output of the records folded again, and what they were made from is read again
            lease = replace(lease, outputs={}, origins=dict.fromkeys(lease.origins, 0))
        state = PartitionState(
            partition=partition,
            partition_count=partition_count,
            lease=lease,
            views=views,
            reader=self._reader(lease, partition_count, views),
            namespace=self.settings.namespace,
            cache=StateCache(self.settings.cache_entities),
            emitted=Emitted(start),
            next_offset=start,
            committed=offsets,
            paused_at_ms=int(lease.notes.get(PAUSED) or 0),
            log_end=found.end,
        )  # fmt: skip
        if found.topic_id and not recorded_id:
            state.new_notes[TOPIC_ID] = found.topic_id
        state.emitted_from = {origin_of(name): Emitted(offset) for name, offset in lease.origins.items()}
        return state

    def _reader(
        self, lease: Lease, partition_count: int, views: Sequence[FeatureView]
    ) -> RecordReader | SequenceReader:
        decoder, settings = self.decoders[lease.partition.topic], self.settings
        carried = views[0].carries
        if carried is not None:
            return SequenceReader(decoder, carried, settings.namespace, dict(lease.origins))
        return RecordReader(
            decoder, lease.partition.index, partition_count, settings.key_check, settings.skew_ms
        )

    async def _pass_on(self, state: PartitionState, producer: AIOKafkaProducer) -> None:
        """Finds to which internal topics the partition's events go, and records from which offset on if nobody has."""
        own = state.partition
        carrying = {s.topic: s.view for s in self.scorers.values() if s.view.carries in state.views}
        found = []
        for topic, view in sorted(carrying.items()):
            assert view.carries is not None  # it is in the state's views
            if (topic, own) not in self.log.passed_on:
                passing = PassingOn(
                    to=topic, topic=own.topic, partition=own.index, from_offset=state.next_offset
                )
                await self.log.write_passing_on(producer, passing)
            count = len(await producer.partitions_for(topic))
            found.append(SequenceWriter(view.event, view.carries, count, self.log.passed_on[topic, own]))
        state.passes_on = found

    async def _put_in_force(self, state: PartitionState, producer: AIOKafkaProducer) -> None:
        for scorer in self.scorers.values():
            if scorer.topic != state.partition.topic:
                continue
            known = self.log.of(scorer.name, state.partition)
            if known and known[-1].view == scorer.view.digest:
                continue
            start = state.next_offset
            if known:
                start = max([state.first_unwritten, known[-1].from_offset, *state.lease.offsets.values()])
            await self._activate(state, scorer, *self._choice(scorer), start, producer)
        await self.activate_desired(state, producer)
        self._load(state)

    def _choice(self, scorer: Scorer) -> tuple[str, Policy]:
        """Bundle and policy to begin with: what an operator asked for, else the only bundle there is."""
        wanted = self.log.desired.get(scorer.name)
        policy = self._usable(scorer, wanted) if wanted is not None else None
        if wanted is None or policy is None:
            return self.library.champion(scorer).digest, scorer.policy
        return wanted.bundle, policy

    def _usable(self, scorer: Scorer, wanted: Desired) -> Policy | None:
        """The policy of what was asked for; None, said once, when it cannot be put in force here."""
        if wanted == self._refused.get(scorer.name):
            return None
        try:
            policy = msgspec.convert(wanted.policy_content, Policy)
            self.library.load(scorer, wanted.bundle)
        except (JobFailed, RefusedBundle, ValueError) as error:
            self._refused[scorer.name] = wanted
            log.error(
                "cannot activate what was asked for; going on as before",
                scorer=scorer.name,
                error=str(error),
            )
            return None
        return policy

    async def _activate(
        self,
        state: PartitionState,
        scorer: Scorer,
        bundle: str,
        policy: Policy,
        start: int,
        producer: AIOKafkaProducer,
    ) -> None:
        self.library.load(scorer, bundle)
        activation = Activation(
            scorer=scorer.name, topic=state.partition.topic, partition=state.partition.index, from_offset=start,
            bundle=bundle, policy=policy.digest, view=scorer.view.digest, policy_content=policy.content,
            live=not scorer.shadow,
        )  # fmt: skip
        await self.log.write(producer, activation)
        state.new_notes[f"act:{scorer.name}"] = msgspec.json.encode(activation).decode()

    def _load(self, state: PartitionState) -> None:
        state.in_force = {}
        for scorer in self.scorers.values():
            if scorer.topic != state.partition.topic:
                continue
            state.in_force[scorer.name] = [
                (activation.from_offset, self._in_force(scorer, activation, state))
                for activation in _relevant(self.log.of(scorer.name, state.partition), state.next_offset)
            ]

    def _in_force(self, scorer: Scorer, activation: Activation, state: PartitionState) -> InForce | None:
        made = self.library.in_force(scorer, activation)
        if made is None:
            return None  # its records were scored under the view they had then
        return self._shared.setdefault((made.name, made.bundle.digest, made.policy.digest, made.live), made)

    def __post_init__(self) -> None:
        # one object for the same thing on all partitions, so that they share one model call
        self._shared: dict[tuple[str, str, str, bool], InForce] = {}
        self._refused: dict[str, Desired] = {}
        self._guard = LogGuard()

    async def _ranges(self, partitions: Sequence[Partition]) -> dict[Partition, LogRange]:
        return await log_ranges(self.settings, partitions)


def _relevant(activations: Sequence[Activation], offset: int) -> list[Activation]:
    """The activation in force at an offset and all later ones."""
    earlier = [entry for entry in activations if entry.from_offset <= offset]
    return earlier[-1:] + [entry for entry in activations if entry.from_offset > offset]
