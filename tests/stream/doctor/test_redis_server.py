"""The doctor's judgement of Redis: what would lose state, or stop the workers, is found before it happens."""

from typing import Any

import pytest

from stream.doctor.redis_server import RedisFacts, judge_redis

GOOD: dict[str, Any] = {
    "redis_version": "7.2.4",
    "cluster_enabled": 0,
    "role": "master",
    "maxmemory_policy": "noeviction",
    "maxmemory": 1_000_000_000,
    "used_memory": 1_000_000,
    "aof_enabled": 1,
    "aof_last_write_status": "ok",
    "rdb_last_bgsave_status": "ok",
}


def wrong(snapshots: str | None = "", *, cluster: bool = False, **changed: Any) -> list[tuple[str, str]]:
    facts = RedisFacts("one", GOOD | changed, snapshots)
    return [(one.level, one.do) for one in judge_redis(facts, cluster=cluster) if one.level != "ok"]


def test_a_durable_server_that_never_evicts_is_good() -> None:
    """Redis and Valkey report a version of the old numbering; both must pass."""
    assert wrong() == []
    assert wrong(valkey_version="9.1.2") == []
    assert wrong("3600 1", aof_enabled=0) == []


@pytest.mark.parametrize(
    ("changed", "level", "remedy"),
    [
        ({"redis_version": "6.2.14"}, "error", "7.0"),
        ({"maxmemory_policy": "allkeys-lru"}, "error", "noeviction"),
        ({"aof_enabled": 0}, "warning", "appendonly yes"),
        ({"aof_last_write_status": "err"}, "error", "disk"),
        ({"rdb_last_bgsave_status": "err"}, "error", "disk"),
        ({"used_memory": 850_000_000}, "warning", "maxmemory"),
        ({"used_memory": 990_000_000}, "error", "maxmemory"),
        ({"role": "slave"}, "error", "primary"),
        ({"cluster_enabled": 1}, "error", "RISKSTREAM_REDIS_CLUSTER=true"),
        ({"cluster": True}, "error", "RISKSTREAM_REDIS_CLUSTER=false"),
    ],
)
def test_each_danger_to_the_state_is_found_with_its_remedy(changed, level, remedy) -> None:
    """Each of these would otherwise show up as a worker that waits, ends, or folds a month of log again."""
    found = wrong(**changed)
    assert [one[0] for one in found] == [level]
    assert remedy in found[0][1]


def test_persistence_that_may_not_be_asked_for_is_a_warning_and_no_failure() -> None:
    """Hosted servers refuse CONFIG GET; the rest of the examination is still worth having."""
    assert [level for level, _ in wrong(None, aof_enabled=0)] == ["warning"]
