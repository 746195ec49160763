"""Cost against the number of entities: Redis memory of each, CPU of the worker and of Redis, throughput.

Every entity has a state before the first measured event: that of one of some thousand accounts whose payments of four
weeks were folded by the worker's kernel, under a key of its own. It goes on with that account's habits and pace. The
worker finds states and offsets in Redis as if it had written them.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np
from redis import Redis

from benchmarks.full.ground import Ground
from benchmarks.full.line import fit_line
from benchmarks.full.medians import medians
from benchmarks.full.plan import FullPlan
from benchmarks.payments import SPACING_MS, Payments, account_names
from benchmarks.pipelines import new_namespace
from benchmarks.plan import BenchmarkFailed
from benchmarks.raw_redis import Command, RawRedis
from benchmarks.states import Filled, fill
from schemas.events.transaction import EVENT
from schemas.topics import ALERTS
from scoring.folding import SPARE_SECONDS
from scoring.murmur2 import partitions_of
from scoring.store.contract import Partition, Step
from scoring.store.keys import state_prefix
from scoring.store.redis import RedisStore
from scoring.views.account_activity import VIEW
from stream.settings import Settings
from stream.state_store import redis_address

WRITTEN_TOGETHER = 1_000
KEEP_SECONDS = (VIEW.horizon_ms + VIEW.grace_ms) // 1_000 + SPARE_SECONDS
MOST_NEW_KEYS = 0.01
"""Share of the population above which new keys mean that the worker has not found the states."""

BEYOND_CACHE = 100_000
"""Populations from here on are much larger than what a worker keeps in memory: the cost of these is fitted."""


def measure_entities(ground: Ground) -> dict[str, Any]:
    """Points of the curve, and what follows from them for a population that does not fit this machine.

    Raises:
        BenchmarkFailed: the worker did not work, or did not work from the states it was given.
    """
    plan = ground.plan
    known = fill(VIEW, Payments(plan.seed, plan.history_accounts), plan.history)
    runs: dict[int, list[dict[str, float]]] = {entities: [] for entities in plan.entities}
    for repetition in range(plan.repetitions):
        for entities in plan.entities:
            run = one_run(ground, known, entities)
            runs[entities].append(run)
            ground.say(
                f"{entities:,} entities {repetition + 1}/{plan.repetitions}: {run['events_per_second']:,.0f} events/s, "
                f"{run['redis_bytes_per_entity']:,.0f} bytes of Redis each"
            )
    points = {str(entities): medians(some) for entities, some in runs.items()}
    return {
        "state_bytes": round(known.mean_bytes, 1),
        "history_events_per_account": round(plan.history / plan.history_accounts, 1),
        "points": points,
        "extrapolated": extrapolate(runs, plan.extrapolated_to),
    }


def one_run(ground: Ground, known: Filled, entities: int) -> dict[str, float]:
    """A fresh backlog, a fresh population, and a worker over them.

    Raises:
        BenchmarkFailed: the worker did not work, or did not find the states.
    """
    plan, settings = ground.plan, ground.settings
    payments = known.following(population(plan, entities))
    ground.load(payments.frames(plan.backlog))
    namespace = new_namespace()
    with Redis.from_url(settings.redis_url) as redis:
        empty = used_memory(redis)
        write_states(settings, namespace, known, payments, plan.partitions)
        asyncio.run(write_records(settings, namespace, plan.partitions))
        bytes_per_entity = (used_memory(redis) - empty) / entities
        keys_before = redis.dbsize()
        with ground.pipeline(namespace=namespace) as pipeline:
            run = ground.throughput(pipeline)
            alerts = ground.broker.count(ALERTS)
        check_found(entities, new=redis.dbsize() - keys_before, alerts=alerts)
        redis.flushall()
    return run | {"redis_bytes_per_entity": round(bytes_per_entity, 1)}


def population(plan: FullPlan, entities: int) -> Payments:
    """Payments of so many accounts, with the same habits and as many payments a day as in any other population."""
    spacing_ms = max(1, SPACING_MS * plan.history_accounts // entities)
    return Payments(plan.seed, entities, spacing_ms=spacing_ms, habits=plan.history_accounts)


def used_memory(redis: "Redis") -> int:
    """Bytes that the server has allocated."""
    return int(redis.info("memory")["used_memory"])


def write_states(
    settings: Settings, namespace: str, known: Filled, payments: Payments, partitions: int
) -> None:
    """A state for every account, that of its habits' account in the history, under the key that the worker looks for."""
    prefixes = [
        state_prefix(namespace, Partition(EVENT.topic, number), VIEW.name, VIEW.digest)
        for number in range(partitions)
    ]
    with RawRedis(settings.redis_url) as redis:
        commands = state_commands(known.states, prefixes, payments)
        while chunk := list(islice(commands, WRITTEN_TOGETHER)):
            redis.call(chunk)


