"""Records of any topic are told apart, chosen and shown; nothing in them can break the reader."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.subscribe.message import Wanted, read
from stream.subscribe.table import header, row
from stream.subscribe.topic import Record, parse_start


def message(content: object = None, *, value: bytes | None = None, key: bytes | None = b"K"):
    raw = value if value is not None else json.dumps(content).encode()
    return read(Record("topic", 1, 42, 0, key, raw))


SCORE = {
    "score_id": "s",
    "scorer": "payment_anomaly",
    "event_id": "e",
    "entity": "A",
    "value": 0.98,
    "level": "watch",
    "occurred_at_ms": 1_522_540_831_000,
    "reasons": ["AMOUNT_HIGH"],
    "flags": ["cold"],
    "shadow": True,
}
ALERT = {
    "alert_id": "a",
    "entity": "A",
    "value": 0.99,
    "scorer": "s",
    "explanation": "12 times the usual amount",
}
DEAD = {
    "dead_letter_id": "d", "reason": "NOT_FINITE", "path": "$.amount", "detail": "expected a finite number",
    "source": {"topic": "transactions", "partition": 2, "offset": 7},
}  # fmt: skip


def test_a_score_is_one_line_with_its_level_its_entity_and_why():
    """The table is read at a glance: what, how bad, who, why."""
    line = row(message(SCORE)).plain
    assert line.split() == [
        "2018-04-01", "00:00:31.000", "watch", "0.980000", "payment_anomaly", "A", "e",
        "AMOUNT_HIGH", "(cold,", "shadow)",
    ]  # fmt: skip


def test_alerts_dead_letters_events_and_rubbish_each_have_their_line():
    """The kind is told by the record, so that topics of other names are read alike."""
    assert "12 times the usual amount" in row(message(ALERT)).plain
    assert row(message(DEAD)).plain.split()[:3] == ["transactions/2/7", "NOT_FINITE", "$.amount"]
    assert "amount=5" in row(message({"event_id": "e", "amount": 5})).plain
    assert "topic/1/42" in row(message(value=b"\xff\x00")).plain
    assert message(value=b"[1]").kind == message(value=b"").kind == "unreadable"


def test_text_from_a_record_cannot_steer_the_terminal():
    """An attacker chooses the merchant's name; it must not clear the screen of the analyst."""
    line = row(message({"event_id": "\x1b[2J\x07[bold]", "entity": "\u202eabc"})).plain
    assert "\x1b" not in line and "\x07" not in line and "\u202e" not in line
    assert "[bold]" in line


@given(
    st.binary(max_size=80)
    | st.dictionaries(st.text(max_size=5), st.integers() | st.text(), max_size=5).map(
        lambda content: json.dumps(content | {"score_id": 1, "level": 3, "occurred_at_ms": 2**62}).encode()
    )
)
def test_whatever_the_bytes_a_line_comes_out(value):
    """A topic can hold anything; reading it must not end the reading."""
    found = message(value=value, key=None)
    assert header(found.kind).plain
    assert "\n" not in row(found).plain
    assert isinstance(json.loads(found.line()), dict)


def test_records_are_chosen_by_level_and_entity():
    """`watch` means watch and worse; alerts are always of level alert."""
    none, watch, alert = message(SCORE | {"level": "none"}), message(SCORE), message(ALERT)
    assert [Wanted(min_level="watch")(each) for each in (none, watch, alert)] == [False, True, True]
    assert [Wanted(min_level="alert")(each) for each in (none, watch, alert)] == [False, False, True]
    assert Wanted(min_level="none")(none) and not Wanted(min_level="none")(message({"event_id": "e"}))
    assert Wanted(entity="A")(watch) and not Wanted(entity="B")(watch)
    assert Wanted(entity="K")(message({"event_id": "e"})), "events have no entity field: the key counts"


def test_a_json_line_is_the_record_itself_and_always_one_line():
    """Programs read line by line; a pretty-printed record of another producer must not break that."""
    assert message(value=b'{"a": 1.50}').line() == b'{"a": 1.50}'
    assert message(value=b'{\n "a": 1\n}').line() == b'{"a":1}'
    assert json.loads(message(value=b"\xff").line()) == {
        "unreadable_base64": "/w==", "topic": "topic", "partition": 1, "offset": 42,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "kind", "time_ms"),
    [
        ("earliest", "earliest", 0),
        ("latest", "latest", 0),
        ("1704067200000", "time", 1_704_067_200_000),
        ("2024-01-01", "time", 1_704_067_200_000),
        ("2024-01-01T01:00+01:00", "time", 1_704_067_200_000),
    ],
)
def test_a_start_is_a_word_or_a_time(text, kind, time_ms):
    """A time without a zone is UTC, on every machine."""
    assert (parse_start(text).kind, parse_start(text).time_ms) == (kind, time_ms)


def test_another_start_is_refused_with_an_example():
    """The message is the documentation."""
    with pytest.raises(ValueError, match=r"yesterday.*earliest, latest"):
        parse_start("yesterday")
