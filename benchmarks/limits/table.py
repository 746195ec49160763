"""The limits as a table."""

from collections.abc import Mapping
from typing import Any

from benchmarks.table import Table


def limits_table(limits: Mapping[str, Any]) -> Table:
    """Events per second of each limit, and CPU of the servers beside it.

    Args:
        limits: by name, as `limit_dict` gives them.
    """
    return Table(
        "limits: each part of the work alone",
        ("limit", "events/s", "per CPU second", "Kafka CPU us/event", "Redis CPU us/event"),
        tuple(
            (
                limit["what"], f"{limit['events_per_second']:,.0f}", f"{limit['events_per_cpu_second']:,.0f}",
                f"{limit['kafka_cpu_us']:.2f}", f"{limit['redis_cpu_us']:.2f}",
            )
            for limit in limits.values()
        ),
    )  # fmt: skip
