"""Whether Redis, or each server of a Redis Cluster, is fit to keep state."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import redis
from redis.cluster import RedisCluster
from redis.exceptions import RedisClusterException, RedisError, ResponseError

from scoring.clock import now_ms
from scoring.store.address import RedisAddress
from scoring.store.redis import OLDEST_VERSION
from stream.doctor.clocks import Reading, reading_of
from stream.doctor.finding import Finding, Level, fine, judged

AREA = "redis"
ANSWER_WITHIN_S = 5.0
READINGS = 3
FULL, NEARLY_FULL = 0.95, 0.8
MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class RedisFacts:
    """One server: its INFO, its snapshot setting (None when it may not be asked), and readings of its clock."""

    name: str
    information: Mapping[str, Any]
    snapshots: str | None
    clock: tuple[Reading, ...] = ()


class RedisUnreachable(Exception):
    """No server answers, or it lets nobody in."""


def examine_redis(address: RedisAddress) -> list[RedisFacts]:
    """Asks the server, or every primary of the cluster.

    Raises:
        RedisUnreachable: as it says.
    """
    try:
        with _servers(address) as servers:
            return [_facts(name, server) for name, server in servers.items()]
    except (RedisError, RedisClusterException) as error:
        raise RedisUnreachable(str(error)) from None


def judge_redis(facts: RedisFacts, *, cluster: bool) -> list[Finding]:
    """Findings on one server."""
    return [
        _version(facts),
        _kind(facts, cluster=cluster),
        _policy(facts),
        *_persistence(facts),
        _memory(facts),
    ]


def _version(facts: RedisFacts) -> Finding:
    told = facts.information
    said = str(told["redis_version"])
    named = f"version {said}" + (f" (Valkey {told['valkey_version']})" if "valkey_version" in told else "")
    needed = ".".join(map(str, OLDEST_VERSION))
    good = tuple(int(part) for part in said.split(".")[:2]) >= OLDEST_VERSION
    finding = fine(AREA, facts.name, named, f"{needed} or later")
    return judged("ok" if good else "error", finding, do=f"upgrade to Redis {needed}, or to Valkey")


def _kind(facts: RedisFacts, *, cluster: bool) -> Finding:
    clustered = bool(facts.information.get("cluster_enabled"))
    found, expected = ("a Redis Cluster" if is_one else "a single server" for is_one in (clustered, cluster))
    role = facts.information.get("role", "master")
    if role != "master":
        finding = fine(AREA, facts.name, "a replica, which cannot be written", "a primary")
        return judged("error", finding, do="name the primary in RISKSTREAM_REDIS_URL")
    finding = fine(AREA, facts.name, found, f"{expected}, as set")
    do = f"RISKSTREAM_REDIS_CLUSTER={'true' if clustered else 'false'}"
    return judged("ok" if clustered == cluster else "error", finding, do=do)


def _policy(facts: RedisFacts) -> Finding:
    policy = facts.information.get("maxmemory_policy", "unknown")
    finding = fine(
        AREA, facts.name, f"maxmemory-policy {policy}", "noeviction, so that no state is thrown away"
    )
    level: Level = "ok" if policy == "noeviction" else "error"
    return judged(level, finding, do="CONFIG SET maxmemory-policy noeviction, and in its configuration file")


def _persistence(facts: RedisFacts) -> list[Finding]:
    told = facts.information
    findings = []
    appends = bool(told.get("aof_enabled"))
    if appends or facts.snapshots:
        found = "appendonly yes" if appends else f"save {facts.snapshots}"
        findings.append(fine(AREA, facts.name, found, "appendonly or save"))
    else:
        asked = "off" if facts.snapshots == "" else "not to be asked for (CONFIG GET refused)"
        finding = fine(AREA, facts.name, f"appendonly no, save {asked}", "one of them")
        do = "CONFIG SET appendonly yes; without it a restart of Redis makes the workers fold the log again"
        findings.append(judged("warning", finding, do=do))
    for what in ("aof_last_write_status", "rdb_last_bgsave_status"):
        if told.get(what, "ok") != "ok":
            finding = fine(AREA, facts.name, f"{what} {told[what]}", "ok")
            findings.append(
                judged("error", finding, do="look at its log and its disk; it may refuse to write")
            )
    return findings


def _memory(facts: RedisFacts) -> Finding:
    told = facts.information
    used, most = int(told["used_memory"]), int(told.get("maxmemory") or 0)
    limit, named = (most, "maxmemory") if most else (int(told.get("total_system_memory") or 0), "the machine")
    share = used / limit if limit else 0.0
    found = (
        f"{used // MEGABYTE} MB of {limit // MEGABYTE} MB ({named})" if limit else f"{used // MEGABYTE} MB"
    )
    level: Level = "error" if share >= FULL else "warning" if share >= NEARLY_FULL else "ok"
    finding = fine(AREA, facts.name, f"memory: {found}", f"below {NEARLY_FULL:.0%}: when full, workers wait")
    return judged(level, finding, do="give it more memory (maxmemory), or more servers by Redis Cluster")


def _facts(name: str, server: "redis.Redis") -> RedisFacts:
    information: dict[str, Any] = server.info()
    try:
        configured: dict[str, str] = server.config_get("save")  # type: ignore[assignment]
        snapshots: str | None = configured.get("save", "")
    except ResponseError:  # hosted servers often keep CONFIG to themselves
        snapshots = None
    return RedisFacts(name, information, snapshots, tuple(_clock(server) for _ in range(READINGS)))


def _clock(server: "redis.Redis") -> Reading:
    asked_ms = now_ms()
    seconds, microseconds = server.time()
    return reading_of(asked_ms, int(seconds) * 1_000 + int(microseconds) // 1_000, now_ms())


@contextmanager
def _servers(address: RedisAddress) -> Iterator[dict[str, "redis.Redis"]]:
    trusted = {"ssl_ca_certs": str(address.ca_file)} if address.ca_file else {}
    arguments: dict[str, Any] = {
        "host": address.host,
        "port": address.port,
        "username": address.user,
        "password": address.password,
        "ssl": address.encrypted,
        "socket_timeout": ANSWER_WITHIN_S,
        "socket_connect_timeout": ANSWER_WITHIN_S,
        **trusted,
    }
    if not address.cluster:
        with redis.Redis(db=address.database, decode_responses=True, **arguments) as server:
            yield {str(address): server}
        return
    with RedisCluster(decode_responses=True, **arguments) as cluster:
        yield {node.name: cluster.get_redis_connection(node) for node in cluster.get_primaries()}
