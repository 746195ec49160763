"""riskstream's own scoring core without Faust, for the competitors that bring their own Kafka client.

Leases, states, features, models, alerts, record form and fenced commits are those of the worker, and so is the overlap of
one poll. Spared is what a worker does besides: it has no group, takes no partition over, recovers from nothing (any
failure ends the process), reads no activations, and tells nobody how it is.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from schemas.events.transaction import EVENT
from scoring.catalog import scorers
from scoring.engine import InForce
from scoring.partition import Emitted, PartitionState, StateCache
from scoring.poll import Poller
from scoring.prepared import Prepared, Written, with_outputs
from scoring.records import RecordReader
from scoring.store.contract import Lease, Partition
from scoring.store.redis import RedisStore
from scoring.warm import warm_up
from stream.bundle_library import BundleLibrary
from stream.inputs import make_decoders, views_on
from stream.settings import Settings
from stream.state_store import redis_address
from stream.worker.fetch_ahead import FULL_SHARE
from stream.worker.memory import collect_seldom, keep_freed_memory
from stream.worker.outputs import covered_for

SCORER = "payment_anomaly"
Fetch = Callable[[], Awaitable[Mapping[int, Sequence[Any]]]]
"""The next records by partition; none after a while without any."""

Covered = Mapping[str, int]
"""The next offset of every output partition that was written to, by the names of the state store."""

Send = Callable[[Mapping[PartitionState, Written]], Awaitable[Awaitable[Covered]]]
"""Hands outputs over in their order; what it gives ends when all of them are acknowledged."""


@dataclass(eq=False)
class BareCore:
    """The partitions of the input topic under leases, and what scores them.

    Attributes:
        states: by number of the partition.
    """

    settings: Settings
    store: RedisStore
    poller: Poller
    states: Mapping[int, PartitionState]

    async def run(self, fetch: Fetch, send: Send) -> None:
        """Scores polls until something fails: while the outputs of one are sent and acknowledged, the next is scored.

        A full poll is followed by another that is fetched meanwhile, as in the worker.
        """
        full = self.settings.poll_records * FULL_SHARE
        before: asyncio.Task[None] | None = None
        fetching = asyncio.ensure_future(fetch())
        while True:
            poll = await fetching
            behind = sum(map(len, poll.values())) >= full
            if behind:
                fetching = asyncio.ensure_future(fetch())
            if poll:
                prepared = await self.poller.prepare({self.states[number]: poll[number] for number in poll})
                acknowledged = await send(prepared.outputs)
                prepared.outputs.clear()
                under_way = asyncio.create_task(self._finish(prepared, acknowledged, before))
                if before is not None:
                    await before
                before = under_way
            if not behind:
                fetching = asyncio.ensure_future(fetch())

    async def _finish(
        self, prepared: Prepared, acknowledged: Awaitable[Covered], before: "asyncio.Task[None] | None"
    ) -> None:
        if before is not None:
            await before
        covered = await acknowledged
        await asyncio.gather(*(self._commit(state, prepared, covered) for state in prepared.steps))

    async def _commit(self, state: PartitionState, prepared: Prepared, covered: Covered) -> None:
        steps = prepared.steps[state]
        own = covered_for(state, max(steps[-1].next.values()), covered)
        async with state.busy:
            state.lease = await self.store.commit(state.lease, with_outputs(steps, own))
        state.cache.unpin(prepared.pinned[state])


async def open_core(settings: Settings, partition_count: int) -> BareCore:
    """The core over all partitions, each at the offset where its state stands.

    Raises:
        JobFailed, RefusedBundle: there is no model to run.
        StoreError: Redis is not there, or not fit.
    """
    scorer = scorers()[SCORER]
    bundle = BundleLibrary(settings.bundle_dirs).champion(scorer)
    in_force = InForce(scorer=scorer, bundle=bundle, policy=scorer.policy, live=True)
    warm_up({scorer.view})
    store = RedisStore(redis_address(settings), settings.namespace)
    await store.open()
    found = [Partition(EVENT.topic, number) for number in range(partition_count)]
    leases = [await store.acquire(one, partition_count=partition_count) for one in found]
    states = {lease.partition.index: state_of(lease, settings, in_force, partition_count) for lease in leases}
    collect_seldom()
    keep_freed_memory()
    return BareCore(settings, store, Poller(store, settings.dead_letter_content), states)


def state_of(lease: Lease, settings: Settings, in_force: InForce, partition_count: int) -> PartitionState:
    """A partition that one model scores from its first record on, as its lease says it stands."""
    scorer = in_force.scorer
    one_scorer = {scorer.name: scorer}
    decoder = make_decoders(settings, one_scorer)[scorer.topic]
    views = views_on(one_scorer, scorer.topic)
    offsets = {view.digest: lease.offsets.get(view.digest) for view in views}
    start = min(offset or 0 for offset in offsets.values())
    return PartitionState(
        partition=lease.partition,
        partition_count=partition_count,
        lease=lease,
        views=views,
        reader=RecordReader(
            decoder, lease.partition.index, partition_count, settings.key_check, settings.skew_ms
        ),
        namespace=settings.namespace,
        cache=StateCache(settings.cache_entities // partition_count),
        emitted=Emitted(start),
        next_offset=start,
        in_force={scorer.name: [(0, in_force)]},
        committed=offsets,
    )
