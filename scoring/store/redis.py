"""The state store in Redis 7.0 or later, or Valkey: one server or a Redis Cluster, over redis-py's asyncio.

Commands are sent on redis-py's connections directly (`exchange`): its client and pipeline objects cost more per key than
the server does. A read is MULTI, HMGET, MGET, EXEC and not a script: as atomic, and
half the time of MGET inside Lua (2.1 instead of 4.0 us for a key of 1.5 kB, Valkey 9.1). What knows
redis-py stays in one file, which is why it is longer than others.
"""

import asyncio
import re
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from ssl import SSLCertVerificationError
from typing import Any, TypeVar

from redis.asyncio import Connection, ConnectionPool, SSLConnection
from redis.asyncio.cluster import ClusterNode, RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import (
    AskError,
    AuthenticationError,
    AuthorizationError,
    ClusterDownError,
    ConnectionError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisClusterException,
    RedisError,
    ResponseError,
    TimeoutError,
    TryAgainError,
)

from scoring.store.address import RedisAddress
from scoring.store.commands import Command
from scoring.store.contract import (
    MOST_KEYS,
    EvictingStore,
    Lease,
    LeaseLost,
    Partition,
    Record,
    Step,
    StoreRefused,
    StoreUnavailable,
)
from scoring.store.exchange import Exchanges, exchange
from scoring.store.keys import control_key, entity_of, hash_tag
from scoring.store.scripts import ACQUIRE, ALL, FORGET, commit_call, record_of
from scoring.store.sightings import Sightings
from scoring.store.steps import check_steps, count_changed, lease_after

SOCKET_TIMEOUT_S = 5.0
PAUSES_S = (0.05, 0.3, 1.0)
"""Waits before the second and later attempts of a call."""
MOST_TRYING_S = 10.0
"""No attempt starts later than this: a stalled server costs a call two or three time-outs, not more."""
MOST_CONNECTIONS = 1_000
OLDEST_VERSION = (7, 0)

_NEVER = (AuthenticationError, AuthorizationError)
_PASSING = (
    ConnectionError, TimeoutError, OSError, AskError, TryAgainError, ClusterDownError, NoScriptError,
    ReadOnlyError, OutOfMemoryError, RedisClusterException,
)  # fmt: skip
_PASSING_CODES = ("BUSY ", "MISCONF ", "NOREPLICAS ")
_T = TypeVar("_T")


