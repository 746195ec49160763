"""Three brokers, two copies in sync at least: one may go, two may not, and nothing is lost either way."""

import time

import pytest

from tests.long.conftest import MakeHouse, check_books


@pytest.mark.timeout(600)
def test_one_broker_of_three_may_be_killed_and_two_bring_it_to_a_halt(make_house: MakeHouse) -> None:
    """With two copies of three, acknowledged is durable: a leader that dies is replaced by one that has everything."""
    house = make_house(31, brokers=3)
    for broker in house.brokers:
        broker.kill()
        time.sleep(4)
        assert house.wait_well() < 60
        broker.restart()
    first, second, _ = house.brokers
    first.kill()
    second.kill()
    house.expect_not_ready("the quorum of Kafka")
    # both are needed for either to be ready: they vote for each other
    for broker in (first, second):
        broker.start()
    for broker in (first, second):
        broker.wait_ready()
    findings = check_books(house)
    assert findings["duplicates_identical"] <= 2_000
