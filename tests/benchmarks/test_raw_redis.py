"""Redis on one bare socket: replies in order, errors raised, a closed connection noticed."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import hiredis
import pytest

from benchmarks.raw_redis import RawRedis


@contextmanager
def server(*replies: bytes) -> Iterator[str]:
    """One that gives these replies, one after another whatever it is asked, and then closes."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(1 << 16)
            for reply in replies:
                connection.sendall(reply)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"redis://127.0.0.1:{listener.getsockname()[1]}/0"
    finally:
        thread.join()
        listener.close()


def test_replies_come_in_order_however_they_are_cut() -> None:
    """A reply of a megabyte arrives in many pieces."""
    with server(b"*2\r\n$3\r\none\r\n$", b"-1\r\n+OK", b"\r\n") as url, RawRedis(url) as redis:
        assert redis.call([("MGET", "a", "b"), ("SET", "a", b"1")]) == [[b"one", None], b"OK"]


def test_an_error_and_a_closed_connection_are_raised() -> None:
    """A server that refuses is fast, and its speed no figure."""
    with (
        server(b"+OK\r\n-OOM command not allowed\r\n") as url,
        RawRedis(url) as redis,
        pytest.raises(hiredis.ReplyError, match="OOM"),
    ):
        redis.call([("SET", "a", b"1"), ("SET", "b", b"1")])
    with server(b"+OK\r\n") as url, RawRedis(url) as redis, pytest.raises(ConnectionError):
        redis.call([("SET", "a", b"1"), ("SET", "b", b"1")])
