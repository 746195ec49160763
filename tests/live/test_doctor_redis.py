"""The doctor at real Redis servers: one, a cluster of three, and one that is told to be what it is not."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from scoring.store.address import RedisAddress
from stream.doctor.clocks import judge_clock
from stream.doctor.redis_server import RedisUnreachable, examine_redis, judge_redis
from stream.services.redis import EmbeddedRedis
from tests.support.redis_cluster import redis_cluster


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[EmbeddedRedis]]:
    """Three servers that share the slots and write nothing to disk."""
    with redis_cluster(tmp_path_factory.mktemp("cluster")) as servers:
        yield servers


@pytest.fixture
def single(tmp_path: Path) -> Iterator[EmbeddedRedis]:
    """A server of its own."""
    server = EmbeddedRedis(tmp_path / "redis")
    server.start()
    server.wait_ready()
    yield server
    server.stop()


def test_every_server_of_a_cluster_is_examined(cluster: list[EmbeddedRedis]) -> None:
    """State lies on all of them: one that evicts, or is full, is enough to lose some."""
    facts = examine_redis(RedisAddress(cluster[0].url, cluster=True))
    assert {one.name.rpartition(":")[2] for one in facts} == {str(server.port) for server in cluster}
    for one in facts:
        wrong = [finding for finding in judge_redis(one, cluster=True) if finding.level != "ok"]
        assert [(finding.level, "appendonly yes" in finding.do) for finding in wrong] == [("warning", True)]
        assert judge_clock(one.name, one.clock, skew_ms=1_000).level == "ok"


def test_a_server_and_a_cluster_are_not_taken_for_each_other(
    cluster: list[EmbeddedRedis], single: EmbeddedRedis
) -> None:
    """The setting is easily forgotten, and the worker ends over it."""
    (facts, *_) = examine_redis(RedisAddress(cluster[0].url))
    assert any("REDIS_CLUSTER=true" in finding.do for finding in judge_redis(facts, cluster=False))
    with pytest.raises(RedisUnreachable, match=r"(?i)cluster"):
        examine_redis(RedisAddress(single.url, cluster=True))


def test_a_sound_server_has_nothing_to_be_found(single: EmbeddedRedis) -> None:
    """What `riskstream up` starts is what the doctor asks for."""
    (facts,) = examine_redis(RedisAddress(single.url))
    assert [finding for finding in judge_redis(facts, cluster=False) if finding.level != "ok"] == []


def test_nobody_there_and_nobody_let_in_are_told_apart(single: EmbeddedRedis) -> None:
    """One is mended by starting something, the other by a password."""
    with pytest.raises(RedisUnreachable, match="refused"):
        examine_redis(RedisAddress("redis://127.0.0.1:1/0"))
    with pytest.raises(RedisUnreachable, match=r"(?i)password"):
        examine_redis(RedisAddress(single.url, user="nobody", password="wrong"))
