"""Two passes: an event goes on to its merchant with what was seen of its account, once, whoever writes it again."""

import asyncio
import base64
from dataclasses import dataclass, replace

import msgspec
import numpy as np
import pytest

from schemas.cloudevents import headers, source_of
from schemas.codec import EventDecoder
from schemas.events import merchant_transaction, transaction
from schemas.events.merchant_transaction import MerchantTransaction
from scoring.catalog import scorers
from scoring.engine import InForce
from scoring.features.batch import EventBatch
from scoring.features.table import fold_table
from scoring.model import load_bundle
from scoring.murmur2 import partition_of
from scoring.partition import Emitted, PartitionState, StateCache
from scoring.poll import Poller
from scoring.record_run import LOG_APPEND_TIME
from scoring.records import RecordReader
from scoring.sequence import SequenceReader, SequenceWriter
from scoring.store.contract import Partition
from scoring.store.memory import MemoryStore
from scoring.views import account_activity, merchant_activity
from tests.support.event_feed import payments
from tests.support.small_bundles import write_small_bundle

INPUTS, INTERNALS = 2, 3
FIRST, SECOND = transaction.EVENT.topic, merchant_transaction.EVENT.topic
ACCOUNTS, MERCHANTS = account_activity.VIEW, merchant_activity.VIEW


@dataclass
class Record:
    """A consumed record."""

    offset: int
    key: bytes
    value: bytes
    headers: tuple = ()
    timestamp: int = 4_000_000_000_000
    timestamp_type: int = LOG_APPEND_TIME


@pytest.fixture(scope="module")
def in_force(tmp_path_factory) -> InForce:
    """The scorer over two entities, live, so that it raises alerts."""
    scorer = scorers()["payment_merchant"]
    bundle = load_bundle(write_small_bundle(tmp_path_factory.mktemp("bundles"), scorer))
    return InForce(scorer, bundle, msgspec.structs.replace(scorer.policy, watch=0.5, alert=0.6), live=True)


@pytest.fixture(scope="module")
def log() -> list[list[Record]]:
    """Payments of few merchants in two partitions; some have no merchant, one comes twice, one is broken."""
    records: list[list[Record]] = [[] for _ in range(INPUTS)]
    for number, (_, event) in enumerate(payments(900, seed=8)):
        event["merchant_id"] = f"m{number % 7}" if number % 10 else None
        key = event["account_id"].encode()
        partition = records[partition_of(key, INPUTS)]
        value = b"{" if number % 300 == 299 else msgspec.json.encode(event)
        for _ in range(2 if number % 200 == 199 else 1):
            partition.append(Record(len(partition), key, value))
    return records


async def state_of(store: MemoryStore, partition: Partition, count: int, view, reader) -> PartitionState:
    lease = await store.acquire(partition, partition_count=count)
    return PartitionState(
        partition=partition, partition_count=count, lease=lease, views=[view], reader=reader, namespace="tests",
        cache=StateCache(100), emitted=Emitted(0), next_offset=0, committed={view.digest: None},
    )  # fmt: skip


async def first_pass(log, *, from_offset: int = 0, emitted: dict | None = None):
    """What the first pass writes on to the internal topic, by its partitions, in one history; and its dead letters."""
    store = MemoryStore("tests")
    poller = Poller(store)
    internal: list[list[Record]] = [[] for _ in range(INTERNALS)]
    letters = []
    states = []
    for index in range(INPUTS):
        reader = RecordReader(EventDecoder(transaction.EVENT), index, INPUTS, "murmur2", 60_000)
        state = await state_of(store, Partition(FIRST, index), INPUTS, ACCOUNTS, reader)
        state.passes_on = [SequenceWriter(merchant_transaction.EVENT, ACCOUNTS, INTERNALS, from_offset)]
        for offset in (emitted or {}).get(index, ()):
            state.emitted.add("sequenced", SECOND, np.array([offset]))
        states.append(state)
    for start in range(0, max(map(len, log)), 97):
        poll = {state: log[state.partition.index][start : start + 97] for state in states}
        prepared = await poller.prepare({state: some for state, some in poll.items() if some})
        for written in prepared.outputs.values():
            letters += written.others
            for block in written.blocks:
                for output in block.outputs():
                    partition = internal[block.partition]
                    assert output.topic == SECOND
                    head = tuple(headers("sequenced", output.identity, output.origin))
                    partition.append(Record(len(partition), output.key, output.value, head))
    poller.close()
    return internal, letters


