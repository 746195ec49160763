"""Memory, one Redis and a Redis Cluster for the state-store suites."""

from collections.abc import AsyncIterator, Iterator
from itertools import count

import pytest

from scoring.store.address import RedisAddress
from stream.services.redis import EmbeddedRedis
from tests.support.redis_cluster import redis_cluster
from tests.support.store_backends import Backend, MemoryBackend, RedisBackend

_numbers = count()


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedRedis]:
    """One server for all tests of this folder; a test that changes it puts it back."""
    server = EmbeddedRedis(tmp_path_factory.mktemp("redis"), append_only=False)
    server.start()
    try:
        server.wait_ready()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def cluster_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[EmbeddedRedis]]:
    """Three servers that form one cluster; any owner of a slot is as good as another."""
    with redis_cluster(tmp_path_factory.mktemp("cluster")) as servers:
        yield servers


@pytest.fixture
def namespace() -> str:
    """One that no other test uses."""
    return f"test{next(_numbers)}"


@pytest.fixture(
    params=[
        "memory",
        pytest.param("redis", marks=pytest.mark.live),
        pytest.param("cluster", marks=pytest.mark.live),
    ]
)
async def backend(request: pytest.FixtureRequest, namespace: str) -> AsyncIterator[Backend]:
    """Each kind of memory in turn."""
    made: Backend
    if request.param == "memory":
        made = MemoryBackend(namespace)
    elif request.param == "redis":
        address = RedisAddress(request.getfixturevalue("redis_server").url)
        made = RedisBackend(address, namespace)
    else:
        servers = request.getfixturevalue("cluster_servers")
        made = RedisBackend(RedisAddress(servers[0].url, cluster=True), namespace)
    yield made
    await made.close()
