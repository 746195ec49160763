"""Faults of the network between the workers and Kafka or Redis."""

import random
import time

from tests.torture.house import House


def cut_connections(house: House, chance: random.Random) -> None:
    """All of them at once, a few times."""
    proxy = chance.choice((house.kafka_proxy, house.redis_proxy))
    for _ in range(chance.randrange(1, 6)):
        proxy.cut()
        time.sleep(chance.uniform(0, 0.6))


def reset_within_frames(house: House, chance: random.Random) -> None:
    """Half a request arrives."""
    proxy = chance.choice((house.kafka_proxy, house.redis_proxy))
    for _ in range(chance.randrange(1, 6)):
        proxy.reset_within_a_frame()
        time.sleep(chance.uniform(0, 0.6))


def half_open(house: House, chance: random.Random) -> None:
    """Connections stay and carry nothing; new ones are taken and carry nothing either."""
    proxy = chance.choice((house.kafka_proxy, house.redis_proxy))
    proxy.mode = "stall"
    try:
        time.sleep(chance.uniform(3, 12))
    finally:
        proxy.mode = "pass"
    if chance.random() < 0.5:
        proxy.cut()


def slow_network(house: House, chance: random.Random) -> None:
    """Every piece takes 50 ms more."""
    proxy = chance.choice((house.kafka_proxy, house.redis_proxy))
    proxy.mode = "slow"
    try:
        time.sleep(chance.uniform(4, 8))
    finally:
        proxy.mode = "pass"


def refuse_connections(house: House, chance: random.Random) -> None:
    """The network says no."""
    proxy = chance.choice((house.kafka_proxy, house.redis_proxy))
    proxy.mode = "refuse"
    proxy.cut()
    try:
        time.sleep(chance.uniform(1, 8))
    finally:
        proxy.mode = "pass"
