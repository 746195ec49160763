"""What the documents' blocks hold, by name, and what the plots show."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.capacity.tables import capacity_tables
from benchmarks.full.run import FULL
from benchmarks.full.tables import TABLES, table_of
from benchmarks.pages.goals import goals_table
from benchmarks.plan import ROOT
from benchmarks.results import LATEST

DOCUMENTS = (ROOT / "docs" / "benchmark.md", ROOT / "docs" / "capacity.md")
PLOTS = ROOT / "docs" / "img"


@dataclass(frozen=True)
class Measured:
    """The two files of results.

    Attributes:
        latest: of `python -m benchmarks`; full: of `python -m benchmarks.full`.
    """

    latest: Mapping[str, Any]
    full: Mapping[str, Any]

    @classmethod
    def read(cls, latest: Path = LATEST, full: Path = FULL) -> "Measured":
        """From the files.

        Raises:
            FileNotFoundError: one is not there.
        """
        return cls(json.loads(latest.read_text()), json.loads(full.read_text()))


def blocks_of(measured: Measured) -> dict[str, str]:
    """Every block as Markdown.

    Raises:
        NotMeasured: the capacity needs a part that was not measured.
    """
    full = measured.full
    parts = {name: table_of(name, full[name]["results"]).markdown() for name in TABLES if name in full}
    capacity = {f"capacity {name}": table.markdown() for name, table in capacity_tables(full).items()}
    goals = goals_table(measured.latest, full).markdown()
    return {**parts, **capacity, "goals": goals, "measured on": measured_on(full)}


def measured_on(full: Mapping[str, Any]) -> str:
    """Machine, versions and repetitions in a sentence; those of the part that took longest."""
    part = max(full.values(), key=lambda one: one["took_s"])
    machine, versions, plan = part["machine"], part["versions"], part["plan"]
    minutes = sum(one["took_s"] for one in full.values()) / 60
    return (
        f"Measured on {machine['cores']} cores of {machine['processor']} with {machine['memory_gb']:.0f} GB, broker "
        f"and Redis beside the workers; Python {versions['python']}, Kafka {versions['kafka_broker']}, "
        f"{versions['redis_server']}; {plan['repetitions']} run(s) of {plan['seconds']:g} s for each point, alternated, "
        f"{minutes:.0f} minutes in all."
    )
