"""JSON of many values by one call, found again value by value."""

import base64

import msgspec
import numpy as np
from hiredis import pack_command
from hypothesis import given
from hypothesis import strategies as st

from scoring.store.commands import pack_commands
from scoring.wire.packed import pack, pack_json
from scoring.wire.scores import Rows, Template, write_scores


@given(st.lists(st.text()))
def test_texts_with_quotes_commas_and_backslashes_are_found_one_by_one(texts):
    """Ids come from strangers: whatever is in them, each stays itself."""
    packed = pack_json(texts)
    assert [packed.one(place) for place in range(len(texts))] == [msgspec.json.encode(text) for text in texts]


@given(st.lists(st.floats(allow_infinity=False)))
def test_numbers_are_found_one_by_one(numbers):
    """The text of a score is the shortest that reads back as the same number; a missing one is null."""
    packed = pack_json(numbers)
    assert [packed.one(place) for place in range(len(numbers))] == [
        msgspec.json.encode(number) for number in numbers
    ]


@given(st.lists(st.lists(st.one_of(st.text(), st.binary(), st.integers()), min_size=1)), st.integers(8_190, 8_194))
def test_commands_are_packed_as_the_library_packs_them(commands, large):
    """The library takes twenty times as long; the bytes are the same, around the longest known head too."""
    commands = [tuple(command) for command in [*commands, [b"x" * large, "y" * large]]]
    assert pack_commands(commands) == b"".join(map(pack_command, commands))


@given(st.lists(st.binary()))
def test_packed_strings_are_what_was_packed(strings):
    """Empty ones included."""
    packed = pack(strings)
    assert [packed.one(place) for place in range(len(strings))] == strings


@given(
    st.integers(0, 40).flatmap(lambda width: st.lists(st.binary(min_size=width, max_size=width), min_size=1))
)
def test_base64_equals_the_standard_library_for_every_padding(rows):
    """One loop for all rows must not change one character."""
    vectors = np.frombuffer(b"".join(rows), np.uint8).reshape(len(rows), -1).copy()
    n = len(rows)
    nothing, zeros = pack_json([""] * n), np.zeros(n, np.int64)
    given = Rows(
        event_id=nothing, value=nothing, entity=pack([b""]), entity_of=zeros, partition=zeros, offset=zeros, time=zeros,
        id_hash=np.zeros(n, np.uint64), depth=np.zeros(n, np.int32), level=np.zeros(n, np.uint8),
        flags=np.zeros(n, np.uint8), vectors=vectors, explained=pack([]), explanation=np.full(n, -1),
    )  # fmt: skip
    template = Template(pack([b""] * 7 + [b">"]), pack([b"<"]), pack([b""]), pack([b""]))
    _, bodies = write_scores(template, given, np.arange(n))
    for row in range(n):
        body = bodies.one(row)
        assert body[body.index(b"<") + 1 : body.index(b">")] == base64.b64encode(rows[row])
