"""Populations with states: under the worker's keys, with their own habits, and found."""

import numpy as np
import pytest

from benchmarks.full.entities import check_found, extrapolate, population, state_commands
from benchmarks.full.plan import SHORT, FullPlan
from benchmarks.payments import Payments, account_names
from benchmarks.plan import BenchmarkFailed
from scoring.murmur2 import partition_of


def run(worker: float, redis: float, memory: float) -> dict[str, float]:
    return {"worker_cpu_us": worker, "redis_cpu_us": redis, "redis_bytes_per_entity": memory}


def test_every_account_gets_the_state_of_its_habits_in_its_own_partition() -> None:
    """A state in another partition is never read, and one of other habits makes every payment look odd."""
    payments = Payments(1, 10, habits=5)
    states = {name: name.encode() for name in account_names(np.arange(5)).to_list()}
    commands = list(state_commands(states, ("p0:", "p1:"), payments))
    assert len(commands) == 10
    for number, (verb, key, state, _, _) in enumerate(commands):
        name = f"account-{number:07d}"
        assert verb == "SET" and key == f"p{partition_of(name.encode(), 2)}:{name}"
        assert state == f"account-{number // 2:07d}".encode()


@pytest.mark.parametrize("entities", [5_000, 20_000, 2_000_000])
def test_an_account_pays_as_often_in_a_population_of_any_size(entities: int) -> None:
    """Otherwise the curve would show the age of states and not their number."""
    payments = population(FullPlan(), entities)
    seconds_between_payments_of_an_account = payments.spacing_ms * entities / 1_000
    assert seconds_between_payments_of_an_account == pytest.approx(40_000)
    assert payments.habits == 20_000


def test_a_worker_that_makes_states_of_its_own_is_found_out() -> None:
    """Were the keys wrong, everybody would be new, and the figures those of empty states."""
    check_found(1_000, new=9, alerts=0)
    check_found(1_000, new=500, alerts=495)
    with pytest.raises(BenchmarkFailed, match="more keys than alerts"):
        check_found(1_000, new=500, alerts=10)


def test_cost_is_extended_over_tenfold_steps_and_memory_over_entities() -> None:
    """Ten million do not fit here; what is said of them follows from what was measured, and says how far."""
    runs = {
        10_000: [run(1.0, 1.0, 9_999.0)],  # within the cache: not part of the fit
        100_000: [run(20.0, 8.0, 1_000.0)],
        1_000_000: [run(22.0, 8.0, 1_000.0)],
    }
    told = extrapolate(runs, 10_000_000)
    assert (told["entities"], told["fitted_from"]) == (10_000_000, 100_000)
    assert told["worker_cpu_us"] == pytest.approx(24.0) and told["worker_cpu_us_per_tenfold"] == pytest.approx(2.0)
    assert told["redis_cpu_us"] == pytest.approx(8.0)
    assert told["redis_bytes_per_entity"] == pytest.approx(1_000.0) and told["redis_gb"] == 10.0


def test_one_population_is_no_curve() -> None:
    """Nothing is extended from a single point."""
    assert extrapolate({100_000: [run(20.0, 8.0, 1_000.0)]}, 10_000_000) == {}
    assert len([entities for entities in SHORT.entities if entities >= 100_000]) == 1
