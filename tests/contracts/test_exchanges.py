"""Commands that travel together: each caller has its own replies and its own errors, whatever happens to the others."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from redis.exceptions import ConnectionError, ResponseError

from scoring.store.commands import pack_commands
from scoring.store.exchange import MOST_TOGETHER, Exchanges


class Line:
    """A connection whose server answers each command with its second word; `!` is answered with an error."""

    def __init__(self, log: "Log") -> None:
        self._log, self._replies = log, []

    async def send_packed_command(self, packed: list[bytes], *, check_health: bool) -> None:
        assert not check_health
        await asyncio.sleep(0)
        commands = b"".join(packed).split(b"*2\r\n")[1:]
        self._log.writes.append(len(commands))
        self._replies = [command.split(b"\r\n")[3] for command in commands]

    async def read_response(self) -> bytes:
        await asyncio.sleep(0)
        if self._log.broken_after == 0:
            raise ConnectionError("cut")
        self._log.broken_after -= 1
        reply = self._replies.pop(0)
        if reply == b"!":
            raise ResponseError("no")
        return reply


class Log:
    """What was written, command counts by write; `broken_after` replies no more come."""

    def __init__(self, broken_after: int = 10**9) -> None:
        self.writes: list[int] = []
        self.broken_after = broken_after

    @asynccontextmanager
    async def connect(self, _: str) -> AsyncIterator[Line]:
        yield Line(self)


def said(*words: str) -> list[tuple[str, str]]:
    """A command for each word."""
    return [("ECHO", word) for word in words]


async def ask(log: Log, *asked: tuple[str, list[tuple[str, str]]]) -> list[object]:
    """What each caller gets, in their order; callers are a key and commands."""
    exchanges = Exchanges(log.connect, lambda key: key[0])
    return await asyncio.gather(*(exchanges.ask(*each) for each in asked), return_exceptions=True)


def test_callers_of_one_turn_share_a_write_and_each_has_its_own_replies():
    """Four partitions, one write; a server of its own has a write of its own."""
    log = Log()
    found = asyncio.run(ask(log, ("a1", said("1", "2")), ("b1", said("3")), ("a2", said("4"))))
    assert found == [[b"1", b"2"], [b"3"], [b"4"]]
    assert sorted(log.writes) == [1, 3]


def test_an_error_is_told_to_who_asked_and_to_nobody_else():
    """One partition whose lease is gone does not take the others down."""
    first, second, third = asyncio.run(ask(Log(), ("a", said("1")), ("a", said("!", "2")), ("a", said("3"))))
    assert isinstance(second, ResponseError)
    assert (first, third) == ([b"1"], [b"3"])


def test_a_connection_that_breaks_fails_all_who_have_no_answer_yet():
    """What was answered is known; of the rest nobody knows, and each must find out."""
    asked = (("a", said("1", "2")), ("a", said("3")), ("a", said("4")))
    first, second, third = asyncio.run(ask(Log(broken_after=2), *asked))
    assert first == [b"1", b"2"]
    assert isinstance(second, ConnectionError)
    assert isinstance(third, ConnectionError)


def test_many_bytes_do_not_wait_for_each_other():
    """Large polls are read while others are being sent."""
    size = len(pack_commands([("ECHO", "x" * (MOST_TOGETHER // 2))]))
    assert MOST_TOGETHER // 2 < size < MOST_TOGETHER
    log = Log()
    large = said("x" * (MOST_TOGETHER // 2))
    found = asyncio.run(ask(log, ("a", large), ("a", large), ("a", said("1"))))
    assert [len(replies) for replies in found] == [1, 1, 1]
    assert sorted(log.writes) == [1, 2]


def test_who_is_cancelled_leaves_the_replies_of_the_others_in_their_places():
    """A worker that drops its leases cancels; the connection still brings what was asked."""

    async def one_is_cancelled() -> tuple[object, object]:
        exchanges = Exchanges(Log().connect, lambda key: key)
        asked = [asyncio.create_task(exchanges.ask("a", said(word))) for word in ("1", "2", "3")]
        await asyncio.sleep(0)
        asked[1].cancel()
        first, second, third = await asyncio.gather(*asked, return_exceptions=True)
        assert isinstance(second, asyncio.CancelledError)
        return first, third

    assert asyncio.run(one_is_cancelled()) == ([b"1"], [b"3"])


@pytest.mark.parametrize("words", [("1",), ("1", "2")])
def test_who_asks_later_goes_with_the_next_write(words):
    """Nothing is added to what is on its way."""

    async def one_after_another() -> list[int]:
        log = Log()
        exchanges = Exchanges(log.connect, lambda key: key)
        for word in words:
            await exchanges.ask("a", said(word))
        return log.writes

    assert asyncio.run(one_after_another()) == [1] * len(words)
