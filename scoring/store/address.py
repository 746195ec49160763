"""Where a Redis is and how to get in; checked here, so that a wrong address fails before any connection."""

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit


@dataclass(frozen=True)
class RedisAddress:
    """Address of one Redis server, or of any server of a Redis Cluster. Never prints the password.

    `url`: redis://host:port/database, or rediss:// for TLS, without credentials. `ca_file`: authorities to
    trust instead of the system's, only with rediss://. `cluster`: the server is part of a Redis Cluster.

    >>> RedisAddress("redis://127.0.0.1:6379/0", user="worker", password="secret")
    RedisAddress(url='redis://127.0.0.1:6379/0', user='worker', ca_file=None, cluster=False)

    Raises:
        ValueError: the url is of another kind, holds credentials, or does not fit the other values.
    """

    url: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: Path | None = None
    cluster: bool = False

    def __post_init__(self) -> None:
        if "@" in self.url:
            raise ValueError("Redis url holds credentials, which would be printed; give them apart")
        parts = urlsplit(self.url)
        if parts.scheme not in ("redis", "rediss") or not parts.hostname:
            raise ValueError(f"Redis url {self.url!r}; expected redis://host:port/database or rediss://")
        if not (parts.path.strip("/") or "0").isdecimal():
            raise ValueError(f"Redis url {self.url!r}: database {parts.path.strip('/')!r}; expected a number")
        if self.ca_file is not None and not self.encrypted:
            raise ValueError(
                f"Redis url {self.url!r} is not rediss://, but a CA file is given; use rediss://"
            )
        if self.cluster and self.database:
            raise ValueError(f"Redis url {self.url!r}: a Redis Cluster has only database 0")

    @property
    def host(self) -> str:
        """Name or number of the host."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """Port, 6379 when the url names none."""
        return urlsplit(self.url).port or 6379

    @property
    def database(self) -> int:
        """Number of the database, from 0."""
        return int(urlsplit(self.url).path.strip("/") or 0)

    @property
    def encrypted(self) -> bool:
        """Whether connections use TLS."""
        return urlsplit(self.url).scheme == "rediss"

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"