class RedisStore:
    """State in Redis, under the promises of `StateStore`; the object belongs to one event loop.

    Args:
        address: where the server, or one server of the cluster, is.
        namespace: what all keys carry; two namespaces share nothing.
        socket_timeout_s: how long one connect, send or reply may take before the connection is given up.
    """

    def __init__(
        self, address: RedisAddress, namespace: str, *, socket_timeout_s: float = SOCKET_TIMEOUT_S
    ) -> None:
        self._namespace = namespace
        self._address = address
        self._arguments = _arguments(address, socket_timeout_s)
        self._servers = _Cluster(self._arguments) if address.cluster else _OneServer(self._arguments)
        self._exchanges = Exchanges(self._servers.connection, self._servers.home)
        self._sightings = Sightings()

    async def open(self) -> None:
        """Connect, check every server and give it the scripts.

        Raises:
            EvictingStore: the memory policy is not `noeviction`.
            StoreRefused: no way in, a version before 7.0, or a cluster where one server was named.
            StoreUnavailable: nothing answers.
        """

        async def open_once() -> None:
            async with _OneServer(self._arguments) as first, first.connection("") as connection:
                self._check(await _information(connection))
            await self._servers.open()
            for server in self._servers.everywhere():
                async with server as connection:
                    self._check(await _information(connection))
                    await _load_scripts(connection)

        await self._through("", open_once)

    async def acquire(self, partition: Partition, *, partition_count: int) -> Lease:
        """See `StateStore.acquire`."""
        control = control_key(self._namespace, partition)
        token = secrets.token_hex(16)
        found = await self._call(control, ACQUIRE.call([control], [token, partition_count]))
        if isinstance(found, bytes):
            raise count_changed(self._namespace, partition, recorded=int(found), found=partition_count)
        record = record_of(dict(_pairs(found)))
        return Lease(
            partition=partition,
            token=token,
            epoch=record.epoch,
            rolled_back=self._sightings.acquired(partition, record.epoch, record.offsets),
            offsets=record.offsets,
            outputs=record.outputs,
            notes=record.notes,
            partition_count=record.partition_count,
            origins=record.origins,
        )

    async def read(self, lease: Lease, keys: Sequence[str]) -> list[bytes | None]:
        """See `StateStore.read`; each call of at most `MOST_KEYS` keys is checked and answered atomically."""
        control = control_key(self._namespace, lease.partition)
        held = [lease.token.encode(), lease.last_step.encode()]
        commands: list[Command] = []
        for start in range(0, len(keys), MOST_KEYS):
            chunk = keys[start : start + MOST_KEYS]
            commands += (("MULTI",), ("HMGET", control, "token", "step"), ("MGET", *chunk), ("EXEC",))
        if not commands:
            commands = [("MULTI",), ("HMGET", control, "token", "step"), ("EXEC",)]
        values: list[bytes | None] = []
        for reply in await self._through(control, lambda: self._exchanges.ask(control, commands)):
            if isinstance(reply, list):
                if reply[0] != held:
                    raise LeaseLost(f"{lease.partition}: somebody acquired or committed since; acquire again")
                values += reply[1] if len(reply) > 1 else ()
        return values

    async def commit(self, lease: Lease, steps: Sequence[Step]) -> Lease:
        """See `StateStore.commit`; all steps travel in one round trip."""
        check_steps(self._namespace, lease.partition, steps)
        control = control_key(self._namespace, lease.partition)
        commit = secrets.token_hex(8)
        names = [lease.last_step, *(f"{commit}.{number}" for number in range(len(steps)))]
        commands = [
            commit_call(control, lease, step, after=names[number], name=names[number + 1])
            for number, step in enumerate(steps)
        ]
        sent = False

        async def commit_once() -> None:
            nonlocal sent
            done = await self._applied(control, lease, names) if sent else 0
            sent = True
            if done == len(commands):
                return
            replies = await self._exchanges.ask(control, commands[done:])
            refusals = [reply.decode() for reply in replies if reply != 1]
            # A refusal counts only if the steps are not there: the bytes of an attempt that timed out can
            # still reach the server between the question and this attempt.
            if refusals and await self._applied(control, lease, names) < len(commands):
                raise LeaseLost(f"{lease.partition}: {refusals[0]}; acquire again")

        await self._through(control, commit_once)
        after = lease_after(lease, steps, last_step=names[-1])
        self._sightings.committed(after.partition, after.epoch, after.offsets)
        return after

    async def record(self, partition: Partition) -> Record | None:
        """See `StateStore.record`."""
        control = control_key(self._namespace, partition)
        fields = dict(_pairs(await self._call(control, ("HGETALL", control))))
        return record_of(fields) if fields else None

    async def values(self, partition: Partition, keys: Sequence[str]) -> list[bytes | None]:
        """See `StateStore.values`."""
        control = control_key(self._namespace, partition)
        found: list[bytes | None] = await self._call(control, ("MGET", *keys)) if keys else []
        return found

    async def keys_of(self, partition: Partition, entity: str) -> list[str]:
        """See `StateStore.keys_of`."""
        literal = re.sub(r"([*?\[\]\\])", r"\\\1", entity)
        return [key for key in await self._keys(partition, f"*:{literal}") if entity_of(key) == entity]

    async def keys(self, partition: Partition) -> list[str]:
        """Every key of a state or alert state of the partition, sorted: for people who look, never for scoring."""
        return await self._keys(partition, "*")

    async def _keys(self, partition: Partition, ending: str) -> list[str]:
        control = control_key(self._namespace, partition)
        pattern = f"[sa]:{hash_tag(self._namespace, partition)}:{ending}"
        found: set[str] = set()
        cursor = b"0"
        while True:
            cursor, keys = await self._call(control, ("SCAN", cursor, "MATCH", pattern, "COUNT", MOST_KEYS))
            found |= {key.decode() for key in keys}
            if cursor == b"0":
                return sorted(found)

    async def forget(self, lease: Lease, keys: Sequence[str]) -> int:
        """See `StateStore.forget`."""
        control = control_key(self._namespace, lease.partition)
        deleted = 0
        # No key at all is asked about as well: the answer must still be that the lease holds.
        for start in range(0, max(len(keys), 1), MOST_KEYS):
            chunk = keys[start : start + MOST_KEYS]
            reply = await self._call(control, FORGET.call([control, *chunk], [lease.token]))
            if isinstance(reply, bytes):
                raise LeaseLost(f"{lease.partition}: {reply.decode()}; acquire again")
            deleted += reply
        return deleted

    async def memory_usage(self, key: str) -> int | None:
        """Bytes the server spends on the key, overhead included; None if there is no such key."""
        size: int | None = await self._call(key, ("MEMORY", "USAGE", key, "SAMPLES", 0))
        return size

    async def close(self) -> None:
        """See `StateStore.close`."""
        await self._servers.close()

    def _check(self, information: dict[str, str]) -> None:
        version = information["redis_version"]
        if tuple(int(part) for part in version.split(".")[:2]) < OLDEST_VERSION:
            raise StoreRefused(f"Redis {self._address} is version {version}; 7.0 or later is needed")
        policy = information.get("maxmemory_policy", "unknown")
        if policy != "noeviction":
            raise EvictingStore(
                f"Redis {self._address}: maxmemory-policy is {policy}, which can throw state away when "
                "memory is short; set it to noeviction in the server's configuration"
            )
        clustered = information.get("cluster_enabled") == "1"
        if clustered != self._address.cluster:
            found, remedy = ("a Redis Cluster", "true") if clustered else ("a single server", "false")
            raise StoreRefused(f"Redis {self._address} is {found}; set RISKSTREAM_REDIS_CLUSTER={remedy}")

    async def _applied(self, control: str, lease: Lease, names: Sequence[str]) -> int:
        """How many of the steps after `names[0]` are in the store, by the newest one's name."""
        async with self._servers.connection(control) as connection:
            ((token, newest),) = await exchange(connection, [("HMGET", control, "token", "step")])
        if token != lease.token.encode() or newest is None or newest.decode() not in names:
            raise LeaseLost(f"{lease.partition}: somebody acquired or committed since; acquire again")
        return names.index(newest.decode())

    async def _call(self, key: str, command: Command) -> Any:
        return (await self._through(key, lambda: self._exchanges.ask(key, [command])))[0]

    async def _through(self, key: str, once: Callable[[], Awaitable[_T]]) -> _T:
        """The result of `once`, tried again while what hinders it can pass."""
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + MOST_TRYING_S
        hindrance: BaseException | None = None
        for pause_s in (0.0, *PAUSES_S):
            if hindrance is not None:
                if loop.time() + pause_s > give_up_at:
                    break
                await asyncio.sleep(pause_s)
            try:
                if isinstance(hindrance, NoScriptError):
                    async with self._servers.connection(key) as connection:
                        await _load_scripts(connection)
                elif hindrance is not None:
                    await self._servers.look_again()
                return await once()
            except _NEVER as error:
                raise StoreRefused(f"Redis {self._address}: {error}; check user and password") from None
            except _PASSING as error:
                if isinstance(error.__context__, SSLCertVerificationError):
                    raise StoreRefused(f"Redis {self._address}: {error}; check redis_ca_file") from error
                hindrance = error
            except ResponseError as error:
                if not str(error).startswith(_PASSING_CODES):
                    raise StoreRefused(f"Redis {self._address}: {error}") from error
                hindrance = error
        raise StoreUnavailable(f"Redis {self._address}: {hindrance}") from hindrance


