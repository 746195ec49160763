"""A partition whose slot moves to another server of the cluster keeps its state and its lease."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from scoring.store.address import RedisAddress
from scoring.store.contract import Blob, Partition, Step
from scoring.store.keys import control_key, state_key
from scoring.store.redis import RedisStore
from stream.services.redis import EmbeddedRedis
from tests.support.redis_cluster import tell

pytestmark = pytest.mark.live

PAYMENTS = Partition("transactions", 0)
DIGEST = "0123456789abcdef"


@pytest.fixture
async def store(cluster_servers: list[EmbeddedRedis], namespace: str) -> AsyncIterator[RedisStore]:
    """A store on the cluster."""
    opened = RedisStore(RedisAddress(cluster_servers[0].url, cluster=True), namespace)
    await opened.open()
    yield opened
    await opened.close()


def ends(servers: list[EmbeddedRedis], control: str) -> tuple[int, EmbeddedRedis, EmbeddedRedis]:
    """Slot of the key, its owner, and another server."""
    slot = int(tell(servers[0], f"CLUSTER KEYSLOT {control}")[1:])
    (owner,) = (server for server in servers if not tell(server, f"EXISTS {control}").startswith("-MOVED"))
    return slot, owner, next(server for server in servers if server is not owner)


def name_of(server: EmbeddedRedis) -> str:
    """The cluster's name for the server."""
    return tell(server, "CLUSTER MYID").split("\r\n")[1]


def step(namespace: str, expected: int | None, entity: str) -> Step:
    """One event of one account."""
    key = state_key(namespace, PAYMENTS, "account_activity", DIGEST, entity)
    return Step({DIGEST: expected}, {DIGEST: (expected or 0) + 1}, [Blob(key, b"x", 60)], {}, {})


async def test_store_follows_a_slot_that_moved(
    store: RedisStore, cluster_servers: list[EmbeddedRedis], namespace: str
) -> None:
    """MOVED is an answer about topology, not a failure."""
    slot, _, target = ends(cluster_servers, control_key(namespace, PAYMENTS))
    for server in cluster_servers:
        tell(server, f"CLUSTER SETSLOT {slot} NODE {name_of(target)}")
    lease = await store.acquire(PAYMENTS, partition_count=1)
    lease = await store.commit(lease, [step(namespace, None, "a")])
    assert len(await store.keys_of(PAYMENTS, "a")) == 1
    assert tell(target, f"EXISTS {control_key(namespace, PAYMENTS)}") == ":1\r\n"


async def test_commit_waits_for_a_slot_on_the_move(
    store: RedisStore, cluster_servers: list[EmbeddedRedis], namespace: str
) -> None:
    """While keys are between two servers a script gets TRYAGAIN; it goes through once they have arrived."""
    lease = await store.acquire(PAYMENTS, partition_count=1)
    lease = await store.commit(lease, [step(namespace, None, "a")])
    slot, source, target = ends(cluster_servers, control_key(namespace, PAYMENTS))
    tell(target, f"CLUSTER SETSLOT {slot} IMPORTING {name_of(source)}")
    tell(source, f"CLUSTER SETSLOT {slot} MIGRATING {name_of(target)}")
    commit = asyncio.create_task(store.commit(lease, [step(namespace, 1, "b")]))
    await asyncio.sleep(0.02)
    assert not commit.done()
    moving = [control_key(namespace, PAYMENTS), *await store.keys_of(PAYMENTS, "a")]
    reply = tell(source, f'MIGRATE 127.0.0.1 {target.port} "" 0 2000 KEYS {" ".join(moving)}')
    assert reply == "+OK\r\n"
    for server in (target, source, *cluster_servers):
        tell(server, f"CLUSTER SETSLOT {slot} NODE {name_of(target)}")
    lease = await commit
    assert lease.offsets == {DIGEST: 2}
    assert await store.read(lease, [*moving[1:]]) == [b"x"]
