"""A Redis Cluster of three servers: for the tests of what only a cluster does, and in place of one server."""

import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from stream.services.embedded import EmbeddedServices
from stream.services.ports import LOOPBACK, free_ports
from stream.services.redis import EmbeddedRedis

SLOTS = 16_384
READY_WITHIN_S = 30.0


@contextmanager
def redis_cluster(folder: Path, *, servers: int = 3) -> Iterator[list[EmbeddedRedis]]:
    """The servers, each owner of its share of the slots; stopped at the end."""
    members, buses = _members(folder, servers, append_only=False)
    try:
        _start(members)
        _share_out(members, buses)
        _wait_for_cluster(members)
        yield members
    finally:
        for member in members:
            member.stop()


class ClusterAsOne(EmbeddedRedis):
    """Three servers that are started, killed and restarted together, as if they were one; the first has the address."""

    def __init__(self, folder: Path, *, servers: int = 3) -> None:
        members, self._buses = _members(folder, servers, append_only=True)
        first, *self._others = members
        super().__init__(first.folder, port=first.port, extra=first.extra)
        self._shared_out = False

    def start(self) -> None:
        """See `Service.start`."""
        super().start()
        for other in self._others:
            other.start()

    def wait_ready(self, *, within_seconds: float = READY_WITHIN_S) -> None:
        """See `Service.wait_ready`; all slots are served."""
        super().wait_ready(within_seconds=within_seconds)
        for other in self._others:
            other.wait_ready(within_seconds=within_seconds)
        members = [self, *self._others]
        if not self._shared_out:
            _share_out(members, self._buses)
        self._shared_out = True
        _wait_for_cluster(members)

    def stop(self) -> None:
        """See `Service.stop`."""
        super().stop()
        for other in self._others:
            other.stop()

    def kill(self) -> None:
        """See `Service.kill`."""
        super().kill()
        for other in self._others:
            other.kill()


class ClusterServices(EmbeddedServices):
    """Kafka, and a Redis Cluster in place of one server."""

    def __init__(self, data_dir: Path) -> None:
        super().__init__(data_dir)
        self.redis = ClusterAsOne(self.data_dir / "redis")


def _members(folder: Path, servers: int, *, append_only: bool) -> tuple[list[EmbeddedRedis], list[int]]:
    # The bus port is given because its default, the port plus 10,000, may lie past the last port.
    ports = free_ports(2 * servers)
    buses = ports[servers:]
    members = [
        EmbeddedRedis(
            folder / str(number), port=port, append_only=append_only,
            extra=("--cluster-enabled", "yes", "--cluster-port", str(bus)),
        )
        for number, (port, bus) in enumerate(zip(ports, buses, strict=False))
    ]  # fmt: skip
    return members, buses


def _start(members: Sequence[EmbeddedRedis]) -> None:
    for member in members:
        member.start()
    for member in members:
        member.wait_ready()


def _share_out(members: Sequence[EmbeddedRedis], buses: Sequence[int]) -> None:
    share = -(-SLOTS // len(members))
    for number, member in enumerate(members):
        last = min((number + 1) * share, SLOTS) - 1
        tell(member, f"CLUSTER ADDSLOTSRANGE {number * share} {last}")
        tell(members[0], f"CLUSTER MEET {LOOPBACK} {member.port} {buses[number]}")


def _wait_for_cluster(members: Sequence[EmbeddedRedis]) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while not all("cluster_state:ok" in tell(member, "CLUSTER INFO") for member in members):
        assert time.monotonic() < deadline, "the cluster did not come up"
        time.sleep(0.05)


def tell(server: EmbeddedRedis, command: str) -> str:
    """The reply to one command typed as text, as it comes over the wire."""
    with socket.create_connection((LOOPBACK, server.port), timeout=5.0) as connection:
        connection.sendall(f"{command}\r\n".encode())
        return connection.recv(65_536).decode()
