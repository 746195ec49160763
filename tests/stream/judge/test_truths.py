"""Which label of an event counts, and which do not."""

import msgspec
import pytest

from schemas.label import Label
from stream.judge.truths import Truths


def label(event: str, truth: str, known: int, entity: str = "x") -> bytes:
    return msgspec.json.encode(Label(event_id=event, entity=entity, label=truth, known_at_ms=known))


def test_a_label_counts_from_when_it_is_known() -> None:
    """Whoever looks at January must not see what February found out."""
    truths = Truths(known_by_ms=100)
    truths.take([label("a", "1", 100), label("b", "1", 101)])
    assert (len(truths), truths.later) == (1, 1)
    assert truths.of("b", "x") is None


@pytest.mark.parametrize("turned", [False, True])
def test_the_label_known_last_counts_whatever_came_first(turned: bool) -> None:
    """A fraud that turns out to be none is corrected by a later label, and topics may be fed again."""
    records = [label("a", "1", 10), label("a", "0", 20)]
    truths = Truths(known_by_ms=100)
    truths.take(reversed(records) if turned else records)
    truth = truths.of("a", "x")
    assert truth is not None and not truth.positive
    assert (truths.replaced, truths.repeated, len(truths)) == (1, 0, 1)


def test_of_labels_known_at_one_time_the_later_record_counts() -> None:
    """All labels of an entity lie in one partition, so there is a later one."""
    truths = Truths(known_by_ms=100)
    truths.take([label("a", "1", 10), label("a", "0", 10), label("a", "0", 10)])
    truth = truths.of("a", "x")
    assert truth is not None and not truth.positive
    assert (truths.replaced, truths.repeated) == (1, 1)


def test_words_are_counted_and_not_guessed() -> None:
    """`genuine` is not 0 to a program; whoever uses words says which of them are meant."""
    truths = Truths(known_by_ms=100)
    truths.take([label("a", "fraud", 1), label("b", "genuine", 1), label("c", "1", 1), b"{", None])
    assert (len(truths), truths.without_meaning, truths.unreadable) == (1, {"fraud": 1, "genuine": 1}, 2)
    truths = Truths(known_by_ms=100, positives=frozenset({"fraud"}))
    truths.take([label("a", "fraud", 1), label("b", "genuine", 1)])
    said = [truths.of(event, "x") for event in "ab"]
    assert [truth is not None and truth.positive for truth in said] == [True, False]


def test_an_event_id_of_two_entities_belongs_to_neither_alone() -> None:
    """Numbers of payments may repeat from account to account."""
    truths = Truths(known_by_ms=100)
    truths.take([label("a", "1", 1, "x"), label("a", "0", 1, "y"), label("b", "0", 1, "y")])
    assert (truths.entity_of("a"), truths.entity_of("b"), truths.entity_of("c")) == (None, "y", None)
    truth = truths.of("a", "x")
    assert truth is not None and truth.positive
