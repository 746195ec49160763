"""State, fold and model alone, on states and rows of the benchmark's payments."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from itertools import cycle, islice, pairwise

import numpy as np

from benchmarks.contestants import SCORER
from benchmarks.limits.given import Given
from benchmarks.raw_redis import RawRedis
from benchmarks.states import Filled, fill
from schemas.events.transaction import EVENT
from scoring.catalog import scorers
from scoring.features.frame import batch_of_frame
from scoring.features.table import Fold, fold_table
from scoring.folding import SPARE_SECONDS
from scoring.store.contract import MOST_KEYS, Blob, Lease, Partition, Step
from scoring.store.keys import state_prefix
from scoring.store.redis import RedisStore
from stream.bundle_library import BundleLibrary
from stream.state_store import redis_address

VIEW = scorers()[SCORER].view
KEEP_SECONDS = (VIEW.horizon_ms + VIEW.grace_ms) // 1_000 + SPARE_SECONDS
FOLDS = 20
EVENTS_OF_A_FOLD = 1_000


async def redis_bare(given: Given) -> AsyncIterator[int]:
    """States read and written again, 1,000 in one go."""
    partition = Partition(EVENT.topic, 0)
    chunks = cut(blobs_of(given, partition, filled(given)))
    with RawRedis(given.redis_url) as redis:
        for chunk in cycle(chunks):
            redis.call([("MGET", *(blob.key for blob in chunk))])
            redis.call([("SET", blob.key, blob.value, "EX", blob.expire_after_seconds) for blob in chunk])
            yield len(chunk)


async def redis_store(given: Given) -> AsyncIterator[int]:
    """The same under leases, the partitions concurrently as in a poll."""
    settings, states = given.settings, filled(given)
    store = RedisStore(redis_address(settings), settings.namespace)
    await store.open()
    try:
        partitions = [Partition(EVENT.topic, number) for number in range(given.partitions)]
        chunks = [cycle(cut(blobs_of(given, partition, states))) for partition in partitions]
        leases = [await store.acquire(one, partition_count=given.partitions) for one in partitions]
        while True:
            some = [next(each) for each in chunks]
            leases = await asyncio.gather(*(again(store, *each) for each in zip(leases, some, strict=True)))
            yield sum(map(len, some))
    finally:
        await store.close()


async def again(store: RedisStore, lease: Lease, blobs: Sequence[Blob]) -> Lease:
    """The blobs read and written under the lease; the lease after it."""
    await store.read(lease, [blob.key for blob in blobs])
    offset = lease.offsets.get(VIEW.digest)
    step = Step(
        expected={VIEW.digest: offset}, next={VIEW.digest: (offset or 0) + len(blobs)}, blobs=blobs, outputs={}, notes={}
    )
    return await store.commit(lease, [step])


async def model(given: Given) -> AsyncIterator[int]:
    """Rows of full polls."""
    bundle = BundleLibrary(given.settings.bundle_dirs).champion(scorers()[SCORER])
    most = given.settings.poll_records
    vectors = fold_table(VIEW, batch_of_frame(EVENT, given.payments.block(0))).vectors
    while True:
        for start in range(0, len(vectors) - most + 1, most):
            bundle.session.run(vectors[start : start + most])
            yield most


async def fold(given: Given) -> AsyncIterator[int]:
    """Events of one chunk each; the same chunks on the same states over and over, which the kernel does not change."""
    known = filled(given)
    following = known.following(given.payments).block(0)
    folds = []
    for start, end in islice(pairwise(range(0, len(following), EVENTS_OF_A_FOLD)), FOLDS):
        batch = batch_of_frame(EVENT, following[start:end])
        folds.append(Fold.of(VIEW, batch, [known.states.get(account) for account in batch.entities]))
    for each in cycle(folds):
        each.run()
        yield len(each.batch)


def filled(given: Given) -> Filled:
    """States after the history."""
    return fill(VIEW, given.payments, given.history)


def blobs_of(given: Given, partition: Partition, known: Filled) -> list[Blob]:
    """All of the states under the worker's keys of that partition."""
    prefix = state_prefix(given.namespace, partition, VIEW.name, VIEW.digest)
    return [Blob(prefix + account, state, KEEP_SECONDS) for account, state in known.states.items()]


def cut(blobs: Sequence[Blob], size: int = MOST_KEYS) -> list[Sequence[Blob]]:
    """Whole chunks of that many in an order that is none; what is left over is left out.

    Raises:
        ValueError: there is not one whole chunk.
    """
    if len(blobs) < size:
        raise ValueError(f"expected {size:,} states or more, was {len(blobs):,}; take more accounts")
    order = np.random.default_rng(0).permutation(len(blobs)).tolist()
    return [[blobs[place] for place in order[end - size : end]] for end in range(size, len(blobs) + 1, size)]
