"""The last thing a demo says: the figures, what was wrong, and what to type next."""

import shutil
import sys
from pathlib import Path

from rich.console import Console, RenderableType
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

from schemas.alert import Alert
from stream.demo.alert_table import alert_table, alerts_title
from stream.demo.frauds import episode_of
from stream.demo.inputs import PAYMENTS_FILE
from stream.demo.state import DemoState
from stream.demo.summary import Extras, Summary

ALERTS_SHOWN = 8


def tell_closing(
    console: Console, state: DemoState, folder: Path, summary: Summary, extras: Extras, problems: list[str]
) -> None:
    """Prints the end of the demo for people."""
    if console.is_terminal:
        console.print(Panel(alert_table(state, ALERTS_SHOWN), title=alerts_title(state), border_style="red"))
    console.print(Panel(figures(summary, extras), title=f"riskstream demo: {extras.seconds:.0f} s"))
    for problem in problems:
        console.print(f"[bold red]✗[/] {escape(problem)}", soft_wrap=True)
    if not problems:
        console.print(
            "[green]✓[/] every event has its scores, the frauds were found, and few events were alerted"
        )
    tell_next(console, next_commands(folder, telling(state)))


def tell_next(console: Console, commands: list[tuple[str, str]]) -> None:
    """Prints commands to type next, each with what it does."""
    console.print("\n[bold]what to type next[/]")
    for line, about in commands:
        console.print(f"  [bold cyan]{escape(line)}[/]\n      [dim]{about}[/]", soft_wrap=True)


def next_commands(
    folder: Path, last: Alert | None, *, replayed: str = PAYMENTS_FILE, scorer: str = "payment_anomaly"
) -> list[tuple[str, str]]:
    """Three commands to type next, each with what it does.

    Args:
        folder: of the demo.
        last: an alert to explain; without one all alerts are listed instead.
        replayed: file of the folder to replay, with the scorer named.
    """
    program, folder = program_as_typed(), _short(folder)
    there = f"RISKSTREAM_DATA_DIR={folder} {program}"
    explaining = f"explain {last.score_id}" if last else "subscribe alerts --from earliest"
    replaying = f"replay {folder / replayed} --scorer {scorer} --out scores.parquet"
    return [
        (f"{there} up --detach", "this demo's Kafka and Redis again, with all that came out"),
        (f"{there} {explaining}", "why that was alerted: every feature and what it adds"),
        (f"{program} {replaying}", "the same scores again from the file, without any service"),
    ]


def program_as_typed() -> str:
    """How to call this program from here: `riskstream` if the shell finds it, else its path."""
    return (
        "riskstream"
        if shutil.which("riskstream")
        else str(_short(Path(sys.executable).with_name("riskstream")))
    )


def figures(summary: Summary, extras: Extras) -> RenderableType:
    """The figures of the summary with what each means."""
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(style="dim")
    share = extras.alerted / summary.events if summary.events else 0.0
    table.add_row("events in", f"{summary.events:,}", "payments of a web shop, daily closes of 20 shares")
    table.add_row(
        "scores", f"{summary.scores:,}", ", ".join(f"{name} {n:,}" for name, n in extras.scores.items())
    )
    table.add_row("alerts", f"{summary.alerts:,}", _first(extras.first_alert_s))
    table.add_row(
        "events alerted", f"{extras.alerted:,}", f"{share:.1%} of all, held back by a cool-down or not"
    )
    table.add_row("dead letters", f"{summary.dead_letters:,}", "records refused with a reason")
    table.add_row("missing", f"{summary.missing:,}", "pairs of event and scorer without score or dead letter")
    found = f"{summary.injected_found} of {summary.injected}"
    table.add_row("injected frauds found", found, "payments whose own score has level alert")
    measured = f"due at the producer to stamped by the broker, {extras.events_per_second:,.0f} events/s"
    table.add_row("latency p50", _milliseconds(summary.p50_ms), measured)
    table.add_row("latency p99", _milliseconds(summary.p99_ms), f"over {extras.steady_events:,} events")
    return table


def telling(state: DemoState) -> Alert | None:
    """The last alert on an injected fraud, else the last of all; None when there was none."""
    alerts = list(state.ledger.shown)
    return next(
        (each for each in reversed(alerts) if episode_of(each.event_id)), alerts[-1] if alerts else None
    )


def _first(seconds: float | None) -> str:
    return "there was none" if seconds is None else f"the first {seconds:.1f} s after the services were ready"


def _short(path: Path) -> Path:
    try:
        return path.relative_to(Path.cwd())
    except ValueError:
        return path


def _milliseconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f} ms"
