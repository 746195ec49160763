"""Outcomes for people: a table in the terminal."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from training.protocols.outcome import Outcome
from training.protocols.protocol import Read

_NUMBERS = ("value", "95 %", "its value", "difference")
_COLOURS = {"ahead": "green", "behind": "red", "level": "yellow"}


def show(read: Read, outcomes: Sequence[Outcome]) -> None:
    """Prints what a protocol found."""
    table = Table(title=f"{read.name} ({read.sha256[:12]}): {read.protocol.about}", title_justify="left")
    for name in ("figure", "model", "value", "95 %", "baseline", "its value", "difference", ""):
        table.add_column(name, justify="right" if name in _NUMBERS else "left")
    for each in outcomes:
        low, high = each.difference_ci95
        table.add_row(
            each.metric, each.model, f"{each.value:.4f}", f"{each.ci95[0]:.4f} to {each.ci95[1]:.4f}", each.baseline,
            f"{each.baseline_value:.4f}", f"{each.difference:+.4f} ({low:+.4f} to {high:+.4f})",
            f"[{_COLOURS[each.verdict]}]{each.verdict}[/]",
        )  # fmt: skip
    console = Console()
    console.print(table)
    first = outcomes[0] if outcomes else None
    if first:
        said = f"{first.n:,} rows" + ("" if first.positives is None else f", {first.positives:,} positive")
        seeds = ", ".join(map(str, first.seeds))
        console.print(f"{said}; medians of the seeds {seeds}; {read.protocol.resamples:,} resamples")
