"""Memory and Redis answer alike whatever workers do: replay in memory stands for live in Redis."""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from scoring.store.address import RedisAddress
from scoring.store.contract import Blob, Lease, Partition, StateStore, Step, StoreError
from scoring.store.keys import alert_key, state_key
from stream.services.redis import EmbeddedRedis
from tests.support.redis_cluster import tell
from tests.support.store_backends import MemoryBackend, RedisBackend

PARTITIONS = (Partition("transactions", 0), Partition("market-ticks", 1))
DIGESTS = ("0123456789abcdef", "fedcba9876543210")
ENTITIES = ("a", "b", "b:a", "*", "ü")
WORKERS = 2

Both = tuple[Lease, Lease]
offsets = st.dictionaries(st.sampled_from(DIGESTS), st.integers(0, 3), max_size=2)
_namespaces = count()


def plain(answer: Any) -> Any:
    """The answer without what is random in it."""
    if isinstance(answer, Lease):
        return (
            answer.partition,
            answer.epoch,
            answer.rolled_back,
            answer.offsets,
            answer.outputs,
            answer.notes,
        )
    return answer


class Stores(RuleBasedStateMachine):
    """Two workers share a memory and a Redis, and do the same on both."""

    leases: Bundle[Both] = Bundle("leases")
    server: EmbeddedRedis

    @initialize()
    def begin(self) -> None:
        self.runner = asyncio.Runner()
        self.namespace = f"agree{next(_namespaces)}"
        self.runner.run(self._connect())

    async def _connect(self) -> None:
        address = RedisAddress(self.server.url)
        self.backends = MemoryBackend(self.namespace), RedisBackend(address, self.namespace)
        self.workers: list[tuple[StateStore, StateStore]] = [
            (await self.backends[0].store(), await self.backends[1].store()) for _ in range(WORKERS)
        ]

    def teardown(self) -> None:
        if hasattr(self, "runner"):
            self.runner.run(self.backends[1].close())
            self.runner.close()

    @rule(target=leases, worker=st.integers(0, WORKERS - 1), partition=st.sampled_from(PARTITIONS))
    def acquire(self, worker: int, partition: Partition) -> Both:
        leases: Both = self._alike(worker, lambda store, _: store.acquire(partition, partition_count=2))
        return leases

    @rule(
        target=leases,
        worker=st.integers(0, WORKERS - 1),
        lease=leases,
        moves=st.lists(
            st.tuples(offsets, st.integers(-1, 2), st.sampled_from(ENTITIES)), min_size=1, max_size=3
        ),
    )
    def commit(self, worker: int, lease: Both, moves: list[tuple[dict[str, int], int, str]]) -> Both:
        """From the lease's own offsets, except where `shift` is negative."""
        steps: list[Step] = []
        known = dict(lease[0].offsets)
        for advance, shift, entity in moves:
            expected = {digest: known.get(digest) for digest in advance}
            if shift < 0:
                expected = {digest: (offset or 0) + 1 for digest, offset in expected.items()}
            following = {digest: (known.get(digest) or 0) + step for digest, step in advance.items()}
            known |= following
            blobs = [
                Blob(self._state(lease[0].partition, entity), repr(following).encode(), 600),
                Blob(alert_key(self.namespace, lease[0].partition, "s", entity), b"\x00" * max(shift, 0), 60),
            ]
            steps.append(Step(expected, following, blobs, {"alerts/0": len(steps)}, {"n": entity}))
        after: Both | None = self._alike(worker, lambda store, side: store.commit(lease[side], steps))
        return lease if after is None else after

    @rule(worker=st.integers(0, WORKERS - 1), lease=leases)
    def read(self, worker: int, lease: Both) -> None:
        keys = [self._state(lease[0].partition, entity) for entity in ENTITIES]
        self._alike(worker, lambda store, side: store.read(lease[side], keys))

    @rule(worker=st.integers(0, WORKERS - 1), lease=leases, entity=st.sampled_from(ENTITIES))
    def forget(self, worker: int, lease: Both, entity: str) -> None:
        keys = self._alike(worker, lambda store, _: store.keys_of(lease[0].partition, entity))
        self._alike(worker, lambda store, side: store.forget(lease[side], keys[0]))

    @rule(worker=st.integers(0, WORKERS - 1), partition=st.sampled_from(PARTITIONS))
    def look(self, worker: int, partition: Partition) -> None:
        self._alike(worker, lambda store, _: store.record(partition))
        keys = [self._state(partition, entity) for entity in ENTITIES]
        self._alike(worker, lambda store, _: store.values(partition, keys))

    @rule()
    def forget_scripts(self) -> None:
        tell(self.server, "SCRIPT FLUSH")

    def _state(self, partition: Partition, entity: str) -> str:
        return state_key(self.namespace, partition, "account_activity", DIGESTS[0], entity)

    def _alike(self, worker: int, use: Callable[[StateStore, int], Awaitable[Any]]) -> Any:
        """What both stores answered, having answered alike; None when both refused."""

        async def answers() -> list[Any]:
            found: list[Any] = []
            for side, store in enumerate(self.workers[worker]):
                try:
                    found.append(await use(store, side))
                except StoreError as error:
                    found.append(type(error))
            return found

        in_memory, in_redis = self.runner.run(answers())
        assert plain(in_memory) == plain(in_redis)
        return None if isinstance(in_memory, type) else (in_memory, in_redis)


@pytest.mark.live
def test_memory_and_redis_answer_alike(redis_server: EmbeddedRedis) -> None:
    """Any order of acquires, reads, commits from right and wrong offsets, and old leases."""
    machine = type("StoresOnServer", (Stores,), {"server": redis_server})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=40, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
