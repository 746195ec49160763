"""The simulation, where the outcome can be worked out by hand."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.capacity.poll_times import PollTimes
from benchmarks.capacity.simulation import Fleet, Simulation, even_shares, with_hot_entity

POLLS = {
    "quantiles": [0.0, 0.5, 1.0],
    "sizes": {
        "100": {"compute": [10.0, 10.0, 10.0], "produce": [2.0] * 3, "commit": [1.0] * 3, "cpu": [10.0, 10.0, 10.0]},
        "1000": {"compute": [10.0, 20.0, 30.0], "produce": [4.0] * 3, "commit": [1.0] * 3, "cpu": [20.0, 20.0, 40.0]},
    },
}
TIMES = PollTimes.of(POLLS)
STEADY_SECONDS = {"compute": 0.01, "produce": 0.005, "commit": 0.001, "cpu": 0.01}
STEADY = PollTimes(
    np.array([1.0, 10_000.0]),
    np.array([0.0, 1.0]),
    {name: np.full((2, 2), seconds) for name, seconds in STEADY_SECONDS.items()},
)
"""Every poll of any size: 10 ms of computing, 5 ms to Kafka, 1 ms of commit."""

FLEET = Fleet(
    workers=1, shards=1, shares=even_shares(4), redis_us=0.0, most_records=4_000, round_trip_s=0.0
)  # fmt: skip


def test_times_between_measured_sizes_lie_between_theirs() -> None:
    """Polls have any number of records."""
    assert TIMES.draw("compute", 50, 0.5) == 0.010
    assert TIMES.draw("compute", 550, 0.5) == pytest.approx(0.015)
    assert TIMES.draw("compute", 1_000, 0.75) == pytest.approx(0.025)
    assert TIMES.draw("compute", 2_000, 0.5) == pytest.approx(0.040)


def test_computing_slows_down_to_a_given_cost_and_the_rest_stays() -> None:
    """States that have to be fetched cost CPU, not a slower Kafka."""
    slower = TIMES.costing(50.0)  # 25 us on average: half of the polls around 20 ms, the others up to 40
    assert slower.draw("cpu", 1_000, 0.5) == pytest.approx(0.040)
    assert slower.draw("compute", 1_000, 0.5) == pytest.approx(0.040)
    assert slower.draw("produce", 1_000, 0.5) == pytest.approx(0.004)


def test_an_event_waits_for_the_poll_before_and_takes_part_in_its_own() -> None:
    """A poll every 10 ms: an event waits 0 to 10 ms, then 10 of computing and 5 to Kafka."""
    outcome = Simulation(FLEET, STEADY, 10_000).run()
    assert outcome.p50_ms == pytest.approx(20.0, abs=0.5)
    assert outcome.p99_ms == pytest.approx(25.0, abs=0.5)
    assert outcome.keeps_up and outcome.worker_share == pytest.approx(1.0, abs=0.01)


def test_beyond_full_polls_a_worker_falls_behind() -> None:
    """4,000 records each 10 ms are 400,000/s, and not one more."""
    assert Simulation(FLEET, STEADY, 390_000).run().keeps_up
    behind = Simulation(FLEET, STEADY, 500_000).run()
    assert not behind.keeps_up
    assert behind.waiting_s == pytest.approx(2.0, abs=0.1)  # a fifth of ten seconds is not scored


def test_one_poll_is_under_way_beside_the_next_and_not_two() -> None:
    """A commit of 50 ms: two polls for each 50 + 10 + 5 ms, whatever the processor could do."""
    slow = PollTimes(
        STEADY.sizes, STEADY.quantiles, {**STEADY.seconds, "commit": np.full((2, 2), 0.05)}
    )
    most = 2 * 4_000 / 0.065
    assert Simulation(FLEET, slow, 0.7 * most).run().keeps_up
    assert not Simulation(FLEET, slow, 1.3 * most).run().keeps_up


def test_a_shard_is_busy_for_what_its_events_cost_and_stops_everybody_when_full() -> None:
    """Two workers of 50,000/s on one shard at 8 us: 80 %; at 12 us it can do 83,000."""
    fleet = replace(FLEET, workers=2, redis_us=8.0)
    outcome = Simulation(fleet, STEADY, 100_000).run()
    assert outcome.keeps_up and outcome.shard_share == pytest.approx(0.8, abs=0.01)
    assert not Simulation(replace(fleet, redis_us=12.0), STEADY, 100_000).run().keeps_up
    assert Simulation(replace(fleet, redis_us=12.0, shards=2), STEADY, 100_000).run().keeps_up


def test_a_hot_entity_stops_its_own_worker_alone_and_more_workers_do_not_help() -> None:
    """An entity is in one partition."""
    for workers in (4, 8):
        shares = with_hot_entity(8, 0.5)
        fleet = replace(FLEET, workers=workers, shares=shares)
        assert sum(shares) == pytest.approx(1.0)
        assert Simulation(fleet, STEADY, 600_000).run().keeps_up
        assert not Simulation(fleet, STEADY, 1_000_000).run().keeps_up
    assert Simulation(replace(FLEET, workers=4, shares=even_shares(8)), STEADY, 1_000_000).run().keeps_up


def test_the_same_seed_gives_the_same_outcome() -> None:
    """The page is made from it, and a test holds the page against it."""
    outcome = Simulation(FLEET, TIMES, 40_000).run()
    assert Simulation(FLEET, TIMES, 40_000).run() == outcome
    assert Simulation(FLEET, TIMES, 40_000, seed=2).run() != outcome
