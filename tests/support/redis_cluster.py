"""A Redis Cluster of three servers, for the tests of what only a cluster does."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stream.services.ports import LOOPBACK, free_ports
from stream.services.redis import EmbeddedRedis

SLOTS = 16_384
READY_WITHIN_S = 30.0


@contextmanager
def redis_cluster(folder: Path, *, servers: int = 3) -> Iterator[list[EmbeddedRedis]]:
    """The servers, each owner of its share of the slots; stopped at the end."""
    # The bus port is given because its default, the port plus 10,000, may lie past the last port.
    ports = free_ports(2 * servers)
    buses = ports[servers:]
    members = [
        EmbeddedRedis(
            folder / str(number),
            port=ports[number],
            append_only=False,
            extra=("--cluster-enabled", "yes", "--cluster-port", str(buses[number])),
        )
        for number in range(servers)
    ]
    try:
        for member in members:
            member.start()
        for member in members:
            member.wait_ready()
        share = -(-SLOTS // servers)
        for number, member in enumerate(members):
            last = min((number + 1) * share, SLOTS) - 1
            tell(member, f"CLUSTER ADDSLOTSRANGE {number * share} {last}")
            tell(members[0], f"CLUSTER MEET {LOOPBACK} {member.port} {buses[number]}")
        deadline = time.monotonic() + READY_WITHIN_S
        while not all("cluster_state:ok" in tell(member, "CLUSTER INFO") for member in members):
            assert time.monotonic() < deadline, "the cluster did not come up"
            time.sleep(0.05)
        yield members
    finally:
        for member in members:
            member.stop()


def tell(server: EmbeddedRedis, command: str) -> str:
    """The reply to one command typed as text, as it comes over the wire."""
    with socket.create_connection((LOOPBACK, server.port), timeout=5.0) as connection:
        connection.sendall(f"{command}\r\n".encode())
        return connection.recv(65_536).decode()
