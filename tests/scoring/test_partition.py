"""The cache and the memory of what is already out."""

import numpy as np
import pytest

from scoring.partition import Emitted, StateCache


def test_pinned_entries_stay_however_full_the_cache_is():
    """They are in no store yet: forgetting one would lose an event."""
    cache = StateCache(most=2)
    for key in "abcd":
        cache.put(key, key.encode())
    cache.pin("ab")
    cache.trim()
    assert cache.lacking("abcd") == ["c", "d"]
    cache.pin("a")
    cache.unpin("ab")
    cache.put("e", b"e")
    cache.trim()
    assert cache.get("a") == b"a"
    assert cache.lacking("b")


def test_the_least_recently_used_goes_first():
    """Busy entities stay in memory."""
    cache = StateCache(most=2)
    for key in "abc":
        cache.put(key, key.encode())
    cache.get("a")
    cache.trim()
    assert cache.lacking("abc") == ["b"]


def test_an_absent_state_is_remembered_as_absent():
    """New entities are asked for once."""
    cache = StateCache(most=5)
    cache.put("new", None)
    assert not cache.lacking(["new"])
    assert cache.get("new") is None


def test_many_states_are_looked_up_and_put_as_one_by_one():
    """A chunk has a thousand entities; what was put last goes last, and what nobody has read is an error."""
    cache = StateCache(most=3)
    cache.put_all(["a", "b", "c"], [b"1", b"2", b"3"])
    cache.put("d", None)
    assert cache.look_up(["c", "d", "a"]) == [b"3", None, b"1"]
    cache.put_all(["d", "a"], [b"4", b"5"])
    cache.trim()
    assert cache.lacking("abcd") == ["b"]
    assert cache.look_up(["a", "d"]) == [b"5", b"4"]
    with pytest.raises(KeyError, match="b"):
        cache.look_up(["a", "b"])


def test_absent_states_take_no_room_from_those_that_are_there():
    """A flood of new entities does not push the busy ones out, and is bounded itself."""
    cache = StateCache(most=2)
    cache.put("busy", b"state")
    for number in range(20):
        cache.put(f"new-{number}", None)
    cache.trim()
    assert cache.get("busy") == b"state"
    assert len(cache.lacking(f"new-{number}" for number in range(20))) == 12
    cache.put("new-19", b"state")
    assert len(cache) == 2


def test_a_terminal_of_one_scorer_says_nothing_of_another():
    """Scores of several scorers share a topic; a crash may lie between them."""
    emitted = Emitted(base=100)
    emitted.add("terminal", "a", np.array([105]))
    assert emitted.has("terminal", "a", 105)
    assert not emitted.has("terminal", "b", 105)
    assert not emitted.has("alert", "a", 105)
    assert not emitted.has("terminal", "a", 104)


def test_a_dead_letter_of_all_scorers_stands_for_each():
    """A record refused before the fold has one dead letter, whatever scorers there are."""
    emitted = Emitted(base=0)
    emitted.add("terminal", "", np.array([3]))
    assert emitted.has("terminal", "a", 3)
    assert emitted.has("terminal", "", 3)
    assert not emitted.has("alert", "a", 3)


def test_offsets_before_the_base_are_passed_over_and_far_ones_fit():
    """A scan sees older outputs of the same partition, and a rebuild sees millions."""
    emitted = Emitted(base=10)
    emitted.add("terminal", "a", np.array([9]))
    assert not emitted
    emitted.add("terminal", "a", np.array([2_000_000]))
    assert emitted.has("terminal", "a", 2_000_000)
    assert emitted.highest == 2_000_000
