"""The places a state store can keep its bytes in, behind one face, so that one suite of tests fits all."""

import copy
from typing import Any, Protocol

import redis.asyncio

from scoring.store.address import RedisAddress
from scoring.store.contract import Partition, StateStore
from scoring.store.memory import Held, MemoryStore
from scoring.store.redis import RedisStore


class Backend(Protocol):
    """One shared memory for one test, under a namespace of its own."""

    namespace: str

    async def store(self) -> StateStore:
        """A new, open store on the shared memory, as another process would have it."""

    async def copy(self) -> Any:
        """Everything the memory holds now."""

    async def restore(self, kept: Any) -> None:
        """Put the memory back to a copy."""

    async def close(self) -> None:
        """Close every store handed out."""


class MemoryBackend:
    """A dictionary shared by its stores."""

    def __init__(self, namespace: str) -> None:
        self.namespace = namespace
        self._partitions: dict[Partition, Held] = {}

    async def store(self) -> MemoryStore:
        """See `Backend`."""
        return MemoryStore(self.namespace, self._partitions)

    async def copy(self) -> dict[Partition, Held]:
        """See `Backend`."""
        return copy.deepcopy(self._partitions)

    async def restore(self, kept: dict[Partition, Held]) -> None:
        """See `Backend`."""
        self._partitions.clear()
        self._partitions.update(copy.deepcopy(kept))

    async def close(self) -> None:
        """See `Backend`."""


class RedisBackend:
    """A running Redis, or a running cluster when the address says so."""

    def __init__(self, address: RedisAddress, namespace: str) -> None:
        self.namespace = namespace
        self._address = address
        self._stores: list[RedisStore] = []
        self._admin: Any = (
            redis.asyncio.RedisCluster(host=address.host, port=address.port)
            if address.cluster
            else redis.asyncio.Redis(host=address.host, port=address.port)
        )

    async def store(self) -> RedisStore:
        """See `Backend`."""
        store = RedisStore(self._address, self.namespace)
        self._stores.append(store)
        await store.open()
        return store

    async def copy(self) -> dict[bytes, bytes]:
        """See `Backend`."""
        return {key: await self._admin.dump(key) for key in await self._keys()}

    async def restore(self, kept: dict[bytes, bytes]) -> None:
        """See `Backend`."""
        for key in await self._keys():
            await self._admin.delete(key)
        for key, value in kept.items():
            await self._admin.restore(key, 0, value)

    async def close(self) -> None:
        """See `Backend`."""
        for store in self._stores:
            await store.close()
        await self._admin.aclose()

    async def _keys(self) -> list[bytes]:
        return [key async for key in self._admin.scan_iter(match=f"*{{{self.namespace}:*")]
