"""The last thing a demo of one use says: what came back, what was checked, and what to type next."""

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table

from stream.demo.closing import next_commands, tell_next, telling
from stream.demo.run import Demo
from stream.demo.summary import Extras, Summary, UseSummary, delivery_problems
from stream.demo.use import Judged, Use


def use_summary(name: str, summary: Summary, extras: Extras, judged: Judged, *, repeated: int) -> UseSummary:
    """The summary of a use: what every demo counts, and what this one found.

    Args:
        repeated: scores and dead letters beyond the first of their event and scorer.
    """
    problems = [*delivery_problems(summary, extras), *judged.problems]
    if repeated:
        problems.append(f"{repeated:,} scores or dead letters came more than once; see the worker's log")
    return UseSummary(
        use=name,
        events=summary.events,
        scores=summary.scores,
        alerts=summary.alerts,
        dead_letters=summary.dead_letters,
        missing=summary.missing,
        repeated=repeated,
        p50_ms=summary.p50_ms,
        p99_ms=summary.p99_ms,
        seconds=round(extras.seconds, 1),
        figures=judged.figures,
        problems=problems,
    )


def tell_use(console: Console, demo: Demo, use: Use, judged: Judged, said: UseSummary) -> None:
    """Prints the end of the demo of one use for people."""
    for shown in judged.shown:
        console.print(f"\n[bold]{escape(shown.title)}[/]", soft_wrap=True)
        console.print(Padding(shown.table, (0, 2)))
    console.print()
    console.print(Panel(_counted(demo, said), title=f"riskstream demo --use {use.name}: {said.seconds:.0f} s"))
    for problem in said.problems:
        console.print(f"[bold red]✗[/] {escape(problem)}", soft_wrap=True)
    if not said.problems:
        scorers = "its scorer" if len(use.scorers) == 1 else f"each of its {len(use.scorers)} scorers"
        console.print(f"[green]✓[/] every event has exactly one score or dead letter of {scorers}")
        console.print(f"[green]✓[/] {escape(judged.checked)}")
    last = telling(demo.state)
    tell_next(console, next_commands(demo.folder, last, replayed=use.replayed, scorer=use.scorers[0]))


def _counted(demo: Demo, said: UseSummary) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(style="dim")
    ledger = demo.ledger
    table.add_row("events in", f"{said.events:,}", ", ".join(demo.state.topics))
    for name, scorer in ledger.scorers.items():
        about = f"challenger, never alerts: {scorer.use}" if scorer.shadow else scorer.use
        table.add_row(f"scores of {name}", f"{ledger.scores[name]:,}", escape(about))
    levels = ", ".join(f"{name} {ledger.levels[name]:,}" for name in ("watch", "alert"))
    table.add_row("alerts", f"{said.alerts:,}", f"levels: {levels}; alerts too soon after another are held back")
    table.add_row("dead letters", f"{said.dead_letters:,}", "records refused with a reason")
    table.add_row("missing", f"{said.missing:,}", "pairs of event and scorer without score or dead letter")
    rate = demo.state.events_per_second
    for name, value in (("p50", said.p50_ms), ("p99", said.p99_ms)):
        told = "–" if value is None else f"{value:.1f} ms"
        table.add_row(f"latency {name}", told, f"due at the producer to stamped by the broker, {rate:,.0f} events/s")
    return table
