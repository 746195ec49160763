"""Workers on a Redis Cluster of three: a kill, a slot that moves under load, and a server that is replaced."""

import time
from pathlib import Path

import pytest

from scoring.store.contract import Partition
from scoring.store.keys import control_key
from stream.services.ports import LOOPBACK, free_ports
from stream.services.redis import EmbeddedRedis
from tests.long.conftest import MakeHouse, check_books
from tests.support.redis_cluster import redis_cluster, tell
from tests.torture.house import NAMESPACE

PAYMENTS = Partition("transactions", 0)
PROMOTED_WITHIN_S = 60.0


def name_of(server: EmbeddedRedis) -> str:
    """The cluster's name of a server."""
    return tell(server, "CLUSTER MYID").split("\r\n")[1]


def owner_of(servers: list[EmbeddedRedis], key: str) -> EmbeddedRedis:
    """Which server has the key."""
    return next(server for server in servers if tell(server, f"EXISTS {key}").startswith(":"))


def move_slot(servers: list[EmbeddedRedis], key: str) -> None:
    """Moves the slot of a key to another server, key by key, as `redis-cli --cluster reshard` does."""
    source = owner_of(servers, key)
    target = next(server for server in servers if server is not source)
    slot = int(tell(source, f"CLUSTER KEYSLOT {key}")[1:])
    tell(target, f"CLUSTER SETSLOT {slot} IMPORTING {name_of(source)}")
    tell(source, f"CLUSTER SETSLOT {slot} MIGRATING {name_of(target)}")
    while (keys := tell(source, f"CLUSTER GETKEYSINSLOT {slot} 20")).startswith("*") and keys != "*0\r\n":
        for name in keys.split("\r\n")[2::2]:
            tell(source, f'MIGRATE {LOOPBACK} {target.port} "{name}" 0 2000')
    for server in (target, source, *servers):
        tell(server, f"CLUSTER SETSLOT {slot} NODE {name_of(target)}")


def add_replica(folder: Path, of: EmbeddedRedis) -> EmbeddedRedis:
    """A server that takes the place of another when that one is gone."""
    port, bus = free_ports(2)
    replica = EmbeddedRedis(
        folder, port=port, append_only=False, extra=("--cluster-enabled", "yes", "--cluster-port", str(bus))
    )
    replica.start()
    replica.wait_ready()
    tell(of, f"CLUSTER MEET {LOOPBACK} {port} {bus}")
    deadline = time.monotonic() + PROMOTED_WITHIN_S
    while "+OK" not in tell(replica, f"CLUSTER REPLICATE {name_of(of)}"):
        assert time.monotonic() < deadline, "the replica does not find its master"
        time.sleep(0.1)
    while "master_link_status:up" not in tell(replica, "INFO replication"):
        assert time.monotonic() < deadline, "the replica does not come up"
        time.sleep(0.1)
    return replica


@pytest.mark.timeout(600)
def test_a_kill_a_slot_on_the_move_and_a_failover(make_house: MakeHouse, tmp_path: Path) -> None:
    """What is promised of one server holds of three; writes that a failover loses are scored again from the log."""
    with redis_cluster(tmp_path / "cluster") as servers:
        house = make_house(32, cluster=servers)
        house.workers["one"].kill()
        assert house.wait_well() < 60
        move_slot(servers, control_key(NAMESPACE, PAYMENTS))
        assert house.wait_well() < 60
        victim = owner_of(servers, control_key(NAMESPACE, PAYMENTS))
        replica = add_replica(tmp_path / "replica", victim)
        try:
            house.cluster[:] = [replica, *(server for server in servers if server is not victim)]
            victim.kill()
            deadline = time.monotonic() + PROMOTED_WITHIN_S
            while "role:master" not in tell(replica, "INFO replication"):
                assert time.monotonic() < deadline, "the replica was not promoted"
                time.sleep(0.2)
            check_books(house)
        finally:
            replica.stop()
