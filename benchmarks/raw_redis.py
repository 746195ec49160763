"""Redis by hiredis on one socket, with nothing in between: the least that a Python client can do."""

import socket
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import hiredis

RECEIVE_BYTES = 1 << 20
PATIENCE_S = 60.0
Command = tuple[str | bytes | int, ...]


class RawRedis:
    """One connection to a server without password; a context manager.

    Args:
        url: `redis://host:port/0`.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._socket = socket.create_connection((parts.hostname or "", parts.port or 6379), timeout=PATIENCE_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._reader = hiredis.Reader()

    def __enter__(self) -> "RawRedis":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def call(self, commands: Sequence[Command]) -> list[Any]:
        """The replies, sent in one go.

        Raises:
            hiredis.ReplyError: one of them is an error.
            OSError: the server is away.
        """
        self._socket.sendall(b"".join(map(hiredis.pack_command, commands)))  # type: ignore[arg-type]
        replies: list[Any] = []
        while len(replies) < len(commands):
            reply = self._reader.gets()
            if reply is False:
                received = self._socket.recv(RECEIVE_BYTES)
                if not received:
                    raise ConnectionError("Redis closed the connection")
                self._reader.feed(received)
            elif isinstance(reply, hiredis.ReplyError):
                raise reply
            else:
                replies.append(reply)
        return replies
