"""What a measured process is told by the benchmark: one value, handed over as JSON on its command line."""

from dataclasses import dataclass
from pathlib import Path

import msgspec

from benchmarks.payments import Payments
from stream.settings import Settings, load


@dataclass(frozen=True, kw_only=True)
class Given:
    """A limit to measure, and where.

    Attributes:
        limit: its name.
        seconds: how long, after `warm_up_s`.
        watched: process ids of Kafka and Redis, whose CPU time is reported.
        history: payments that have filled the states.
    """

    limit: str
    kafka_bootstrap: str
    redis_url: str
    bundle_dirs: tuple[str, ...]
    namespace: str
    partitions: int
    seed: int
    accounts: int
    history: int
    seconds: float
    warm_up_s: float
    watched: tuple[int, int]

    @property
    def settings(self) -> Settings:
        """As the worker's, apart from the addresses and the namespace."""
        return load(
            {}, kafka_bootstrap=self.kafka_bootstrap, redis_url=self.redis_url, namespace=self.namespace,
            bundle_dirs=tuple(Path(folder) for folder in self.bundle_dirs),
        )  # fmt: skip

    @property
    def payments(self) -> Payments:
        """Those of the backlog."""
        return Payments(self.seed, self.accounts)

    def encode(self) -> str:
        """As JSON."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def decode(cls, raw: str) -> "Given":
        """From JSON.

        Raises:
            msgspec.ValidationError: it is something else.
        """
        return msgspec.json.decode(raw, type=cls)
