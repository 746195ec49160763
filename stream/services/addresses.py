"""Where `riskstream up` keeps the addresses and the process ids of the running services."""

from dataclasses import asdict, dataclass
from pathlib import Path

import msgspec

FILE = "services.json"


@dataclass(frozen=True, kw_only=True)
class ServiceProcess:
    """A service's process: its id, and its birth, which tells it from a later process with the same id."""

    pid: int
    birth: str | None


@dataclass(frozen=True, kw_only=True)
class RunningServices:
    """What is stored while services run: how to reach them, and which processes they are."""

    kafka_bootstrap: str
    redis_url: str
    data_dir: str
    kafka: ServiceProcess
    redis: ServiceProcess


def read_services(data_dir: Path) -> RunningServices | None:
    """What was stored in this folder; None when there is nothing or it cannot be read."""
    try:
        return msgspec.json.decode((data_dir / FILE).read_bytes(), type=RunningServices)
    except (OSError, msgspec.DecodeError):
        return None


def write_services(data_dir: Path, services: RunningServices) -> None:
    """Stores the services of this folder; a reader sees the old file or the new one, never half of one."""
    data_dir.mkdir(parents=True, exist_ok=True)
    partial = data_dir / f".{FILE}"
    partial.write_bytes(msgspec.json.format(msgspec.json.encode(asdict(services)), indent=2) + b"\n")
    partial.replace(data_dir / FILE)


def remove_services(data_dir: Path) -> None:
    """Forgets the services of this folder."""
    (data_dir / FILE).unlink(missing_ok=True)


def stored_addresses(data_dir: Path) -> dict[str, str]:
    """`kafka_bootstrap` and `redis_url` of the services started here; empty when there are none."""
    stored = read_services(data_dir)
    return (
        {} if stored is None else {"kafka_bootstrap": stored.kafka_bootstrap, "redis_url": stored.redis_url}
    )
