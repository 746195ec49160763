"""What live tests of the worker share: small bundles, and workers that never outlive their test."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stream.services.embedded import EmbeddedServices
from stream.settings import Settings
from tests.support.small_bundles import write_all
from tests.support.worker_process import WorkerProcess

MakeWorker = Callable[..., WorkerProcess]


@pytest.fixture(scope="session")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one small bundle for every scorer."""
    return write_all(tmp_path_factory.mktemp("bundles"))


@pytest.fixture
def make_worker(
    services: EmbeddedServices, settings: Settings, bundles: Path, tmp_path: Path
) -> Iterator[MakeWorker]:
    """Makes workers on the shared services under this test's namespace, not started; kills them at the end."""
    made: list[WorkerProcess] = []

    def make(name: str = "one", **more: object) -> WorkerProcess:
        given = {"namespace": settings.namespace, "bundle_dirs": bundles} | more
        made.append(WorkerProcess(services, tmp_path, name=name, **given))
        return made[-1]

    yield make
    for worker in made:
        worker.__exit__()
