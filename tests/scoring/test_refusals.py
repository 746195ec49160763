"""When a partition pauses, and from where a change takes effect: what a partition knows of its own past."""

from itertools import accumulate

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import EventDecoder
from schemas.events import transaction
from scoring.partition import REFUSAL_WINDOW, Emitted, PartitionState, StateCache
from scoring.records import RecordReader
from scoring.store.contract import Lease, Partition

runs = st.lists(st.tuples(st.booleans(), st.integers(1, 900)), max_size=12)


def state_at(offset: int) -> PartitionState:
    """A partition without views that goes on at an offset."""
    partition = Partition(transaction.EVENT.topic, 0)
    return PartitionState(
        partition=partition, partition_count=1, lease=Lease(partition, "token", 1, False, {}, {}, {}, 1),
        views=(), reader=RecordReader(EventDecoder(transaction.EVENT), 0, 1, "none", 0), namespace="test",
        cache=StateCache(1), emitted=Emitted(0), next_offset=offset,
    )  # fmt: skip


@given(runs=runs, polls=st.lists(st.integers(1, 5_000), min_size=1, max_size=30), share=st.floats(0.1, 0.9))
def test_the_pause_depends_on_the_order_of_records_and_not_on_where_polls_are_cut(runs, polls, share):
    """A flood of refusals at the head of one large poll counts as it would record by record."""
    outcomes = [refused for refused, length in runs for _ in range(length)]
    sums = [0, *accumulate(outcomes)]
    windows = (sums[end] - sums[end - REFUSAL_WINDOW] for end in range(REFUSAL_WINDOW, len(sums)))
    wanted = any(within > share * REFUSAL_WINDOW for within in windows)

    state, found, at = state_at(0), False, 0
    for taken in [*polls, len(outcomes)]:
        found |= state.note_refusals(outcomes[at : at + taken], share)
        at += taken
    assert found == wanted


def test_a_change_takes_effect_after_everything_that_may_be_out():
    """A score that is out keeps the bundle that it names: a change recorded for its offset would contradict it."""
    state = state_at(10)
    assert state.first_unwritten == 10
    state.emitted.add("terminal", "payment_anomaly", np.array([25]))
    assert state.first_unwritten == 26
    state.next_offset = 40
    assert state.first_unwritten == 40


@given(base=st.integers(0, 50), noted=st.sets(st.integers(0, 400)), asked=st.lists(st.integers(0, 12_000), max_size=40))
def test_what_is_out_is_the_same_asked_one_by_one_and_at_once(base, noted, asked):
    """A rebuild asks for thousands at a time."""
    emitted = Emitted(base)
    for offset in noted:
        emitted.add("terminal", "s" if offset % 3 else "", np.array([offset]))
    one_by_one = [emitted.has("terminal", "s", offset) for offset in asked]
    assert emitted.which("terminal", "s", np.array(asked, np.int64)).tolist() == one_by_one
    assert not emitted.which("alert", "s", np.array(asked, np.int64)).any()
