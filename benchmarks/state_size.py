"""What the account view costs in Redis, by `MEMORY USAGE`, on the development cards, and by part."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from redis import Redis

from schemas.events.transaction import EVENT
from scoring.features.frame import batch_of_frame
from scoring.features.inspect import inspect_state
from scoring.features.table import fold_table
from scoring.files import read_events, read_mapping
from scoring.store.contract import Partition
from scoring.store.keys import state_key
from scoring.views.account_activity import VIEW

MAPPING = "handbook_cards"
NAMESPACE = "riskstream"
PER_CALL = 500


@dataclass(frozen=True)
class StateParts:
    """Bytes of one account's state in Redis, by part.

    Attributes:
        head: version, counts, last time, groups, padding; ring: raw events; tiles; history: past vectors.
        key_overhead: what Redis takes for key, expiry and rounding up, beside the packed bytes.
    """

    account: str
    events: int
    head: int
    ring: int
    tiles: int
    history: int
    key_overhead: int
    memory_usage: int
    memory_usage_without_history: int


@dataclass(frozen=True)
class StateSizes:
    """State of all accounts.

    Attributes:
        median, largest: the accounts in the middle and at the end by memory without history; busiest: with most events.
        total_bytes: memory of all, history included.
    """

    accounts: int
    events: int
    median: StateParts
    busiest: StateParts
    largest: StateParts
    total_bytes: int


def fold_cards(cards: Path, limit: int | None = None) -> tuple[dict[str, bytes], dict[str, int]]:
    """Packed state of every account after all its cards' events, and how many events each account has."""
    states: dict[str, bytes] = {}
    events: dict[str, int] = {}
    for chunk in read_events([cards], read_mapping(MAPPING), EVENT, limit=limit):
        batch = batch_of_frame(EVENT, chunk.frame)
        table = fold_table(VIEW, batch, [states.get(account) for account in batch.entities])
        states |= zip(batch.entities, table.states, strict=True)
        for account, count in zip(batch.entities, np.bincount(batch.entity).tolist(), strict=True):
            events[account] = events.get(account, 0) + count
    return states, events


def measure_state(redis_url: str, cards: Path, limit: int | None = None) -> StateSizes:
    """Puts the states of the cards' accounts into an empty Redis under the worker's own keys, and asks it.

    Args:
        cards: a file of the layout `handbook_cards`.
        limit: most events.
    """
    states, events = fold_cards(cards, limit)
    sized = []
    with Redis.from_url(redis_url) as redis:
        redis.flushall()
        accounts = list(states)
        for start in range(0, len(accounts), PER_CALL):
            some = accounts[start : start + PER_CALL]
            parts = [_parts(account, states[account], events[account]) for account in some]
            sized += _with_memory(redis, some, [states[account] for account in some], parts)
        redis.flushall()
    sized.sort(key=lambda each: each.memory_usage_without_history)
    return StateSizes(
        accounts=len(sized),
        events=sum(events.values()),
        median=sized[len(sized) // 2],
        busiest=max(sized, key=lambda each: each.events),
        largest=sized[-1],
        total_bytes=sum(each.memory_usage for each in sized),
    )


def _parts(account: str, packed: bytes, events: int) -> StateParts:
    by_part = inspect_state(VIEW, packed).bytes_by_part
    ring, tiles, history = (by_part.get(name, 0) for name in ("ring", "tiles", "history"))
    return StateParts(account, events, len(packed) - ring - tiles - history, ring, tiles, history, 0, 0, 0)


def _with_memory(
    redis: "Redis", accounts: Sequence[str], packed: Sequence[bytes], parts: Sequence[StateParts]
) -> list[StateParts]:
    keys = [
        state_key(NAMESPACE, Partition(EVENT.topic, 0), VIEW.name, VIEW.digest, account)
        for account in accounts
    ]
    whole = _memory_usage(redis, keys, packed)
    short = [value[: len(value) - each.history] for value, each in zip(packed, parts, strict=True)]
    without = _memory_usage(redis, keys, short)
    return [
        StateParts(
            each.account, each.events, each.head, each.ring, each.tiles, each.history,
            key_overhead=used - len(value), memory_usage=used, memory_usage_without_history=used_without,
        )
        for each, value, used, used_without in zip(parts, packed, whole, without, strict=True)
    ]  # fmt: skip


def _memory_usage(redis: "Redis", keys: Sequence[str], values: Sequence[bytes]) -> list[int]:
    pipeline = redis.pipeline(transaction=False)
    for key, value in zip(keys, values, strict=True):
        pipeline.set(key, value, ex=VIEW.horizon_ms // 1000)
    for key in keys:
        pipeline.memory_usage(key)
    return [int(used) for used in pipeline.execute()[len(keys) :]]