def state_commands(
    states: Mapping[str, bytes], prefixes: Sequence[str], payments: Payments
) -> Iterator[Command]:
    """One SET for each account.

    Args:
        states: by account of the history, one for each of the habits.
        prefixes: of the keys, by partition.
    """
    for start in range(0, payments.accounts, WRITTEN_TOGETHER):
        numbers = np.arange(start, min(start + WRITTEN_TOGETHER, payments.accounts))
        names = account_names(numbers).to_list()
        found = partitions_of([name.encode() for name in names], len(prefixes))
        like = account_names(payments.habit_of(numbers)).to_list()
        for name, partition, known in zip(names, found.tolist(), like, strict=True):
            yield ("SET", prefixes[partition] + name, states[known], "EX", KEEP_SECONDS)


async def write_records(settings: Settings, namespace: str, partitions: int) -> None:
    """Notes for every partition that its states stand before the first record, by the worker's own store."""
    store = RedisStore(redis_address(settings), namespace)
    await store.open()
    try:
        for number in range(partitions):
            lease = await store.acquire(Partition(EVENT.topic, number), partition_count=partitions)
            start = Step(expected={VIEW.digest: None}, next={VIEW.digest: 0}, blobs=(), outputs={}, notes={})
            await store.commit(lease, [start])
    finally:
        await store.close()


def check_found(entities: int, *, new: int, alerts: int) -> None:
    """Nothing, when the worker went on from the states that were there.

    Args:
        new: keys that it has made; alerts: how many of them may be alert states.

    Raises:
        BenchmarkFailed: it has made states of its own.
    """
    if new - alerts > MOST_NEW_KEYS * entities:
        raise BenchmarkFailed(
            f"{entities:,} entities have states, and the worker made {new - alerts:,} more keys than alerts; "
            "its keys are others than those of the benchmark"
        )


def extrapolate(runs: Mapping[int, Sequence[Mapping[str, float]]], to: int) -> dict[str, Any]:
    """What the population `to` would take, by straight lines: CPU over the logarithm of the entities, memory over them.

    Costs are fitted from `BEYOND_CACHE` entities on, when there are two such points; `deviation` is the standard error
    of a single run there.
    """
    beyond = {entities: some for entities, some in runs.items() if entities >= BEYOND_CACHE}
    fitted = beyond if len(beyond) > 1 else runs
    if len(fitted) < 2:
        return {}
    points = [(entities, run) for entities, some in fitted.items() for run in some]
    told: dict[str, Any] = {"entities": to, "fitted_from": min(fitted)}
    for name in ("worker_cpu_us", "redis_cpu_us"):
        line = fit_line([(float(np.log10(entities)), run[name]) for entities, run in points])
        told[name] = round(line.at(float(np.log10(to))), 3)
        told[f"{name}_deviation"] = round(line.deviation_at(float(np.log10(to))), 3)
        told[f"{name}_per_tenfold"] = round(line.slope, 3)
    memory = fit_line([(entities, entities * run["redis_bytes_per_entity"]) for entities, run in points]).at(to)
    return told | {"redis_bytes_per_entity": round(memory / to, 1), "redis_gb": round(memory / 1e9, 2)}
