"""How many partitions, workers, Redis shards and brokers a rate needs, and which of them is full first."""

import math
from dataclasses import dataclass

from benchmarks.capacity.service import Service

BITS = 8
US = 1e6


@dataclass(frozen=True, kw_only=True)
class Demand:
    """What is asked for.

    Attributes:
        events_per_second, entities: in all.
        readers: consumers of all scores, beside those who filter at the broker's side.
        replicas: of every Kafka record, the leader's included.
    """

    events_per_second: float = 1_000_000
    entities: float = 100_000_000
    readers: int = 1
    replicas: int = 3


@dataclass(frozen=True, kw_only=True)
class Hardware:
    """What it is to run on; a worker and a Redis shard have one core each.

    Attributes:
        fill: share of any resource that is used at the demanded rate; the rest is for peaks and for catching up.
        nic_bits_per_second: of a broker, each way.
        broker_cores: of one broker.
        shard_bytes: memory of one Redis shard; memory_fill: share of it for states, the rest for copies on write.
        partitions_per_worker: so that the partitions of a lost worker can be shared out.
    """

    fill: float = 0.6
    nic_bits_per_second: float = 10e9
    broker_cores: int = 8
    shard_bytes: float = 32e9
    memory_fill: float = 0.5
    partitions_per_worker: int = 4


@dataclass(frozen=True, kw_only=True)
class Need:
    """What the demand needs; bytes per second are of the whole, each way where both are given."""

    workers: int
    partitions: int
    shards: int
    shards_for_cpu: int
    shards_for_memory: int
    brokers: int
    brokers_for_network: int
    brokers_for_cpu: int
    kafka_in: float
    kafka_out: float
    redis_each_way: float


def need_of(demand: Demand, service: Service, hardware: Hardware) -> Need:
    """The smallest numbers that keep every resource at `hardware.fill` or below."""
    rate, fill = demand.events_per_second, hardware.fill
    workers = _whole(rate * service.worker_cpu_us / US / fill)
    shards_for_cpu = _whole(rate * service.redis_cpu_us / US / fill)
    shards_for_memory = _whole(
        demand.entities * service.entity_bytes / (hardware.shard_bytes * hardware.memory_fill)
    )
    kafka_in, kafka_out = kafka_bytes(demand, service)
    brokers_for_network = _whole(max(kafka_in, kafka_out) * BITS / (hardware.nic_bits_per_second * fill))
    brokers_for_cpu = _whole(rate * service.kafka_cpu_us * demand.replicas / US / (hardware.broker_cores * fill))
    return Need(
        workers=workers,
        partitions=workers * hardware.partitions_per_worker,
        shards=max(shards_for_cpu, shards_for_memory),
        shards_for_cpu=shards_for_cpu,
        shards_for_memory=shards_for_memory,
        brokers=max(demand.replicas, brokers_for_network, brokers_for_cpu),
        brokers_for_network=brokers_for_network,
        brokers_for_cpu=brokers_for_cpu,
        kafka_in=kafka_in,
        kafka_out=kafka_out,
        redis_each_way=rate * service.state_bytes,
    )


def kafka_bytes(demand: Demand, service: Service) -> tuple[float, float]:
    """Bytes per second into and out of all brokers together.

    Into: events and scores, and both again for every further replica. Out: events to the workers, scores to the readers,
    and both to the followers.
    """
    both = service.bytes_in + service.bytes_out
    into = both * demand.replicas
    out = service.bytes_in + service.bytes_out * demand.readers + both * (demand.replicas - 1)
    return demand.events_per_second * into, demand.events_per_second * out


def full_at(need: Need, demand: Demand, service: Service, hardware: Hardware) -> dict[str, float]:
    """The rate at which each resource of what was built is full, events per second, the first one first."""
    rate = demand.events_per_second
    nic = need.brokers * hardware.nic_bits_per_second / BITS
    found = {
        "worker CPU": need.workers * US / service.worker_cpu_us,
        "Redis CPU": need.shards * US / service.redis_cpu_us,
        "broker network": rate * nic / max(need.kafka_in, need.kafka_out),
        "broker CPU": need.brokers * hardware.broker_cores * US / (service.kafka_cpu_us * demand.replicas),
    }
    return dict(sorted(found.items(), key=lambda entry: entry[1]))


def hottest_share(demand: Demand, service: Service, *, partitions: int, of_the_worker: int) -> float:
    """Share of all events that one entity may have before the worker of its partition is full; 0.0 when it is without it.

    No further worker helps: an entity is in one partition, and a partition has one worker.

    Args:
        partitions: in all, evenly filled but for the entity.
        of_the_worker: how many of them that worker has; Kafka gives each worker as many as any other.
    """
    most = US / service.worker_cpu_us / demand.events_per_second  # of all events, what one worker can take
    others = of_the_worker / partitions
    return max(0.0, (most - others) / (1 - others)) if others < 1 else 0.0


def catching_up_s(*, away_s: float, fill: float, workers: int, lost: int = 1) -> float:
    """Seconds until the others have caught up after `lost` workers were away for `away_s` with all partitions waiting.

    Every rebalance moves all partitions, so nothing is scored meanwhile. Infinite when the rest is too few.

    >>> round(catching_up_s(away_s=10.0, fill=0.5, workers=11, lost=1), 2)
    12.22
    """
    load = fill * workers / (workers - lost)
    return away_s * load / (1 - load) if load < 1 else math.inf


def _whole(number: float) -> int:
    """At least one, rounded up; what is whole but for rounding of floats stays."""
    return max(1, math.ceil(round(number, 9)))
