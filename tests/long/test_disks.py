"""No room on disk, for Redis and for Kafka: everything waits, says so, and goes on when there is room again."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.long.conftest import MakeHouse, check_books
from tests.torture.house import House


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A file system of that size, mounted at the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip(f"a small disk needs the right to mount: {done.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(disk: Path) -> Path:
    """A file that leaves no room."""
    file = disk / "filler"
    with file.open("wb") as filler:
        try:
            while True:
                filler.write(bytes(65_536))
                filler.flush()
        except OSError:
            return file


@pytest.mark.timeout(400)
def test_redis_without_room_for_its_log_is_waited_for(make_house: MakeHouse, tmp_path: Path) -> None:
    """Redis refuses writes while its append-only file cannot grow; no score is counted on a state that was not kept."""
    with small_disk(tmp_path / "house-redis", 64) as disk:
        house: House = make_house(33, redis_options=("--dir", str(disk)))
        filler = fill(disk)
        house.expect_not_ready("room on the disk of Redis")
        time.sleep(5)
        filler.unlink()
        if not house.redis.running:  # without room for its log a server may choose to end
            house.redis.restart()
        check_books(house)


@pytest.mark.timeout(400)
def test_kafka_without_room_for_its_log_is_waited_for(tmp_path: Path) -> None:
    """A broker that cannot write ends itself; with room again and started again, everything goes on."""
    house = House(tmp_path / "house", 34, per_second=150)
    with small_disk(house.folder / "kafka", 300) as disk, house:
        house.wait_well()
        time.sleep(5)
        filler = fill(disk)
        house.expect_not_ready("room on the disk of Kafka")
        time.sleep(5)
        filler.unlink()
        if not house.kafka.running:
            house.kafka.restart()
        check_books(house)
        house.feed.rest()
