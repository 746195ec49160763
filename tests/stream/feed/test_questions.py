"""Questions of a feed: at every boundary of time, of every entity known by then, after the events that it counts."""

import msgspec
import numpy as np
import polars as pl
import pytest

from schemas.as_of import MARK, AsOf
from schemas.events.transaction import EVENT
from stream.feed.questions import AskedAt, Questions

DAY_MS = 86_400_000


def frame(*events: tuple[float, str]) -> pl.DataFrame:
    """Payments at a day and part of a day, by account."""
    return pl.DataFrame(
        {
            "event_id": [f"e{row}" for row in range(len(events))],
            "occurred_at_ms": [round(day * DAY_MS) for day, _ in events],
            "account_id": [account for _, account in events],
            "amount": [1.0] * len(events),
        }
    )


def told(questions: Questions, *frames: pl.DataFrame) -> list[str]:
    """Records in order: an event as its account, a question as account and day."""
    parts = [part for each in frames for part in questions.between(each)]
    last = questions.at_end()
    found = []
    for part in [*parts, *([last] if last else [])]:
        for value, key, time in zip(part.values, part.keys, part.occurred_at_ms.tolist(), strict=True):
            found.append(f"{key.decode()}@{time / DAY_MS:g}" if MARK in value else key.decode())
    return found


@pytest.mark.parametrize("cut", range(1, 5))
def test_every_known_entity_is_asked_for_at_the_end_of_each_day(cut: int):
    """Wherever the file is cut into chunks; a day without events is asked for too: that is silence."""
    whole = frame((0.5, "a"), (0.6, "b"), (1.0, "a"), (3.2, "c"), (3.3, "a"))
    questions = Questions(EVENT, AskedAt.parse("1d"), 4)
    expected = ["a", "b", "a", "a@1", "b@1", "a@2", "b@2", "a@3", "b@3", "c", "a"]
    assert told(questions, whole[:cut], whole[cut:]) == expected
    assert questions.asked == 6


def test_an_event_out_of_order_does_not_ask_again():
    """Files are nearly in order: a late event belongs to a day that was asked for."""
    questions = Questions(EVENT, AskedAt.parse("1d"), 4)
    assert told(questions, frame((0.5, "a"), (1.5, "a"), (0.7, "b"), (1.6, "b"))) == ["a", "a@1", "a", "b", "b"]


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("1970-01-02T12:00", ["a", "a@1.5", "b"]),
        ("1970-01-05", ["a", "b", "a@4", "b@4"]),
        ("1970-01-01", ["a", "b"]),
    ],
    ids=["between events", "after the last one", "before the first one"],
)
def test_a_date_is_asked_for_once(date: str, expected: list[str]):
    """Nobody was there before the first event; after the last one everybody is."""
    assert told(Questions(EVENT, AskedAt.parse(date), 4), frame((0.5, "a"), (3.5, "b"))) == expected


def test_questions_are_keyed_as_events_and_have_ids_that_fit():
    """A question of an entity has to come to the partition where its state is."""
    long = "x" * 128
    questions = Questions(EVENT, AskedAt.parse("1970-01-03"), 8)
    events = list(questions.between(frame((0.5, "a"), (0.6, long))))
    asked = questions.at_end()
    assert asked is not None
    assert asked.keys == [b"a", long.encode()]
    np.testing.assert_array_equal(asked.partitions, events[0].partitions)
    first, second = (msgspec.json.decode(value, type=AsOf) for value in asked.values)
    assert (first.entity, first.event_id) == ("a", "as-of:1970-01-03T00:00:00+00:00:a")
    assert len(second.event_id) <= 128


@pytest.mark.parametrize("text", ["1w", "0d", "soon", "2026-13-01", ""])
def test_what_is_no_period_and_no_date_is_refused_with_what_is_expected(text: str):
    """Whoever mistypes it reads an example."""
    with pytest.raises(ValueError, match="expected a period such as 1d or 12h, or a date"):
        AskedAt.parse(text)
