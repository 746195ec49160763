"""The demo's own folder: emptied at every start, and never under the feet of one that runs."""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stream.errors import JobFailed
from stream.services.embedded import running_services

NAME = "demo"
LOCK = "demo.lock"


@contextmanager
def fresh_folder(data_dir: Path) -> Iterator[Path]:
    """An empty folder `demo` under the data folder, held for as long as the context lasts; it stays behind.

    Raises:
        JobFailed: another demo runs there, or its services were started again.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    folder = data_dir / NAME
    with (data_dir / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise JobFailed(
                f"another demo runs in {folder}; wait for its end, or set RISKSTREAM_DATA_DIR to another folder"
            ) from None
        if running_services(folder) is not None:
            raise JobFailed(
                f"the services of an earlier demo run in {folder}, and a new one would erase their data; "
                f"stop them with: riskstream down --data-dir {folder}"
            )
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        yield folder
