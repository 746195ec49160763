"""The cache and the memory of what is already out."""

from scoring.partition import Emitted, StateCache


def test_pinned_entries_stay_however_full_the_cache_is():
    """They are in no store yet: forgetting one would lose an event."""
    cache = StateCache(most=2)
    for key in "abcd":
        cache.put(key, key.encode())
    cache.pin("ab")
    cache.trim()
    assert cache.missing("abcd") == ["c", "d"]
    cache.pin("a")
    cache.unpin("ab")
    cache.put("e", b"e")
    cache.trim()
    assert cache.get("a") == b"a"
    assert cache.missing("b") == ["b"]


def test_the_least_recently_used_goes_first():
    """Busy entities stay in memory."""
    cache = StateCache(most=2)
    for key in "abc":
        cache.put(key, None)
    cache.get("a")
    cache.trim()
    assert cache.missing("abc") == ["b"]


def test_an_absent_state_is_remembered_as_absent():
    """New entities are asked for once."""
    cache = StateCache(most=5)
    cache.put("new", None)
    assert cache.missing(["new"]) == []
    assert cache.get("new") is None


def test_a_terminal_of_one_scorer_says_nothing_of_another():
    """Scores of several scorers share a topic; a crash may lie between them."""
    emitted = Emitted(base=100)
    emitted.add("terminal", "a", 105)
    assert emitted.has("terminal", "a", 105)
    assert not emitted.has("terminal", "b", 105)
    assert not emitted.has("alert", "a", 105)
    assert not emitted.has("terminal", "a", 104)


def test_a_dead_letter_of_all_scorers_stands_for_each():
    """A record refused before the fold has one dead letter, whatever scorers there are."""
    emitted = Emitted(base=0)
    emitted.add("terminal", "", 3)
    assert emitted.has("terminal", "a", 3)
    assert emitted.has("terminal", "", 3)
    assert not emitted.has("alert", "a", 3)


def test_offsets_before_the_base_are_passed_over_and_far_ones_fit():
    """A scan sees older outputs of the same partition, and a rebuild sees millions."""
    emitted = Emitted(base=10)
    emitted.add("terminal", "a", 9)
    assert not emitted
    emitted.add("terminal", "a", 2_000_000)
    assert emitted.has("terminal", "a", 2_000_000)
    assert emitted.highest == 2_000_000
