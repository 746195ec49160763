"""The log of one partition through the engine again, under the recorded activations, with states in memory."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from schemas.codec import EventDecoder
from scoring.partition import Emitted, PartitionState, StateCache
from scoring.poll import Poller
from scoring.records import RecordReader
from scoring.scorer import Scorer
from scoring.sequence import SequenceReader, SequenceWriter
from scoring.store.contract import Partition
from scoring.store.memory import Held, MemoryStore
from stream.bundle_library import BundleLibrary
from stream.settings import Settings
from stream.verify.accounting import content_of, placed
from stream.verify.reading import LogRecord
from stream.worker.activation_log import ActivationLog

POLL_RECORDS = 4_000


@dataclass(eq=False)
class Rescoring:
    """One partition scored again; use `of`.

    Attributes:
        scorers: those that the code has and that were activated here.
        expires_ms: when Redis may drop what is under a key, by the broker's clock.
    """

    poller: Poller
    state: PartitionState
    scorers: Mapping[str, Scorer]
    held: Held
    expires_ms: dict[str, int] = field(default_factory=dict)

    @classmethod
    async def of(
        cls, settings: Settings, partition: Partition, partition_count: int, begin: int,
        scorers: Mapping[str, Scorer], log: ActivationLog, library: BundleLibrary, decoder: EventDecoder,
        passes_on: Sequence[SequenceWriter],
    ) -> "Rescoring":  # fmt: skip
        """Ready to take the log from its begin.

        Args:
            scorers: those of the topic.
            passes_on: where its events go on to.

        Raises:
            JobFailed, RefusedBundle: a recorded bundle is not at hand, or not fit.
        """
        known = {name: scorer for name, scorer in scorers.items() if log.of(name, partition)}
        needed = [scorer.view for scorer in known.values()] + [passing.view for passing in passes_on]
        views = list({view.name: view for view in needed}.values())
        carried = next((view.carries for view in views if view.carries is not None), None)
        memory: dict[Partition, Held] = {}
        store = MemoryStore(settings.namespace, memory)
        state = PartitionState(
            partition=partition, partition_count=partition_count,
            lease=await store.acquire(partition, partition_count=partition_count), views=views,
            reader=RecordReader(decoder, partition.index, partition_count, settings.key_check, settings.skew_ms)
            if carried is None
            else SequenceReader(decoder, carried, settings.namespace, {}),
            passes_on=passes_on, namespace=settings.namespace, cache=StateCache(settings.cache_entities),
            emitted=Emitted(begin), next_offset=begin, committed={view.digest: None for view in views},
        )  # fmt: skip
        state.in_force = {
            name: [(each.from_offset, library.in_force(scorer, each)) for each in log.of(name, partition)]
            for name, scorer in known.items()
        }
        return cls(Poller(store, settings.dead_letter_content), state, known, memory[partition])

    async def score(self, records: Sequence[LogRecord]) -> list[tuple[str, str, int]]:
        """What a worker writes about these, which follow those before: topic, identity, hash of the content.

        Raises:
            CorruptState: never, unless memory fails.
        """
        if not records or not self.state.views:
            return []
        prepared = await self.poller.prepare({self.state: records})
        steps = prepared.steps[self.state]
        self.state.lease = await self.poller.store.commit(self.state.lease, steps)
        self.state.cache.unpin(prepared.pinned[self.state])
        for blob in (blob for step in steps for blob in step.blobs):
            self.expires_ms[blob.key] = records[-1].timestamp + 1000 * blob.expire_after_seconds
        written = prepared.outputs[self.state]
        found = [
            (output.topic, output.identity, content_of(output.value))
            if block.kind != "sequenced"
            else (output.topic, output.identity, placed(content_of(output.value), block.partition))
            for block in written.blocks
            for output in block.outputs()
        ]
        return found + [(output.topic, output.identity, content_of(output.value)) for output in written.others]

    def states(self) -> Mapping[str, bytes]:
        """States and alert states by key, as they are after what was scored."""
        return self.held.values

    def scored_at(self, scorer: str, offset: int) -> bool:
        """Whether the code has the view with which that record was scored."""
        return any(entry.name == scorer for entry in self.state.scorers_at(offset))

    def close(self) -> None:
        """Lets go."""
        self.poller.close()


def in_polls(blocks: Iterable[list[LogRecord]]) -> Iterator[list[LogRecord]]:
    """The records in pieces of at most `POLL_RECORDS`."""
    for block in blocks:
        for start in range(0, len(block), POLL_RECORDS):
            yield block[start : start + POLL_RECORDS]
