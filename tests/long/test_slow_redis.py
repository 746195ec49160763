"""Events come twice as fast as a slow Redis lets them be scored: they wait in Kafka, not in the worker's memory."""

import time

import pytest

from tests.long.conftest import MakeHouse, check_books
from tests.torture.house import Watch

SECONDS = 30.0
GROWN_MB = 150


@pytest.mark.timeout(400)
def test_what_cannot_be_scored_in_time_waits_in_kafka(make_house: MakeHouse) -> None:
    """Polls are bounded and the next is fetched when there is room: memory and open files stay where they are."""
    house = make_house(35, per_second=2_000)
    before = Watch()
    for worker in house.workers.values():
        before.look(worker)
    house.redis_proxy.mode = "slow"
    time.sleep(SECONDS)
    lags = [worker.metrics() for worker in house.workers.values()]
    behind = sum(value for each in lags for name, value in each.items() if name.startswith("riskstream_lag{"))
    after = Watch()
    for worker in house.workers.values():
        after.look(worker)
    house.redis_proxy.mode = "pass"
    assert behind > 2_000, f"Redis was not too slow: {behind} records behind"
    assert after.most_memory_mb - before.most_memory_mb < GROWN_MB
    assert after.most_files - before.most_files < 20
    check_books(house)
