"""Polls through the core: however the log is cut into them, the same bytes come out."""

import asyncio
from dataclasses import dataclass
from operator import attrgetter

import msgspec
import pytest

from schemas.codec import EventDecoder
from schemas.events.transaction import EVENT
from scoring.catalog import scorers
from scoring.engine import InForce
from scoring.folding import FEW_EVENTS
from scoring.model import load_bundle
from scoring.murmur2 import partition_of
from scoring.partition import Emitted, PartitionState, StateCache
from scoring.poll import ROWS_TOGETHER, Poller
from scoring.record_run import LOG_APPEND_TIME
from scoring.records import RecordReader
from scoring.store.contract import Partition
from scoring.store.memory import MemoryStore
from tests.support.event_feed import payments
from tests.support.small_bundles import write_small_bundle

PARTITIONS = 2


@dataclass
class Record:
    """A consumed record."""

    offset: int
    key: bytes
    value: bytes
    timestamp: int = 4_000_000_000_000
    timestamp_type: int = LOG_APPEND_TIME


@pytest.fixture(scope="module")
def in_force(tmp_path_factory) -> dict[str, InForce]:
    """A live scorer and a challenger with small bundles."""
    found = {}
    for name in ("payment_anomaly", "payment_attention"):
        scorer = scorers()[name]
        folder = write_small_bundle(tmp_path_factory.mktemp(name), scorer)
        found[name] = InForce(scorer, load_bundle(folder), scorer.policy, live=not scorer.shadow)
    return found


@pytest.fixture(scope="module")
def log() -> list[list[Record]]:
    """Payments of two partitions, a broken record and a duplicate among them."""
    records: list[list[Record]] = [[] for _ in range(PARTITIONS)]
    for number, (_, event) in enumerate(payments(2_400, seed=7)):
        key = event["account_id"].encode()
        partition = records[partition_of(key, PARTITIONS)]
        value = b"{" if number % 500 == 499 else msgspec.json.encode(event)
        partition.append(Record(len(partition), key, value))
        if number % 300 == 299:
            partition.append(Record(len(partition), key, value))
    return records


async def scored(log, in_force, *, poll_records: int, cached: int):
    """Outputs by partition, and what is stored at the end."""
    store = MemoryStore("tests")
    await store.open()
    view = in_force["payment_anomaly"].scorer.view
    states = []
    for index in range(PARTITIONS):
        partition = Partition(EVENT.topic, index)
        state = PartitionState(
            partition=partition, partition_count=PARTITIONS,
            lease=await store.acquire(partition, partition_count=PARTITIONS), views=[view],
            reader=RecordReader(EventDecoder(EVENT), index, PARTITIONS, "murmur2", 60_000), namespace="tests",
            cache=StateCache(cached), emitted=Emitted(0), next_offset=0, committed={view.digest: None},
        )  # fmt: skip
        state.in_force = {name: [(0, entry)] for name, entry in in_force.items()}
        states.append(state)
    poller = Poller(store)
    outputs = [[] for _ in states]
    stored = {}
    for start in range(0, max(map(len, log)), poll_records):
        poll = {state: log[state.partition.index][start : start + poll_records] for state in states}
        prepared = await poller.prepare({state: records for state, records in poll.items() if records})
        for state, written in prepared.outputs.items():
            outputs[state.partition.index] += written.outputs()  # within a chunk scorer by scorer
        for state, steps in prepared.steps.items():
            state.lease = await store.commit(state.lease, steps)
            state.cache.unpin(prepared.pinned[state])
            stored |= {blob.key: blob.value for step in steps for blob in step.blobs}
    for state in states:
        partition = state.partition
        read = await store.values(partition, [key for key in stored if str(partition) in key])
        assert read == [value for key, value in stored.items() if str(partition) in key]
    poller.close()
    return [sorted(written, key=attrgetter("topic", "identity")) for written in outputs], stored


@pytest.mark.parametrize("poll_records", [1, FEW_EVENTS - 10, ROWS_TOGETHER - 100, 700])
def test_outputs_and_states_do_not_depend_on_where_polls_are_cut_nor_on_what_is_cached(
    log, in_force, poll_records
):
    """Kernels run in another thread for large chunks and at once for small ones; alert states come with the states."""
    whole = asyncio.run(scored(log, in_force, poll_records=10_000, cached=1_000))
    assert asyncio.run(scored(log, in_force, poll_records=poll_records, cached=5)) == whole
    assert all(len(outputs) > 1_000 for outputs in whole[0])
    topics = {output.topic for outputs in whole[0] for output in outputs}
    assert topics == {"risk-scores", "alerts", "dead-letters"}
