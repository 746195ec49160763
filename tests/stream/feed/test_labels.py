"""Labels wait for event time, come in its order, and none before its event."""

from pathlib import Path

import msgspec
import polars as pl

from schemas.events import transaction
from schemas.label import Label
from scoring.files import Chunk
from scoring.murmur2 import partitions_of
from stream.feed.labels import Labels
from stream.feed.pseudonym import Pseudonyms
from stream.feed.run import Order, _replaced

T0 = 1_700_000_000_000


def chunk(events: list[tuple[str, int, str, int | None, int | None]]) -> Chunk:
    """From (event id, time, account, label, known at); times count from T0."""
    frame = pl.DataFrame(
        {
            "event_id": [each[0] for each in events],
            "occurred_at_ms": [T0 + each[1] for each in events],
            "account_id": [each[2] for each in events],
            "amount": [1.0] * len(events),
        }
    )
    labels = pl.Series("label", [each[3] for each in events], pl.Int8)
    known = pl.Series("known_at_ms", [None if each[4] is None else T0 + each[4] for each in events], pl.Int64)
    rows = pl.int_range(len(events), eager=True)
    return Chunk(Path("f"), frame, rows, labels=labels, known_at_ms=known)


def told(labels: Labels, until: int | None = None) -> list[str]:
    due = labels.due(None if until is None else T0 + until)
    return [] if due is None else [msgspec.json.decode(value, type=Label).event_id for value in due.values]


def test_labels_come_in_the_order_in_which_they_became_known() -> None:
    """Across chunks too: a label of the first chunk may be known after those of the second."""
    labels = Labels(transaction.EVENT, 4)
    labels.take(chunk([("a", 0, "x", 1, 90), ("b", 10, "y", 0, 20), ("c", 12, "y", None, None)]))
    labels.take(chunk([("d", 30, "x", 0, 40)]))
    assert labels.next_ms() == T0 + 20
    assert (told(labels, 19), told(labels, 40), told(labels, 89)) == ([], ["b", "d"], [])
    assert (labels.next_ms(), told(labels), labels.next_ms()) == (T0 + 90, ["a"], None)
    assert labels.unknown == 1


def test_the_label_of_an_event_that_is_late_in_the_file_waits_for_it() -> None:
    """Event 10 is sent with event 50, which stands before it; its label, known at 20, must not come first."""
    labels = Labels(transaction.EVENT, 4)
    labels.take(chunk([("a", 50, "x", 1, 60)]))
    labels.take(chunk([("b", 10, "x", 1, 20)]))
    assert (told(labels, 49), told(labels, 50)) == ([], ["b"])


def test_a_label_is_keyed_by_the_entity_of_its_event_and_says_what_the_schema_says() -> None:
    """So that a consumer finds label and event in the same order of the same key."""
    labels = Labels(transaction.EVENT, 4)
    labels.take(chunk([("a", 0, "x", 1, 5), ("b", 0, "é", 0, 5)]))
    due = labels.due()
    assert due is not None
    said = [msgspec.json.decode(value, type=Label, strict=True) for value in due.values]
    assert said == [
        Label(event_id="a", entity="x", label="1", known_at_ms=T0 + 5),
        Label(event_id="b", entity="é", label="0", known_at_ms=T0 + 5),
    ]
    assert due.keys == [b"x", "é".encode()]
    assert due.partitions.tolist() == partitions_of(due.keys, 4).tolist()


def test_pseudonyms_of_events_are_those_of_their_labels() -> None:
    """A label that named the account would undo the pseudonym, and could not be joined either."""
    pseudonyms = Pseudonyms(("account_id", "event_id"), b"a-very-secret-key")
    replaced = _replaced(chunk([("a", 0, "x", 1, 5)]), pseudonyms)
    labels = Labels(transaction.EVENT, 4)
    labels.take(replaced)
    due = labels.due()
    assert due is not None
    said = msgspec.json.decode(due.values[0], type=Label)
    assert (said.event_id, said.entity) == (pseudonyms.of("event_id", "a"), pseudonyms.of("account_id", "x"))
    assert replaced.frame.row(0, named=True)["account_id"] == said.entity


def test_an_order_feeds_no_labels_unless_it_is_asked_to() -> None:
    """A mapping that names the truth of a training file is no wish to publish it."""
    assert not Order("t", (), None, transaction.EVENT).labels  # type: ignore[arg-type]
