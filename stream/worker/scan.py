"""What the output partitions already hold: read when partitions are taken over, so that nothing is written twice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import CorruptRecordException
from numpy.typing import NDArray

from schemas.cloudevents import source_of
from schemas.topics import ALERTS, DEAD_LETTERS, SCORES
from scoring.partition import PartitionState
from scoring.store.contract import Partition
from scoring.wire.packed import Packed
from scoring.wire.read_records import NO_NUMBER, Batches, header_values, like_the_one_before, numbers_after
from stream.kafka import client_arguments
from stream.settings import Settings
from stream.worker.clients import RETRY_MS, let_go
from stream.worker.outputs import TOPICS, output_name
from stream.worker.record_batches import read_batches

COLONS = {SCORES: (3, 1), ALERTS: (4, 1), DEAD_LETTERS: (3, -1)}
"""In the identity of an output, before its offset and behind; of an internal topic there are two and none."""

FAR_BEHIND = 1_000_000
"""Records that may have come, and been scored by others, since the end of the log was asked for."""


@dataclass(eq=False)
class Findings:
    """Outputs by their identity headers, noted in the partitions that they belong to.

    Args:
        states: the partitions taken over.
        second_pass: scorers of internal topics, and which topic: their outputs lie where its partition lies, not where
            the input record does.
    """

    states: Sequence[PartitionState]
    second_pass: Mapping[str, str]
    _by_partition: dict[Partition, PartitionState] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._by_partition = {state.partition: state for state in self.states}

    def targets(self) -> dict[TopicPartition, int]:
        """The output partitions to read, each from the first offset that is not known to be covered."""
        wanted: dict[TopicPartition, int] = {}
        for state in self.states:
            own = [TopicPartition(topic, state.partition.index) for topic in TOPICS]
            passed_on = [
                TopicPartition(passing.to.topic, index)
                for passing in state.passes_on
                for index in range(passing.partition_count)
            ]
            for target in own + passed_on:
                kept = state.lease.outputs.get(output_name(target.topic, target.partition), 0)
                wanted[target] = min(wanted.get(target, kept), kept)
        return wanted

    def note(self, target: TopicPartition, identities: Packed, sources: Packed) -> None:
        """Notes consecutive outputs by their headers; those of other partitions, namespaces, producers are passed over.

        Outputs stand in runs about one input partition: names are taken apart once per run.
        """
        colons, more = COLONS.get(target.topic, (2, 0))
        # a dead letter names its scorer behind the offset, in others what is there differs from record to record
        same = np.zeros(len(identities.starts), np.bool_)
        if target.topic != DEAD_LETTERS:
            same = like_the_one_before(identities, colons) & like_the_one_before(sources, 0)
        offsets = numbers_after(identities, colons, more)
        starts = np.flatnonzero(~same).tolist()
        for start, end in pairwise([*starts, len(same)]):
            good = start + np.flatnonzero(offsets[start:end] != NO_NUMBER)
            if len(good):
                first = int(good[0])
                self._note_run(target, identities.one(first), sources.one(first), offsets[good])

    def _note_run(
        self, target: TopicPartition, identity: bytes, source: bytes, offsets: NDArray[np.int64]
    ) -> None:
        kind, name, first = parse_identity(target.topic, identity.decode(errors="replace"))
        if first is None:
            return
        origin, _ = first
        home = self.second_pass.get(name) if kind != "sequenced" else None
        state = self._by_partition.get(Partition(home, target.partition) if home else origin)
        if state is not None and source == _source(state, origin):
            if state.partition == origin:  # what names an offset far behind the log's end is no output of ours
                offsets = offsets[offsets < state.log_end + FAR_BEHIND]
            state.emitted_of(origin).add(kind, name, offsets)

    def internal(self) -> list[TopicPartition]:
        """The partitions of internal topics of which outputs were found."""
        return [
            TopicPartition(state.partition.topic, state.partition.index)
            for state in self.states
            if any(state.emitted_from.values())
        ]

    def note_ends(self, ends: Mapping[TopicPartition, int]) -> None:
        """Outputs of an internal topic name the records' origins: any record up to its end may be one that is out."""
        for target, end in ends.items():
            self._by_partition[Partition(target.topic, target.partition)].emitted.highest = end - 1


async def scan(
    settings: Settings, states: Sequence[PartitionState], second_pass: Mapping[str, str]
) -> None:
    """Notes in every partition which of its outputs are there, from the offsets its lease keeps.

    Args:
        second_pass: as of `Findings`.

    Raises:
        aiokafka.errors.KafkaError: the broker cannot be reached.
    """
    findings = Findings(states, second_pass)
    wanted = findings.targets()
    consumer = AIOKafkaConsumer(
        **client_arguments(settings), enable_auto_commit=False, isolation_level="read_committed",
        retry_backoff_ms=RETRY_MS,
    )  # fmt: skip
    try:
        await consumer.start()
        ends = await consumer.end_offsets(list(wanted))
        begins = await consumer.beginning_offsets(list(wanted))
        spans = {target: (max(offset, begins[target]), ends[target]) for target, offset in wanted.items()}
        async for target, batches in read_batches(settings, spans):
            findings.note(target, *_headers(target, batches))
        internal = findings.internal()
        if internal:
            findings.note_ends(await consumer.end_offsets(internal))
    finally:
        await let_go(consumer)


def _headers(target: TopicPartition, batches: Batches) -> tuple[Packed, Packed]:
    count = int(batches.counts.sum())
    try:
        return (
            header_values(batches.raw, count, b"ce_id"),
            header_values(batches.raw, count, b"ce_source"),
        )
    except ValueError as error:
        where = f"{target.topic} {target.partition} from offset {int(batches.offsets[0])}"
        raise CorruptRecordException(f"{where}: {error}") from None


def _source(state: PartitionState, origin: Partition) -> bytes:
    return source_of(state.namespace, origin.topic, origin.index).encode()


def parse_identity(topic: str, identity: str) -> tuple[str, str, tuple[Partition, int] | None]:
    """Kind, scorer (or internal topic) and source of an output's identity; no source when it is not riskstream's.

    >>> parse_identity("risk-scores", "payment_anomaly:transactions:3:17:0011aabb")
    ('terminal', 'payment_anomaly', (Partition(topic='transactions', index=3), 17))
    >>> parse_identity("dead-letters", "dead:transactions:3:17")
    ('terminal', '', (Partition(topic='transactions', index=3), 17))
    >>> parse_identity("transactions-by-merchant", "transactions:3:17")
    ('sequenced', 'transactions-by-merchant', (Partition(topic='transactions', index=3), 17))
    """
    parts = identity.split(":")
    try:
        if topic == DEAD_LETTERS:
            _, name, index, offset, *scorer = parts
            return "terminal", scorer[0] if scorer else "", (Partition(name, int(index)), int(offset))
        if topic not in TOPICS:
            name, index, offset = parts
            return "sequenced", topic, (Partition(name, int(index)), int(offset))
        kind = "alert" if topic == ALERTS else "terminal"
        scorer_name, name, index, offset, _ = parts[1:] if topic == ALERTS else parts
        return kind, scorer_name, (Partition(name, int(index)), int(offset))
    except ValueError:
        return "", "", None
