"""The tables of the capacity page, made from the results of the full benchmark."""

from collections.abc import Mapping
from typing import Any

from benchmarks.capacity.demand import (
    Demand,
    Hardware,
    Need,
    catching_up_s,
    full_at,
    hottest_share,
    need_of,
)
from benchmarks.capacity.poll_times import PollTimes
from benchmarks.capacity.service import Service, results_of
from benchmarks.capacity.simulation import Fleet, Outcome, Simulation, even_shares, with_hot_entity
from benchmarks.table import Table

MILLION = Demand()
DEMANDS = (Demand(events_per_second=100_000, entities=10_000_000), MILLION)
HARDWARE = Hardware()
LOADS = (0.5, 0.8, 1.0, 1.1, 1.2, 1.3, 1.4, 1.5)
HOT = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25)
"""Times what the sums say that an entity may have."""
SESSION_TIMEOUT_S = 10.0
GB = 1e9


def capacity_tables(full: Mapping[str, Any]) -> dict[str, Table]:
    """All tables by name.

    Raises:
        NotMeasured: a part is missing in the results.
    """
    service = Service.of(full)
    need = need_of(MILLION, service, HARDWARE)
    times = PollTimes.of(results_of(full, "polls"))
    large = times.costing(service.worker_cpu_us)
    return {
        "costs": costs_table(service),
        "needs": needs_table(service),
        "full": full_table(need, service),
        "loads": loads_table(need, service, large),
        "hot": hot_table(need, service, large),
        "takeover": takeover_table(need, service),
        "checked": checked_table(full, service, times),
    }


def costs_table(service: Service) -> Table:
    """What one event and one entity cost."""
    return Table(
        "measured costs",
        ("of one event", "cost"),
        (
            ("CPU of the worker", f"{service.worker_cpu_us:.1f} us"),
            ("CPU of Redis", f"{service.redis_cpu_us:.1f} us"),
            ("CPU of Kafka, one copy", f"{service.kafka_cpu_us:.1f} us"),
            ("Kafka's log, event and score", f"{service.bytes_in:,.0f} + {service.bytes_out:,.0f} bytes"),
            ("state read and written", f"{service.state_bytes:,.0f} bytes each"),
            ("memory of Redis, of one entity", f"{service.entity_bytes:,.0f} bytes"),
        ),
    )


def needs_table(service: Service) -> Table:
    """What each of the demands needs."""
    needs = [need_of(demand, service, HARDWARE) for demand in DEMANDS]
    lines = {
        "workers, one core each": [f"{need.workers:,}" for need in needs],
        "input partitions": [f"{need.partitions:,}" for need in needs],
        "Redis shards, for CPU / for memory": [
            f"{need.shards:,} ({need.shards_for_cpu:,} / {need.shards_for_memory:,})" for need in needs
        ],
        "Kafka brokers, for network / for CPU": [
            f"{need.brokers:,} ({need.brokers_for_network:,} / {need.brokers_for_cpu:,})" for need in needs
        ],
        "into all brokers": [f"{need.kafka_in / GB:.2f} GB/s" for need in needs],
        "out of all brokers": [f"{need.kafka_out / GB:.2f} GB/s" for need in needs],
        "Redis, each way": [f"{need.redis_each_way / GB:.2f} GB/s" for need in needs],
    }
    heads = [f"{demand.events_per_second:,.0f}/s, {demand.entities:,.0f} entities" for demand in DEMANDS]
    return Table("needs", ("", *heads), tuple((name, *cells) for name, cells in lines.items()))


def full_table(need: Need, service: Service) -> Table:
    """The rates at which the resources of the plan for a million are full."""
    found = full_at(need, MILLION, service, HARDWARE)
    rows = tuple((name, f"{rate:,.0f}") for name, rate in found.items())
    return Table("full at", ("resource", "full at events/s"), rows)


def fleet_of(need: Need, service: Service, shares: tuple[float, ...]) -> Fleet:
    """What is simulated of the plan."""
    return Fleet(workers=need.workers, shards=need.shards, shares=shares, redis_us=service.redis_cpu_us)


def loads_table(need: Need, service: Service, times: PollTimes) -> Table:
    """The plan for a million at rates below and above it."""
    fleet = fleet_of(need, service, even_shares(need.partitions))
    rows = []
    for load in LOADS:
        outcome = Simulation(fleet, times, load * MILLION.events_per_second).run()
        rows.append((f"{outcome.events_per_second:,.0f}", *_told(outcome)))
    return Table("simulated", ("events/s", "p50 ms", "p99 ms", "busiest worker", "busiest shard"), tuple(rows))


def hot_table(need: Need, service: Service, times: PollTimes) -> Table:
    """The plan for a million with one entity that gets more and more of it."""
    most = hottest_share(
        MILLION, service, partitions=need.partitions, of_the_worker=HARDWARE.partitions_per_worker
    )
    rows = []
    for part in HOT:
        share = part * most
        fleet = fleet_of(need, service, with_hot_entity(need.partitions, share))
        outcome = Simulation(fleet, times, MILLION.events_per_second).run()
        rows.append((f"{share:.2%}", f"{share * MILLION.events_per_second:,.0f}", *_told(outcome)))
    return Table(
        "one hot entity",
        ("its share", "its events/s", "p50 ms", "p99 ms", "busiest worker", "busiest shard"),
        tuple(rows),
    )


def takeover_table(need: Need, service: Service) -> Table:
    """How long it takes to catch up after workers went away."""
    rows = []
    for name, away_s in (
        ("one is stopped in order", service.start_s),
        ("one crashes", SESSION_TIMEOUT_S + service.start_s),
    ):
        waiting = away_s * MILLION.events_per_second
        took_s = catching_up_s(away_s=away_s, fill=HARDWARE.fill, workers=need.workers)
        rows.append((name, f"{away_s:.1f}", f"{waiting / 1e6:,.1f} million", f"{took_s:.1f}"))
    return Table("takeover", ("what happens", "s without scores", "events waiting", "s until caught up"), tuple(rows))


def checked_table(full: Mapping[str, Any], service: Service, times: PollTimes) -> Table:
    """One worker, measured and simulated, on one machine and with few entities."""
    rows = []
    for rate, point in results_of(full, "load")["one_worker"].items():
        fleet = Fleet(
            workers=1, shards=1, shares=even_shares(4), redis_us=service.redis_cpu_us, round_trip_s=0.0
        )
        outcome = Simulation(fleet, times, float(rate)).run()
        rows.append(
            (
                f"{int(rate):,}", f"{point['p50_ms']:.0f}", f"{outcome.p50_ms:.0f}", f"{point['p99_ms']:.0f}",
                f"{outcome.p99_ms:.0f}",
            )
        )  # fmt: skip
    return Table(
        "measured and simulated",
        ("events/s", "p50 ms measured", "p50 ms simulated", "p99 ms measured", "p99 ms simulated"),
        tuple(rows),
    )


def _told(outcome: Outcome) -> tuple[str, str, str, str]:
    if not outcome.keeps_up:
        waits = ("falls behind", "falls behind")
    else:
        waits = (f"{outcome.p50_ms:,.0f}", f"{outcome.p99_ms:,.0f}")
    return (*waits, f"{outcome.worker_share:.0%}", f"{outcome.shard_share:.0%}")
