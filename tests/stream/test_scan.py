"""What a worker that takes over finds in the output topics, and what it may hold for covered."""

import numpy as np
import pytest
from aiokafka import TopicPartition

from schemas.cloudevents import Kind, headers, source_of
from schemas.codec import EventDecoder
from schemas.events import merchant_transaction, transaction
from scoring.partition import Emitted, PartitionState, StateCache
from scoring.records import RecordReader
from scoring.sequence import SequenceReader, SequenceWriter
from scoring.store.contract import Lease, Partition
from scoring.views import account_activity, merchant_activity
from scoring.wire.packed import pack
from stream.worker.outputs import covered_for
from stream.worker.scan import Findings

INTERNAL = merchant_transaction.EVENT.topic
SECOND_PASS = {"payment_merchant": INTERNAL}
FIRST, SECOND = Partition("transactions", 1), Partition(INTERNAL, 2)


def state_of(partition: Partition) -> PartitionState:
    """A partition as it was just taken over, with nothing found yet."""
    lease = Lease(partition, "token", 1, False, {}, {"risk-scores/1": 7}, {}, 4)
    if partition.topic == INTERNAL:
        view = merchant_activity.VIEW
        reader = SequenceReader(EventDecoder(merchant_transaction.EVENT), account_activity.VIEW, "tests", {})
    else:
        view = account_activity.VIEW
        reader = RecordReader(EventDecoder(transaction.EVENT), partition.index, 4, "none", 0)
    return PartitionState(
        partition=partition, partition_count=4, lease=lease, views=[view], reader=reader, namespace="tests",
        cache=StateCache(1), emitted=Emitted(0), next_offset=0,
    )  # fmt: skip


@pytest.fixture
def first() -> PartitionState:
    """An input partition whose events are passed on."""
    state = state_of(FIRST)
    state.passes_on = [SequenceWriter(merchant_transaction.EVENT, account_activity.VIEW, 4, 0)]
    return state


@pytest.fixture
def second() -> PartitionState:
    """A partition of the internal topic."""
    return state_of(SECOND)


def found(findings: Findings, topic: str, index: int, kind: Kind, identity: str, namespace: str = "tests") -> None:
    """One output about an event of the first partition."""
    source = source_of(namespace, FIRST.topic, FIRST.index)
    known = dict(headers(kind, identity, source))
    findings.note(TopicPartition(topic, index), pack([known["ce_id"]]), pack([known["ce_source"]]))


def test_outputs_of_another_namespace_are_not_ones_own(first: PartitionState) -> None:
    """Namespaces share topics and input records; taken for one's own, the other's score would stand in for it."""
    findings = Findings([first], SECOND_PASS)
    found(findings, "risk-scores", 1, "score", "payment_anomaly:transactions:1:17:00", namespace="other")
    assert not first.emitted
    found(findings, "risk-scores", 1, "score", "payment_anomaly:transactions:1:17:00")
    assert first.emitted.has("terminal", "payment_anomaly", 17)


def test_a_score_of_the_second_pass_belongs_to_the_partition_it_lies_in(
    first: PartitionState, second: PartitionState
) -> None:
    """Its id names the input record, of which the internal partition must know that it is answered."""
    findings = Findings([first, second], SECOND_PASS)
    found(findings, "risk-scores", 2, "score", "payment_merchant:transactions:1:17:00")
    found(findings, "dead-letters", 2, "dead_letter", "dead:transactions:1:18:payment_merchant")
    assert not first.emitted
    assert second.emitted_of(FIRST).has("terminal", "payment_merchant", 17)
    assert second.emitted_of(FIRST).has("terminal", "payment_merchant", 18)
    assert findings.internal() == [TopicPartition(INTERNAL, 2)]
    findings.note_ends({TopicPartition(INTERNAL, 2): 40})
    assert (second.caught_up, second.first_unwritten) == (False, 40)


def test_what_was_passed_on_is_looked_for_in_every_partition_of_the_internal_topic(first: PartitionState) -> None:
    """Merchants of one account lie everywhere."""
    findings = Findings([first], SECOND_PASS)
    targets = findings.targets()
    assert {target.partition for target in targets if target.topic == INTERNAL} == {0, 1, 2, 3}
    assert targets[TopicPartition("risk-scores", 1)] == 7
    found(findings, INTERNAL, 3, "sequenced", "transactions:1:17")
    assert first.emitted.has("sequenced", INTERNAL, 17)


def test_runs_of_outputs_are_noted_each_by_itself(first: PartitionState) -> None:
    """A batch has records of several scorers and partitions, one behind the other, and some that are nobody's."""
    ids = [b"a:transactions:1:5:00", b"a:transactions:1:6:01", b"b:transactions:1:6:01", b"", b"a:transactions:1:9:07"]
    source = source_of("tests", FIRST.topic, FIRST.index).encode()
    findings = Findings([first], SECOND_PASS)
    target = TopicPartition("risk-scores", 1)
    findings.note(target, pack(ids), pack([source, source, source, b"", source]))
    findings.note(target, pack([b"a:transactions:1:7:00"] * 2), pack([b"/other/transactions/1", source]))
    findings.note(target, pack([]), pack([]))
    others = [b"a:transactions:1:x:00", b"a:transactions:1:11:00", b"a:transactions:1:12", b"a:transactions:1:13:0:0"]
    findings.note(target, pack(others), pack([source] * 4))
    findings.note(target, pack([b"a:transactions:1:999999999999:00"]), pack([source]))
    assert [first.emitted.has("terminal", "a", offset) for offset in (11, 12, 13)] == [True, False, False]
    assert first.emitted.highest == 11
    assert [first.emitted.has("terminal", "a", offset) for offset in range(4, 10)] == [
        False, True, True, True, False, True,
    ]  # fmt: skip
    assert [first.emitted.has("terminal", "b", offset) for offset in (5, 6, 7)] == [False, True, False]


def test_outputs_are_covered_only_once_the_partition_is_past_all_that_was_found(first: PartitionState) -> None:
    """Else another partition's acknowledgement would hide outputs of records that are not committed yet."""
    acknowledged = {"risk-scores/1": 90, "risk-scores/2": 5, f"{INTERNAL}/3": 8}
    own = {"risk-scores/1": 90, f"{INTERNAL}/3": 8}
    assert covered_for(first, 10, acknowledged) == own
    first.emitted.add("terminal", "payment_anomaly", np.array([17]))
    assert covered_for(first, 17, acknowledged) == {}
    assert covered_for(first, 18, acknowledged) == own
