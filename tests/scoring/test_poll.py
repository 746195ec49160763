"""Polls through the core: however the log is cut into them, the same bytes come out."""

import asyncio
from dataclasses import dataclass
from functools import partial
from operator import attrgetter

import msgspec
import numpy as np
import pytest
from aiokafka import TopicPartition

from schemas.codec import EventDecoder
from schemas.events.transaction import EVENT
from scoring.catalog import scorers
from scoring.engine import InForce
from scoring.event_columns import EventColumns
from scoring.folding import FEW_EVENTS
from scoring.model import load_bundle
from scoring.murmur2 import partition_of
from scoring.partition import Emitted, PartitionState, StateCache
from scoring.poll import ROWS_TOGETHER, Poller
from scoring.record_run import LOG_APPEND_TIME
from scoring.records import RecordReader
from scoring.store.contract import Partition
from scoring.store.memory import MemoryStore
from stream.worker.runs import READ_TOGETHER, read_events
from tests.support.event_feed import payments
from tests.support.record_runs import run_of_batch
from tests.support.small_bundles import write_small_bundle

PARTITIONS = 3


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


async def scored(
    log, in_force, *, poll_records: int, cached: int, in_runs: bool = False, out: frozenset[int] = frozenset(),
    key_check: str = "murmur2",
):  # fmt: skip
    """Outputs by partition, and what is stored at the end.

    Args:
        in_runs: whether polls come as the worker's consumer gives them, read together where they are small.
        out: offsets whose scores and alerts are out already.
    """
    store = MemoryStore("tests")
    await store.open()
    view = in_force["payment_anomaly"].scorer.view
    states = []
    for index in range(PARTITIONS):
        partition = Partition(EVENT.topic, index)
        state = PartitionState(
            partition=partition, partition_count=PARTITIONS,
            lease=await store.acquire(partition, partition_count=PARTITIONS), views=[view],
            reader=RecordReader(EventDecoder(EVENT), index, PARTITIONS, key_check, 60_000), namespace="tests",
            cache=StateCache(cached), emitted=Emitted(0), next_offset=0, committed={view.digest: None},
        )  # fmt: skip
        for name in in_force:
            for kind in ("terminal", "alert"):
                state.emitted.add(kind, name, np.array(sorted(out), np.int64))
        state.in_force = {name: [(0, entry)] for name, entry in in_force.items()}
        states.append(state)
    poller = Poller(store)
    outputs = [[] for _ in states]
    stored = {}
    for start in range(0, max(map(len, log)), poll_records):
        poll = {state: log[state.partition.index][start : start + poll_records] for state in states}
        taken = {
            TopicPartition(EVENT.topic, state.partition.index): run_of_batch(records) if in_runs else records
            for state, records in poll.items()
            if records
        }
        read_events(taken, {EVENT.topic: partial(EventColumns.read, EVENT)})
        prepared = await poller.prepare({states[target.partition]: records for target, records in taken.items()})
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


@pytest.mark.parametrize("poll_records", [1, 20, READ_TOGETHER // PARTITIONS, 700])
def test_outputs_and_states_do_not_depend_on_what_is_read_and_folded_together(log, in_force, poll_records):
    """Small polls go through the core as one table: no partition may get a row, a state or an alert of another."""
    alone = asyncio.run(scored(log, in_force, poll_records=poll_records, cached=1_000))
    together = asyncio.run(scored(log, in_force, poll_records=poll_records, cached=5, in_runs=True))
    assert together == alone


def test_what_is_out_already_is_not_written_again_by_those_it_is_folded_with(log, in_force):
    """After a crash the partitions of a poll differ in how much of it is out."""
    out = frozenset(range(0, 500, 3))
    alone = asyncio.run(scored(log, in_force, poll_records=30, cached=1_000, out=out))
    together = asyncio.run(scored(log, in_force, poll_records=30, cached=1_000, in_runs=True, out=out))
    everything = asyncio.run(scored(log, in_force, poll_records=30, cached=1_000, in_runs=True))
    assert together == alone
    assert together[1] == everything[1]
    assert all(0 < len(some) < len(whole) for some, whole in zip(together[0], everything[0], strict=True))


def test_an_entity_on_two_partitions_has_a_state_on_each(in_force):
    """Without keys an entity may lie anywhere; states of two partitions must not flow into one."""
    value = b'{"event_id":"%d","occurred_at_ms":%d,"account_id":"a","amount":5}'
    log = [
        [Record(offset, b"a", value % (3 * offset + part, 10**12 + offset)) for offset in range(3)]
        for part in range(PARTITIONS)
    ]
    alone = asyncio.run(scored(log, in_force, poll_records=1, cached=50, key_check="none"))
    together = asyncio.run(scored(log, in_force, poll_records=3, cached=50, in_runs=True, key_check="none"))
    assert together == alone
    assert len(together[1]) == PARTITIONS
