"""One of two workers is killed at 2,000 events a second, with the shipped settings: how long until nothing is behind."""

import time
from pathlib import Path

import pytest

from stream.settings import Settings
from tests.long.conftest import check_books
from tests.support.independent_reader import Reader
from tests.torture.house import INPUTS, NAMESPACE, House

PER_SECOND = 2_000.0
SHIPPED = Settings.model_fields


def behind(house: House, ends: dict[tuple[str, int], int]) -> int:
    """Records of these that are not committed."""
    committed = house.committed()
    return sum(max(0, end - committed.get(place, 0)) for place, end in ends.items())


def ends_of(house: House) -> dict[tuple[str, int], int]:
    """Where every partition ends now."""
    with Reader(house.kafka_bootstrap) as reader:
        return {(topic, index): end for topic in INPUTS for index, end in reader.marks(topic).items()}


@pytest.mark.timeout(400)
def test_a_killed_worker_is_replaced_by_the_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Membership without a fixed name, the shipped session timeout and poll size; the time is told, and not judged."""
    house = House(tmp_path / "house", 36, per_second=PER_SECOND)
    for name in house.workers:
        house.workers[name] = house.worker(
            name, worker_id=None, session_timeout_ms=SHIPPED["session_timeout_ms"].default,
            poll_records=SHIPPED["poll_records"].default, namespace=NAMESPACE,
        )  # fmt: skip
    house.made = list(house.workers.values())
    with house:
        house.wait_well()
        time.sleep(10)
        killed = house.workers.pop("one")
        killed.kill()
        began = time.monotonic()
        time.sleep(1)
        while behind(house, ends_of(house)) > PER_SECOND / 10:
            assert time.monotonic() - began < 60, "it does not come level"
        took = time.monotonic() - began
        with capsys.disabled():
            print(f"\nkilled at {PER_SECOND:,.0f} events/s: level again after {took:.1f} s")
        check_books(house)
