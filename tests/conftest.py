"""Fixtures for all tests; those that need services or torch are marked by the folder they are in."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from stream.services.embedded import EmbeddedServices
from stream.settings import Settings
from stream.topics import ensure_topics
from tests.support.command_line import EVERYWHERE
from tests.support.redis_cluster import ClusterServices
from tests.support.services import drop_all_topics, settings_for

FOLDERS = {name: getattr(pytest.mark, name) for name in ("live", "training", "faults", "long")}


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--redis-cluster`: workers keep their states in three servers instead of one."""
    parser.addoption("--redis-cluster", action="store_true", help="run live tests on a Redis Cluster of three")


def pytest_configure(config: pytest.Config) -> None:
    """What every process that a test starts is told."""
    if config.getoption("--redis-cluster"):
        EVERYWHERE["redis_cluster"] = "true"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks by folder, and keeps all live tests on one worker: they share a broker with fixed topic names."""
    tests = Path(__file__).parent
    for item in items:
        mark = FOLDERS.get(item.path.relative_to(tests).parts[0])
        if mark is not None:
            item.add_marker(mark)
        if item.get_closest_marker("live"):
            item.add_marker(pytest.mark.xdist_group("live"))


def services_in(folder: Path) -> EmbeddedServices:
    """Kafka and what Redis the tests are run with."""
    return ClusterServices(folder) if EVERYWHERE.get("redis_cluster") else EmbeddedServices(folder)


@pytest.fixture(scope="session")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServices]:
    """Kafka and Redis that all live tests share. A test that kills or restarts takes `own_services`."""
    with services_in(tmp_path_factory.mktemp("services")) as running:
        yield running


@pytest.fixture
def own_services(tmp_path: Path) -> Iterator[EmbeddedServices]:
    """Kafka and Redis of this test alone, to be killed, paused and restarted."""
    with services_in(tmp_path / "services") as running:
        yield running


@pytest.fixture
async def settings(services: EmbeddedServices) -> Settings:
    """Settings with a namespace of this test's own, on a broker that has riskstream's topics, all empty."""
    await drop_all_topics(services)
    own = settings_for(services)
    await asyncio.to_thread(ensure_topics, own)
    return own
