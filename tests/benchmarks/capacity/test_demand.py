"""What a rate needs, checked by hand."""

import math

import pytest

from benchmarks.capacity.demand import (
    Demand,
    Hardware,
    catching_up_s,
    full_at,
    hottest_share,
    kafka_bytes,
    need_of,
)
from benchmarks.capacity.service import NotMeasured, Service

SERVICE = Service(
    worker_cpu_us=20.0, redis_cpu_us=10.0, kafka_cpu_us=8.0, bytes_in=250.0, bytes_out=1_000.0, state_bytes=1_500.0,
    entity_bytes=2_000.0, start_s=5.0,
)  # fmt: skip
DEMAND = Demand(events_per_second=100_000, entities=10_000_000, readers=2, replicas=3)
HALF = Hardware(
    fill=0.5, nic_bits_per_second=10e9, broker_cores=4, shard_bytes=16e9, memory_fill=0.5, partitions_per_worker=4
)


def test_workers_and_shards_have_the_cores_that_the_events_cost() -> None:
    """100,000/s at 20 us are two cores of work, four workers half filled; at 10 us one core, two shards half filled."""
    need = need_of(DEMAND, SERVICE, HALF)
    assert (need.workers, need.partitions, need.shards_for_cpu) == (4, 16, 2)


def test_shards_are_as_many_as_the_larger_of_cpu_and_memory_asks_for() -> None:
    """Ten million entities of 2,000 bytes are 20 GB; shards of 16 GB half filled with states hold 8 each."""
    need = need_of(DEMAND, SERVICE, HALF)
    assert (need.shards_for_memory, need.shards) == (3, 3)


def test_every_copy_of_a_record_crosses_the_network() -> None:
    """1,250 bytes an event, three copies in; out to the workers 250, to two readers 2,000, to two followers 2,500."""
    assert kafka_bytes(DEMAND, SERVICE) == (100_000 * 3_750.0, 100_000 * 4_750.0)
    need = need_of(DEMAND, SERVICE, HALF)
    # 475 MB/s are 3.8 of 5 usable Gbit/s; copies take 2.4 cores, a broker has 2 usable; three copies, three brokers
    assert (need.brokers_for_network, need.brokers_for_cpu, need.brokers) == (1, 2, 3)
    assert need.redis_each_way == 150e6


def test_a_need_that_is_whole_is_not_rounded_up_for_a_floats_sake() -> None:
    """0.1 + 0.2 must not cost a server."""
    three_tenths = Hardware(fill=0.3)
    assert need_of(Demand(events_per_second=15_000), SERVICE, three_tenths).workers == 1
    assert need_of(Demand(events_per_second=15_001), SERVICE, three_tenths).workers == 2


def test_what_is_full_first_comes_first() -> None:
    """Four workers of 50,000/s, three shards of 100,000/s, twelve broker cores at 24 us, three networks of 1.25 GB/s."""
    found = full_at(need_of(DEMAND, SERVICE, HALF), DEMAND, SERVICE, HALF)
    assert list(found) == ["worker CPU", "Redis CPU", "broker CPU", "broker network"]
    assert found["worker CPU"] == pytest.approx(200_000) and found["Redis CPU"] == pytest.approx(300_000)
    assert found["broker CPU"] == pytest.approx(500_000)
    assert found["broker network"] == pytest.approx(3 * 1.25e9 / 4_750)


def test_a_hot_entity_may_have_what_its_worker_has_left() -> None:
    """A worker takes half of 100,000/s, with a quarter of the partitions: 1/3 + 2/3 * 1/4 = 1/2."""
    share = hottest_share(DEMAND, SERVICE, partitions=16, of_the_worker=4)
    assert share == pytest.approx(1 / 3)
    assert hottest_share(Demand(events_per_second=1e6), SERVICE, partitions=4, of_the_worker=1) == 0.0


def test_catching_up_takes_longer_the_fuller_the_others_are() -> None:
    """Half full with one of two workers lost, nothing is left to catch up with."""
    # 10 s away, load 0.5 * 11 / 10 = 0.55: ten seconds of 0.55 are worked off with 0.45
    assert catching_up_s(away_s=10.0, fill=0.5, workers=11) == pytest.approx(10 * 0.55 / 0.45)
    assert catching_up_s(away_s=10.0, fill=0.5, workers=2) == math.inf


def test_costs_are_those_of_the_largest_population_and_what_is_missing_is_named() -> None:
    """Small populations fit a worker's cache and would promise too much."""
    point = {"worker_cpu_us": 9.0, "redis_cpu_us": 1.0, "kafka_cpu_us": 5.0, "redis_bytes_per_entity": 2_000.0}
    full = {
        "entities": {
            "results": {"state_bytes": 1_500.0, "points": {"10000": point, "2000000": {**point, "worker_cpu_us": 30.0}}}
        },
        "workers": {"results": {"log_bytes_in": 250.0, "log_bytes_out": 1_000.0}},
        "cold_start": {"results": {"first_score_s": 4.5}},
    }
    service = Service.of(full)
    assert (service.worker_cpu_us, service.start_s, service.entity_bytes) == (30.0, 4.5, 2_000.0)
    with pytest.raises(NotMeasured, match="--part workers"):
        Service.of({"entities": full["entities"]})
