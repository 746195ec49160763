"""What can go wrong between a worker and its Redis, and that no commit is lost or applied twice by it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from scoring.store.address import RedisAddress
from scoring.store.contract import Blob, Lease, LeaseLost, Partition, Step, StoreUnavailable
from scoring.store.keys import control_key, state_key
from scoring.store.redis import RedisStore
from stream.services.redis import EmbeddedRedis
from tests.support.cutting_proxy import Cut, CuttingProxy, cutting_proxy
from tests.support.redis_cluster import tell

pytestmark = pytest.mark.live

PAYMENTS = Partition("transactions", 0)
DIGEST = "0123456789abcdef"


@pytest.fixture
async def proxy(redis_server: EmbeddedRedis) -> AsyncIterator[CuttingProxy]:
    """The way from the store to the server."""
    async with cutting_proxy(redis_server.port) as running:
        yield running


@pytest.fixture
async def store(proxy: CuttingProxy, namespace: str) -> AsyncIterator[RedisStore]:
    """A store behind the proxy."""
    opened = RedisStore(RedisAddress(f"redis://127.0.0.1:{proxy.port}/0"), namespace)
    await opened.open()
    yield opened
    await opened.close()


def steps(namespace: str, start: int | None, count: int) -> list[Step]:
    """Steps of one event each; each writes a key of its own."""
    made = []
    for number in range(count):
        offset = (start or 0) + number
        key = state_key(namespace, PAYMENTS, "account_activity", DIGEST, f"account-{offset}")
        expected = None if start is None and number == 0 else offset
        made.append(
            Step({DIGEST: expected}, {DIGEST: offset + 1}, [Blob(key, b"x", 60)], {"alerts/0": offset}, {})
        )
    return made


async def everything_is_there(store: RedisStore, namespace: str, lease: Lease, count: int) -> None:
    """The lease goes on working, and the first `count` events are folded."""
    assert lease.offsets == {DIGEST: count}
    keys = [blob.key for step in steps(namespace, None, count) for blob in step.blobs]
    assert await store.read(lease, keys) == [b"x"] * count
    following = await store.commit(lease, steps(namespace, count, 1))
    assert following.offsets == {DIGEST: count + 1}


@pytest.mark.parametrize("cut", ["request", "reply"])
async def test_commit_cut_on_the_way_is_applied_exactly_once(
    store: RedisStore, proxy: CuttingProxy, namespace: str, cut: Cut
) -> None:
    """Sent and not answered is neither done nor undone: the store has to ask."""
    lease = await store.acquire(PAYMENTS, partition_count=1)
    proxy.cut_next, proxy.marker = cut, b"EVALSHA"
    lease = await store.commit(lease, steps(namespace, None, 3))
    assert proxy.has_cut.is_set()
    await everything_is_there(store, namespace, lease, 3)


async def test_lease_taken_while_a_commit_is_in_doubt_is_lost(
    store: RedisStore, proxy: CuttingProxy, redis_server: EmbeddedRedis, namespace: str
) -> None:
    """A commit that cannot be told from the new holder's state must not be called done."""
    lease = await store.acquire(PAYMENTS, partition_count=1)
    proxy.cut_next, proxy.marker = "reply", b"EVALSHA"
    proxy.gate.clear()
    commit = asyncio.create_task(store.commit(lease, steps(namespace, None, 1)))
    await proxy.has_cut.wait()
    other = RedisStore(RedisAddress(redis_server.url), namespace)
    try:
        taken = await other.acquire(PAYMENTS, partition_count=1)
        proxy.gate.set()
        with pytest.raises(LeaseLost):
            await commit
        assert await other.read(taken, []) == []
    finally:
        await other.close()


async def test_acquire_without_an_answer_raises_the_epoch_once(
    store: RedisStore, proxy: CuttingProxy
) -> None:
    """A repeat after a lost reply is the same acquire."""
    proxy.cut_next, proxy.marker = "reply", b"EVALSHA"
    lease = await store.acquire(PAYMENTS, partition_count=1)
    assert proxy.has_cut.is_set()
    assert lease.epoch == 1
    assert not lease.rolled_back


