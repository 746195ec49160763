"""The last alerts as a table: when, who, how high, and why in words."""

from rich.markup import escape
from rich.table import Table

from schemas.alert import Alert
from stream.demo.frauds import episode_of
from stream.demo.state import DemoState, day_of
from stream.printable import printable

SHOWN = 40
REASONS_SHOWN = 2


def alert_table(state: DemoState, most: int = SHOWN) -> Table:
    """The last alerts, at most so many, the newest first; once all is over those on injected frauds lead."""
    table = Table(expand=True, box=None, pad_edge=False, header_style="bold")
    table.add_column("event time", no_wrap=True)
    table.add_column("entity", no_wrap=True)
    table.add_column("score", no_wrap=True, justify="right")
    table.add_column("scorer", no_wrap=True)
    table.add_column("why", ratio=1, no_wrap=True, overflow="ellipsis")
    alerts = list(state.ledger.shown)[::-1]
    if state.done:
        alerts.sort(key=lambda alert: not _is_injected(alert))
    for alert in alerts[:most]:
        mark = "[magenta]● injected fraud[/]  " if _is_injected(alert) else ""
        table.add_row(
            day_of(alert.occurred_at_ms), escape(printable(alert.entity)), f"[red]{alert.value:.4f}[/]", alert.scorer,
            mark + escape(printable(why(alert))),
        )  # fmt: skip
    return table


def alerts_title(state: DemoState) -> str:
    """What stands above the table."""
    injected = state.done and state.ledger.injected
    return "alerts, those on injected frauds first" if injected else "last alerts"


def why(alert: Alert) -> str:
    """The leading reasons of an alert in words."""
    return "; ".join(alert.explanation.split("; ")[:REASONS_SHOWN])


def _is_injected(alert: Alert) -> bool:
    return episode_of(alert.event_id) is not None