async def second_pass(internal, in_force, *, poll_records: int = 10_000):
    """Outputs and stored values of the second pass."""
    store = MemoryStore("tests")
    poller = Poller(store)
    outputs, stored = [], {}
    for index, records in enumerate(internal):
        reader = SequenceReader(EventDecoder(merchant_transaction.EVENT), ACCOUNTS, "tests", {})
        state = await state_of(store, Partition(SECOND, index), INTERNALS, MERCHANTS, reader)
        state.in_force = {in_force.name: [(0, in_force)]}
        for start in range(0, len(records), poll_records):
            prepared = await poller.prepare({state: records[start : start + poll_records]})
            outputs += prepared.outputs[state].outputs()
            state.lease = await store.commit(state.lease, prepared.steps[state])
            stored |= {blob.key: blob.value for step in prepared.steps[state] for blob in step.blobs}
        assert state.lease.offsets == {MERCHANTS.digest: len(records)}
        assert dict(state.lease.origins) == state.reader.read_to
    poller.close()
    return outputs, stored


def passes(log, in_force, **options):
    internal, letters = asyncio.run(first_pass(log))
    return internal, letters, *asyncio.run(second_pass(internal, in_force, **options))


def test_every_event_that_was_scored_once_goes_on_and_is_scored_by_both_its_entities(log, in_force) -> None:
    """Per input one terminal: a score of the second pass, or the dead letter of the first."""
    internal, letters, outputs, _ = passes(log, in_force)
    scores = [msgspec.json.decode(output.value) for output in outputs if output.topic == "risk-scores"]
    answered = [(score["source"]["partition"], score["source"]["offset"]) for score in scores]
    answered += [(source["partition"], source["offset"]) for source in
                 (msgspec.json.decode(letter.value)["source"] for letter in letters)]  # fmt: skip
    assert sorted(answered) == [(index, record.offset) for index, part in enumerate(log) for record in part]
    assert {score["source"]["topic"] for score in scores} == {FIRST}
    assert {msgspec.json.decode(letter.value)["reason"] for letter in letters} == {"DUPLICATE", "BROKEN_JSON"}
    assert sum(map(len, internal)) == len(scores)
    alerts = [output for output in outputs if output.topic == "alerts"]
    held = [score for score in scores if score["level"] == "alert" and "suppressed_by" in score]
    assert len(alerts) + len(held) == sum(score["level"] == "alert" for score in scores)
    assert alerts
    assert held


def test_the_vector_is_that_of_the_account_followed_by_that_of_the_merchant(log, in_force) -> None:
    """Folding the same events in the order of the two logs, without any of this, gives the same numbers."""
    internal, _, outputs, stored = passes(log, in_force)
    found = {}
    for score in (msgspec.json.decode(output.value) for output in outputs if output.topic == "risk-scores"):
        vector = np.frombuffer(base64.b64decode(score["features"]), "<f4")
        found[score["source"]["partition"], score["source"]["offset"]] = vector
    decode = msgspec.json.Decoder(MerchantTransaction).decode
    for part in internal:
        passed = [decode(record.value) for record in part]
        kept = [one for one in passed if one.event.merchant_id is not None]
        table = fold_table(MERCHANTS, EventBatch.from_events(MERCHANTS.event, [one.event for one in kept]))
        for one, own in zip(kept, table.vectors, strict=True):
            vector = found.pop((one.origin.partition, one.origin.offset))
            account = np.frombuffer(base64.b64decode(one.features), "<f4")
            np.testing.assert_array_equal(vector, np.concatenate([account, own]))
        states = [value for key, value in stored.items() if f"{SECOND}-{internal.index(part)}" in key]
        assert sorted(value for value in states if value in table.states) == sorted(table.states)
    own = np.array([vector[len(ACCOUNTS.features) :] for vector in found.values()])
    assert len(own) > 50
    assert np.isnan(own).all()  # nobody's merchant