async def test_read_cut_on_the_way_is_repeated(
    store: RedisStore, proxy: CuttingProxy, namespace: str
) -> None:
    """Reading changes nothing, so it is simply done again, under the same fence."""
    lease = await store.acquire(PAYMENTS, partition_count=1)
    lease = await store.commit(lease, steps(namespace, None, 2))
    proxy.cut_next, proxy.marker = "reply", b"MGET"
    await everything_is_there(store, namespace, lease, 2)
    assert proxy.has_cut.is_set()


async def test_flushed_scripts_are_loaded_again(
    store: RedisStore, redis_server: EmbeddedRedis, namespace: str
) -> None:
    """A restarted or failed-over server has forgotten the scripts."""
    tell(redis_server, "SCRIPT FLUSH")
    lease = await store.acquire(PAYMENTS, partition_count=1)
    tell(redis_server, "SCRIPT FLUSH")
    lease = await store.commit(lease, steps(namespace, None, 3))
    tell(redis_server, "SCRIPT FLUSH")
    assert await store.forget(lease, []) == 0
    await everything_is_there(store, namespace, lease, 3)


async def test_server_that_stalls_mid_commit_applies_it_once(
    redis_server: EmbeddedRedis, namespace: str
) -> None:
    """The bytes of a commit that timed out may still reach the server after the repeat was sent."""
    store = RedisStore(RedisAddress(redis_server.url), namespace, socket_timeout_s=0.3)
    await store.open()
    try:
        lease = await store.acquire(PAYMENTS, partition_count=1)
        redis_server.process.pause()
        try:
            commit = asyncio.create_task(store.commit(lease, steps(namespace, None, 3)))
            await asyncio.sleep(0.8)
        finally:
            redis_server.process.resume()
        await everything_is_there(store, namespace, await commit, 3)
    finally:
        await store.close()


async def test_lost_server_is_reported_and_found_again_when_it_is_back(
    tmp_path: Path, namespace: str
) -> None:
    """The worker waits and acquires again; it needs no new store object for that."""
    server = EmbeddedRedis(tmp_path / "redis")
    server.start()
    server.wait_ready()
    store = RedisStore(RedisAddress(server.url), namespace)
    try:
        await store.open()
        lease = await store.acquire(PAYMENTS, partition_count=1)
        lease = await store.commit(lease, steps(namespace, None, 1))
        server.stop()
        for use in (store.read(lease, []), store.commit(lease, steps(namespace, 1, 1)), store.open()):
            with pytest.raises(StoreUnavailable, match=f"127.0.0.1:{server.port}"):
                await use
        server.start()
        server.wait_ready()
        again = await store.acquire(PAYMENTS, partition_count=1)
        assert not again.rolled_back
        await everything_is_there(store, namespace, again, 1)
    finally:
        await store.close()
        server.stop()


async def test_states_expire_and_the_record_never_does(
    store: RedisStore, redis_server: EmbeddedRedis, namespace: str
) -> None:
    """Expiry tidies up after accounts that went quiet; offsets that expired would fold the log anew."""
    lease = await store.acquire(PAYMENTS, partition_count=1)
    kept = [state_key(namespace, PAYMENTS, "v", DIGEST, entity) for entity in ("a", "b", "c")]
    lifetimes = (100, 100, 2_000_000)
    blobs = [Blob(key, b"x" * 500, seconds) for key, seconds in zip(kept, lifetimes, strict=True)]
    await store.commit(lease, [Step({DIGEST: None}, {DIGEST: 1}, blobs, {}, {})])
    for key, seconds in zip(kept, lifetimes, strict=True):
        assert seconds - 50 <= int(tell(redis_server, f"TTL {key}")[1:]) <= seconds
    assert tell(redis_server, f"TTL {control_key(namespace, PAYMENTS)}") == ":-1\r\n"
    size = await store.memory_usage(kept[0])
    assert size is not None
    assert 500 < size < 1_000
    assert await store.memory_usage(kept[0] + "x") is None