class _OneServer:
    """Connections to one server."""

    def __init__(self, arguments: Mapping[str, Any]) -> None:
        given = dict(arguments)
        kind = SSLConnection if given.pop("ssl") else Connection
        self._pool = ConnectionPool(kind, **given)

    async def __aenter__(self) -> "_OneServer":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def open(self) -> None:
        """Connections are made when asked for."""

    async def look_again(self) -> None:
        """Nothing moves."""

    def home(self, key: str) -> str:
        """There is only one."""
        return ""

    @asynccontextmanager
    async def connection(self, key: str) -> AsyncIterator[Connection]:
        connection = await self._pool.get_connection()  # type: ignore[no-untyped-call]
        try:
            yield connection
        finally:
            await self._pool.release(connection)

    def everywhere(self) -> Iterator[Any]:
        yield self.connection("")

    async def close(self) -> None:
        await self._pool.aclose()


class _Cluster:
    """Connections to the servers of a Redis Cluster, found by key."""

    def __init__(self, arguments: Mapping[str, Any]) -> None:
        self._client = RedisCluster(**arguments)

    async def open(self) -> None:
        await self._client.initialize()

    async def look_again(self) -> None:
        # What goes wrong here goes wrong again in the attempt that follows, which reports it.
        with suppress(RedisError, RedisClusterException, OSError):
            await self._client.nodes_manager.initialize()

    def home(self, key: str) -> str:
        """The name of the key's server."""
        return self._node(key).name

    @asynccontextmanager
    async def connection(self, key: str) -> AsyncIterator[Connection]:
        async with self._connection_to(self._node(key)) as connection:
            yield connection

    def _node(self, key: str) -> ClusterNode:
        node = self._client.get_node_from_key(key)
        assert node is not None  # only a replica can be missing
        return node

    @asynccontextmanager
    async def _connection_to(self, node: ClusterNode) -> AsyncIterator[Connection]:
        connection = node.acquire_connection()
        try:
            yield connection
        finally:
            node.release(connection)

    def everywhere(self) -> Iterator[Any]:
        for node in self._client.get_primaries():
            yield self._connection_to(node)

    async def close(self) -> None:
        await self._client.aclose()


def _arguments(address: RedisAddress, socket_timeout_s: float) -> dict[str, Any]:
    trusted = {"ssl_ca_certs": str(address.ca_file)} if address.ca_file else {}
    return {
        "host": address.host,
        "port": address.port,
        "db": address.database,
        "ssl": address.encrypted,
        "max_connections": MOST_CONNECTIONS,
        "username": address.user,
        "password": address.password,
        "socket_timeout": socket_timeout_s,
        "socket_connect_timeout": socket_timeout_s,
        "socket_keepalive": True,
        # RESP2 carries all there is here; RESP3 would add push messages to look out for.
        "protocol": 2,
        # A repeat must settle first, which only the store can do.
        "retry": Retry(NoBackoff(), 0),
        **trusted,
    }


async def _information(connection: Connection) -> dict[str, str]:
    (text,) = await exchange(connection, [("INFO",)])
    return dict(line.split(":", 1) for line in text.decode().splitlines() if ":" in line)


async def _load_scripts(connection: Connection) -> None:
    await exchange(connection, [("SCRIPT", "LOAD", script.text) for script in ALL])


def _pairs(flat: Sequence[bytes]) -> Iterator[tuple[bytes, bytes]]:
    return zip(flat[::2], flat[1::2], strict=True)
