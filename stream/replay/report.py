"""What people and programs see of a replay."""

from types import TracebackType
from typing import Self

import msgspec
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from stream.replay.compare import Difference
from stream.replay.order import Order, Summary


class Report:
    """A line of progress on standard error while the replay runs."""

    def __init__(self, *, quiet: bool) -> None:
        columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        self._bar = Progress(*columns, console=Console(stderr=True), disable=quiet, transient=True)
        self._task = self._bar.add_task("replaying", total=None)

    def __enter__(self) -> Self:
        self._bar.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.__exit__(kind, error, trace)

    def progress(self, summary: Summary) -> None:
        """Shows how far it is."""
        rate = summary.events / summary.seconds if summary.seconds else 0
        self._bar.update(
            self._task, description=f"{summary.events:,} events, {rate:,.0f}/s, {summary.alerts:,} alerts"
        )


def print_summary(summary: Summary, order: Order, *, as_json: bool) -> None:
    """The summary as a table, or as one JSON object."""
    if as_json:
        print(msgspec.json.encode(summary).decode())
        return
    console = Console()
    table = Table(show_header=False, box=None)
    for name, value in (
        ("events", f"{summary.events:,}"),
        ("events per second", f"{summary.events_per_second:,.0f}"),
        ("scores", f"{summary.scores:,}"),
        ("alerts", f"{summary.alerts:,}"),
        ("dead letters", f"{summary.dead_letters:,}"),
    ):
        table.add_row(name, value)
    for reason, count in sorted(summary.refused.items()):
        table.add_row(f"  {reason}", f"{count:,}")
    if order.out is not None:
        table.add_row("scores are in", str(order.out))
    console.print(table)
    if summary.difference is not None:
        _print_difference(console, summary.difference)


def _print_difference(console: Console, difference: Difference) -> None:
    style = "green" if difference.verdict == "identical" else "yellow"
    console.print(f"verdict: [{style}]{difference.verdict}[/]")
    console.print(
        f"{difference.joined:,} scores on both sides, {difference.only_served:,} only served, "
        f"{difference.only_replayed:,} only replayed; largest difference {difference.largest_difference:.6g}; "
        f"features differ in {difference.features_differ:,}"
    )
    console.print(
        f"alerts gained {difference.alerts_gained:,}, lost {difference.alerts_lost:,}, "
        f"levels moved {difference.levels_moved:,}"
    )
    for title, rows in (("reason", difference.by_reason), ("entity", difference.by_entity)):
        if rows:
            table = Table(title, "gained", "lost")
            for row in rows:
                table.add_row(str(row[title]), str(row["gained"]), str(row["lost"]))
            console.print(table)
