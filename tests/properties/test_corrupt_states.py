"""Bytes that are not a state of the view are refused; they never crash the process nor pass as a state."""

import functools
from itertools import islice
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.features.batch import EventBatch
from scoring.features.spec import FeatureView
from scoring.features.table import CorruptState, fold_table
from tests.support.streams import CURRENCIES, LIVING, SMALL_CARDS, SMALL_TICKS, VIEWS, endless


@functools.cache
def batch_and_states(view: FeatureView) -> tuple[EventBatch, list[bytes]]:
    """A batch of two entities and their states after it, with full rings and some tiles."""
    events = list(islice(endless(view, Random(5), CURRENCIES), 200))
    batch = EventBatch.from_events(view.event, events)
    return batch, fold_table(view, batch).states


def refused(view: FeatureView, state: bytes) -> bool:
    """Whether folding onto this state of the second entity is refused."""
    batch, states = batch_and_states(view)
    try:
        fold_table(view, batch, [states[0], state])
    except CorruptState as error:
        assert view.name in str(error) and str(len(state)) in str(error)
        return True
    return False


@pytest.mark.parametrize("view", [*VIEWS, *LIVING], ids=lambda view: view.name)
@given(data=st.data())
def test_one_changed_byte_is_noticed(view: FeatureView, data: st.DataObject) -> None:
    """A state is the sum of months; a silent error in it would be in every later score."""
    state = bytearray(batch_and_states(view)[1][1])
    state[data.draw(st.integers(0, len(state) - 1))] ^= data.draw(st.integers(1, 255))
    assert refused(view, bytes(state))


@pytest.mark.parametrize("view", [*VIEWS, *LIVING], ids=lambda view: view.name)
@given(data=st.data())
def test_a_cut_or_lengthened_state_is_noticed(view: FeatureView, data: st.DataObject) -> None:
    """A store that was filled to the brim may have kept a part."""
    state = batch_and_states(view)[1][1]
    assert refused(view, state[: data.draw(st.integers(1, len(state) - 1))])
    assert refused(view, state + bytes(data.draw(st.integers(1, 64))))


@given(st.binary(min_size=1, max_size=600))
def test_random_bytes_are_no_state(raw: bytes) -> None:
    """Whatever another program writes under our key."""
    assert refused(SMALL_CARDS, raw)
    assert refused(SMALL_CARDS, raw * 8)


@given(st.binary(min_size=40, max_size=400).filter(lambda raw: len(raw) >= 40))
def test_random_bytes_behind_a_proper_head_are_no_state(raw: bytes) -> None:
    """Version and counts that fit must not be enough."""
    state = batch_and_states(SMALL_CARDS)[1][1]
    filled = (raw * (len(state) // len(raw) + 1))[: len(state) - 8]
    assert refused(SMALL_CARDS, state[:8] + filled)


def test_a_state_of_another_view_is_no_state() -> None:
    """Keys carry the view's digest; should they be mixed up, the sizes differ."""
    assert refused(SMALL_CARDS, batch_and_states(SMALL_TICKS)[1][1])
    assert refused(SMALL_TICKS, batch_and_states(SMALL_CARDS)[1][1])


def test_the_error_names_the_view_and_the_remedy_but_no_entity() -> None:
    """Whoever reads it at night must know what to do, and logs are no place for account numbers."""
    batch, states = batch_and_states(SMALL_CARDS)
    wanted = (
        f"view {SMALL_CARDS.name}@{SMALL_CARDS.digest}: the state of one entity.*delete the partition's keys"
    )
    with pytest.raises(CorruptState, match=wanted):
        fold_table(SMALL_CARDS, batch, [states[0], states[1][:-8]])


def test_a_good_state_is_still_folded() -> None:
    """The refusals above mean something only if the untouched state passes."""
    assert not refused(SMALL_CARDS, batch_and_states(SMALL_CARDS)[1][1])
    assert np.isfinite(fold_table(SMALL_CARDS, batch_and_states(SMALL_CARDS)[0]).vectors[:, 0]).any()
