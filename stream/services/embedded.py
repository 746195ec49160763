"""Starts and stops the embedded Kafka and Redis of one data folder together."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from stream.errors import JobFailed
from stream.services.addresses import (
    RunningServices,
    ServiceProcess,
    read_services,
    remove_services,
    write_services,
)
from stream.services.jars import Say
from stream.services.kafka import EmbeddedKafka
from stream.services.process import is_running, stop_process
from stream.services.redis import EmbeddedRedis

LOCK = "services.lock"
GRACE_SECONDS = 15.0


class EmbeddedServices:
    """Kafka and Redis as child processes; a context manager that starts them ready and stops them at the end.

    While they run, `services.json` in the data folder has their addresses, so that every command given the
    same folder finds them.

    Args:
        data_dir: folder of their data, settings and logs; made when it is not there.
        kafka_port, redis_port: free ports when not given.
        kafka_heap_mb: most memory of the broker's Java heap, in MB.
        redis_append_only: whether Redis writes its changes to disk.
        detached: they outlive this process; leaving the context then leaves them running.
        say: is told what goes on, in lines for people.

    Example:
        with EmbeddedServices(Path(".riskstream")) as services:
            print(services.kafka_bootstrap, services.redis_url)
            services.kafka.kill()
            services.kafka.restart()
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        kafka_port: int | None = None,
        redis_port: int | None = None,
        kafka_heap_mb: int = 384,
        redis_append_only: bool = True,
        detached: bool = False,
        say: Say = lambda _: None,
    ) -> None:
        self.data_dir = data_dir.resolve()
        self._detached = detached
        self._say = say
        self.kafka = EmbeddedKafka(
            self.data_dir / "kafka", port=kafka_port, heap_mb=kafka_heap_mb, detached=detached, say=say
        )
        self.redis = EmbeddedRedis(
            self.data_dir / "redis", port=redis_port, append_only=redis_append_only, detached=detached
        )

    @property
    def kafka_bootstrap(self) -> str:
        """`host:port` of the broker."""
        return self.kafka.bootstrap

    @property
    def redis_url(self) -> str:
        """Address of the Redis server."""
        return self.redis.url

    def start(self) -> Self:
        """Starts both and returns when both do their work.

        Raises:
            JobFailed: services of this folder run already, or one of the two cannot be started; then neither
                is left running.
        """
        with _locked(self.data_dir):
            running = running_services(self.data_dir)
            if running is not None:
                raise JobFailed(
                    f"services of {self.data_dir} run already (Kafka {running.kafka_bootstrap}, "
                    f"Redis {running.redis_url}); stop them with: riskstream down --data-dir {self.data_dir}"
                )
            # one of the two may have survived a crash of the other
            _stop_stored(self.data_dir)
            try:
                self._start_both()
            except BaseException:
                self._stop_both()
                raise
        return self

    def stop(self) -> None:
        """Stops both in order and forgets their addresses; the data stays."""
        self._stop_both()
        if self.still_stored():
            remove_services(self.data_dir)

    def still_stored(self) -> bool:
        """Whether the stored processes are these; after `down` they are not. Waits for a `down` at work."""
        with _locked(self.data_dir):
            stored = read_services(self.data_dir)
            return stored is not None and stored == self._as_stored()

    def _start_both(self) -> None:
        self.redis.start()
        self._say("Kafka and Redis are starting")
        self.kafka.start()
        self.redis.wait_ready()
        self.kafka.wait_ready()
        self._store()
        self.kafka.on_ready = self.redis.on_ready = self._store  # a restart changes the process id

    def _stop_both(self) -> None:
        self.kafka.stop()
        self.redis.stop()

    def _store(self) -> None:
        write_services(self.data_dir, self._as_stored())

    def _as_stored(self) -> RunningServices:
        return RunningServices(
            kafka_bootstrap=self.kafka_bootstrap,
            redis_url=self.redis_url,
            data_dir=str(self.data_dir),
            kafka=ServiceProcess(pid=self.kafka.pid, birth=self.kafka.process.birth),
            redis=ServiceProcess(pid=self.redis.pid, birth=self.redis.process.birth),
        )

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._detached:
            self.stop()


def running_services(data_dir: Path) -> RunningServices | None:
    """The services of this folder if both processes are there, else None; a stale file counts for nothing."""
    stored = read_services(data_dir)
    if stored is None:
        return None
    alive = all(is_running(one.pid, one.birth) for one in (stored.kafka, stored.redis))
    return stored if alive else None


def stop_services(data_dir: Path) -> bool:
    """Stops the services whose processes are stored in this folder, whoever started them; the data stays.

    Returns:
        Whether there was any to stop. A process that has a stored id but another birth is never touched.
    """
    with _locked(data_dir.resolve()):
        return _stop_stored(data_dir.resolve())


def _stop_stored(data_dir: Path) -> bool:
    stored = read_services(data_dir)
    if stored is None:
        return False
    stopped = [
        stop_process(one.pid, one.birth, grace_seconds=GRACE_SECONDS) for one in (stored.kafka, stored.redis)
    ]
    remove_services(data_dir)
    return any(stopped)


@contextmanager
def _locked(data_dir: Path) -> Iterator[None]:
    data_dir.mkdir(parents=True, exist_ok=True)
    with (data_dir / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
