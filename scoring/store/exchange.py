"""Commands to a Redis server and their replies; what several callers ask in the same turn of the loop travels together.

A worker asks for each of its partitions by itself. Of small polls a write to the socket and what wakes up behind it cost
more than the commands: four reads and four commits took eight, and now take two.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any

from redis.asyncio import Connection
from redis.exceptions import ResponseError

from scoring.store.commands import Command, pack_commands

MOST_TOGETHER = 64 * 1024
"""Bytes of commands that travel together; what is more has a connection of its own, whose replies are read meanwhile."""

Connect = Callable[[str], AbstractAsyncContextManager[Connection]]


@dataclass(eq=False)
class _Asked:
    """What waits to be sent: bytes, and for each caller the number of its commands and who waits for the replies."""

    size: int = 0
    packed: list[bytes] = field(default_factory=list)
    callers: list[tuple[int, "asyncio.Future[list[Any]]"]] = field(default_factory=list)


class Exchanges:
    """Sends commands, one caller's always next to each other, and gives each caller its replies.

    Args:
        connect: a connection to the server of a key.
        home: the name of that server.
    """

    def __init__(self, connect: Connect, home: Callable[[str], str]) -> None:
        self._connect, self._home = connect, home
        self._asked: dict[str, _Asked] = {}
        self._sending: set[asyncio.Task[None]] = set()

    async def ask(self, key: str, commands: Sequence[Command]) -> list[Any]:
        """The replies to all commands, from the server of that key.

        Raises:
            ResponseError: the first of the replies that is an error, after all were read.
            redis.exceptions.RedisError, OSError: the connection failed; what was sent may have been done.
        """
        packed = pack_commands(commands)
        home, size = self._home(key), len(packed)
        asked = self._asked.get(home)
        if asked is None or asked.size + size > MOST_TOGETHER:
            asked = self._asked[home] = _Asked()
            task = asyncio.create_task(self._send(home, key, asked))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)
        asked.size += size
        asked.packed.append(packed)
        replies: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()
        asked.callers.append((len(commands), replies))
        return checked(await replies)

    async def _send(self, home: str, key: str, asked: _Asked) -> None:
        if self._asked.get(home) is asked:
            del self._asked[home]
        try:
            async with self._connect(key) as connection:
                await connection.send_packed_command(asked.packed, check_health=False)
                for count, caller in asked.callers:
                    replies = [await _reply(connection) for _ in range(count)]
                    if not caller.done():  # who was cancelled waits no more
                        caller.set_result(replies)
        except BaseException as error:
            for _, caller in asked.callers:
                if not caller.done():
                    caller.set_exception(error)
            if not isinstance(error, Exception):
                raise


async def exchange(connection: Connection, commands: Sequence[Command]) -> list[Any]:
    """The replies to all commands on one connection, sent in one go; raises as `Exchanges.ask`."""
    await connection.send_packed_command([pack_commands(commands)], check_health=False)
    return checked([await _reply(connection) for _ in commands])


def checked(replies: list[Any]) -> list[Any]:
    """The replies, when none of them is an error, nor a part of one.

    Raises:
        ResponseError: the first that is.
    """
    for reply in replies:
        if isinstance(reply, ResponseError):
            raise reply
        for part in reply[:2] if isinstance(reply, list) else ():
            if isinstance(part, ResponseError):
                raise part
    return replies


async def _reply(connection: Connection) -> Any:
    try:
        return await connection.read_response()
    except ResponseError as error:
        return error
