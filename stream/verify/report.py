"""What people and programs see of a verification."""

from types import TracebackType
from typing import Self

import msgspec
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from scoring.store.contract import Partition
from stream.verify.findings import Findings

MEANING = {
    "inputs": "input records",
    "missing": "inputs without the answer of a scorer",
    "duplicates_identical": "answers that are there again, byte for byte",
    "duplicates_different": "answers that contradict an earlier one",
    "unexpected": "answers to nothing",
    "out_of_order": "scores behind a later one of the same scorer",
    "alerts_wrong": "alerts that are missing, or that no score asks for",
    "different": "answers that the log, scored again, does not give",
    "state_mismatches": "states in Redis that are not those of the log",
    "alert_state_mismatches": "cool-downs in Redis that are not those of the log",
}
"""What each count says, in the order in which they are shown."""


class Report:
    """A line of progress on standard error while the verification runs."""

    def __init__(self, *, quiet: bool) -> None:
        columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        self._bar = Progress(*columns, console=Console(stderr=True), disable=quiet, transient=True)
        self._task = self._bar.add_task("reading", total=None)

    def __enter__(self) -> Self:
        self._bar.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.__exit__(kind, error, trace)

    def progress(self, partition: Partition, inputs: int) -> None:
        """Shows how far it is."""
        self._bar.update(self._task, description=f"{partition}: {inputs:,} inputs")


def print_findings(findings: Findings, *, as_json: bool) -> None:
    """The findings as a table with examples, or as one JSON object."""
    if as_json:
        print(msgspec.json.encode({**msgspec.to_builtins(findings), "broken": findings.broken}).decode())
        return
    console = Console(highlight=False, soft_wrap=True)
    table = Table(show_header=False, box=None)
    broken = findings.broken
    for name, meaning in MEANING.items():
        style = "bold red" if name in broken else ""
        table.add_row(f"{getattr(findings, name):,}", meaning, style=style)
    console.print(table)
    for name in broken:
        for example in findings.examples.get(name, ()):
            console.print(f"  {name}: {example}", markup=False)
    for note in findings.notes:
        console.print(f"not checked: {note}", style="yellow", markup=False)
    if broken:
        console.print("the promises do not hold", style="bold red")
    else:
        console.print("every input has its one answer, and all is as the log says", style="green")
