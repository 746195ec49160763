"""What one event costs, taken from the results of the full benchmark."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


class NotMeasured(Exception):
    """The results lack a part; the text names it."""


@dataclass(frozen=True, kw_only=True)
class Service:
    """Costs of one event, and of one entity.

    Attributes:
        worker_cpu_us, redis_cpu_us, kafka_cpu_us: CPU microseconds per event, with a population whose states do not fit
            a worker's cache; Kafka's are of one broker without replication.
        bytes_in, bytes_out: of Kafka's log, for an event and for its score.
        state_bytes: packed; entity_bytes: what Redis takes for an entity.
        start_s: from a worker's process to its first score.
    """

    worker_cpu_us: float
    redis_cpu_us: float
    kafka_cpu_us: float
    bytes_in: float
    bytes_out: float
    state_bytes: float
    entity_bytes: float
    start_s: float

    @classmethod
    def of(cls, full: Mapping[str, Any]) -> "Service":
        """The costs in the results of `benchmarks.full`, those of the largest population measured.

        Raises:
            NotMeasured: a part is missing.
        """
        entities, workers = results_of(full, "entities"), results_of(full, "workers")
        largest = entities["points"][max(entities["points"], key=int)]
        return cls(
            worker_cpu_us=largest["worker_cpu_us"],
            redis_cpu_us=largest["redis_cpu_us"],
            kafka_cpu_us=largest["kafka_cpu_us"],
            bytes_in=workers["log_bytes_in"],
            bytes_out=workers["log_bytes_out"],
            state_bytes=entities["state_bytes"],
            entity_bytes=largest["redis_bytes_per_entity"],
            start_s=results_of(full, "cold_start")["first_score_s"],
        )


def results_of(full: Mapping[str, Any], part: str) -> Any:
    """The results of one part.

    Raises:
        NotMeasured: it is missing.
    """
    if part not in full:
        raise NotMeasured(f"part {part!r} is not measured; python -m benchmarks.full --part {part}")
    return full[part]["results"]