def test_what_is_passed_on_is_as_its_struct_is_encoded(log) -> None:
    """Written from pieces for speed; the struct is the contract."""
    internal, _ = asyncio.run(first_pass(log))
    decode = msgspec.json.Decoder(MerchantTransaction).decode
    for record in (record for part in internal for record in part):
        one = decode(record.value)
        raw = log[one.origin.partition][one.origin.offset].value
        assert record.value == msgspec.json.encode(one).replace(msgspec.json.encode(one.event), raw)
        assert record.key == (one.event.merchant_id or "").encode()
        assert record.headers[1:3] == (
            ("ce_id", f"{FIRST}:{one.origin.partition}:{one.origin.offset}".encode()),
            ("ce_source", source_of("tests", FIRST, one.origin.partition).encode()),
        )


@pytest.mark.parametrize("poll_records", [1, 10, 61])
def test_a_first_pass_that_went_back_changes_nothing_of_the_second(log, in_force, poll_records) -> None:
    """Its records come again behind the first ones, also cut in the middle, and are dropped by their origin."""
    internal, _, outputs, stored = passes(log, in_force)
    rewound = []
    for part in internal:
        again = [*part[:60], *part[20:90], *part[85:90], *part[30:]]
        rewound.append([replace(record, offset=place) for place, record in enumerate(again)])
    found, kept = asyncio.run(second_pass(rewound, in_force, poll_records=poll_records))
    assert sorted(found, key=lambda one: (one.topic, one.identity)) == sorted(
        outputs, key=lambda one: (one.topic, one.identity)
    )
    assert kept == stored


def test_records_of_another_namespace_are_passed_over(log, in_force) -> None:
    """Two namespaces share the topic; each reads its own."""
    internal, _, outputs, _ = passes(log, in_force)
    mixed = []
    for part in internal:
        foreign = [replace(record, headers=tuple(headers("sequenced", "x", "/other/transactions/0")))
                   for record in part]  # fmt: skip
        both = [record for pair in zip(foreign, part, strict=True) for record in pair]
        mixed.append([replace(record, offset=place) for place, record in enumerate(both)])
    found, _ = asyncio.run(second_pass(mixed, in_force))
    assert found == outputs


def test_what_is_out_already_is_not_passed_on_again(log) -> None:
    """A first pass that lost its state folds the log again; the internal topic stays as it is."""
    whole, _ = asyncio.run(first_pass(log))
    some = {0: range(0, 150), 1: range(30)}
    rest, _ = asyncio.run(first_pass(log, emitted=some))
    decode = msgspec.json.Decoder(MerchantTransaction).decode
    for part, less in zip(whole, rest, strict=True):
        origins = [(decode(record.value).origin, record.value) for record in part]
        wanted = [value for origin, value in origins if origin.offset not in some[origin.partition]]
        assert [record.value for record in less] == wanted


def test_features_of_another_view_are_folded_but_not_scored(log, in_force) -> None:
    """Written before the account's view changed: the merchant's state takes the event in, the model does not see it."""
    internal, _, outputs, stored = passes(log, in_force)
    old = [[replace(record, value=record.value.replace(ACCOUNTS.digest.encode(), b"0" * 16)) for record in part]
           for part in internal]  # fmt: skip
    found, kept = asyncio.run(second_pass(old, in_force))
    assert {key: kept[key] for key in kept if key.startswith("s:")} == {
        key: stored[key] for key in stored if key.startswith("s:")
    }
    bodies = [msgspec.json.decode(output.value) for output in found]
    assert {(body["reason"], body["scorer"]) for body in bodies} == {("MODEL_FAILED", "payment_merchant")}
    assert len(bodies) == sum(output.topic == "risk-scores" for output in outputs)
