"""What a person sees while the demo runs: a live layout on a terminal, plain lines elsewhere."""

from types import TracebackType
from typing import Protocol, Self

from rich.console import Console, Group, RenderableType
from rich.layout import Layout
from rich.live import Live
from rich.markup import escape
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from scoring.clock import stopwatch_s
from stream.demo.alert_table import alert_table, alerts_title
from stream.demo.state import DemoState, day_of

REFRESH_PER_SECOND = 4
LINE_EVERY_S = 2.0


class Screen(Protocol):
    """Shows a demo's state; a context manager."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def phase(self, line: str) -> None:
        """Tells what begins now."""

    def look(self) -> None:
        """Called several times a second while events flow."""


class LiveScreen:
    """The whole terminal, redrawn from the state several times a second."""

    def __init__(self, console: Console, state: DemoState) -> None:
        self._state = state
        self._live = Live(
            get_renderable=lambda: picture(state), console=console, screen=True,
            refresh_per_second=REFRESH_PER_SECOND,
        )  # fmt: skip

    def __enter__(self) -> Self:
        self._live.start(refresh=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def phase(self, line: str) -> None:
        """See `Screen`."""
        self._state.phase = line

    def look(self) -> None:
        """See `Screen`; a thread of rich draws, so there is nothing to do."""


class PlainLines:
    """A line for every phase, and one every two seconds while events flow."""

    def __init__(self, console: Console, state: DemoState) -> None:
        self._console, self._state = console, state
        self._told_s = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._tell()

    def phase(self, line: str) -> None:
        """See `Screen`."""
        self._state.phase = line
        self._say(line)

    def look(self) -> None:
        """See `Screen`."""
        if stopwatch_s() - self._told_s >= LINE_EVERY_S:
            self._tell()

    def _tell(self) -> None:
        state, ledger = self._state, self._state.ledger
        if not state.fed_events:
            return
        self._told_s = stopwatch_s()
        delays = ledger.delay_ms(50), ledger.delay_ms(99)
        latency = "" if None in delays else f", p50 {delays[0]:.0f} ms, p99 {delays[1]:.0f} ms"
        found = f", {len(ledger.found)} of {len(ledger.injected)} frauds found" if ledger.injected else ""
        self._say(
            f"{state.fed_events:,} of {state.planned:,} events in, {sum(ledger.scores.values()):,} scores, "
            f"{ledger.alerts:,} alerts, {ledger.dead_letters:,} dead letters{found}{latency}"
        )

    def _say(self, line: str) -> None:
        self._console.print(
            f"{self._state.seconds:6.1f} s  {line}", markup=False, highlight=False, soft_wrap=True
        )


def screen_for(console: Console, state: DemoState) -> Screen:
    """The live screen on a terminal, plain lines elsewhere."""
    return LiveScreen(console, state) if console.is_terminal else PlainLines(console, state)


def picture(state: DemoState) -> RenderableType:
    """The whole screen as it is now."""
    layout = Layout()
    layout.split_column(Layout(_head(state), size=4), Layout(name="figures", size=12), Layout(name="alerts"))
    layout["figures"].split_row(
        Layout(Panel(_counters(state), title="events", border_style="blue")),
        Layout(Panel(_scorers(state), title="scores", border_style="blue")),
        Layout(Panel(_latency(state), title="latency", border_style="blue")),
    )
    layout["alerts"].update(Panel(alert_table(state), title=alerts_title(state), border_style="red"))
    return layout


def _head(state: DemoState) -> RenderableType:
    doing = Text.from_markup(f"[green]✓[/] {state.phase}") if state.done else Spinner("dots", state.phase)
    bar = ProgressBar(total=state.planned or 1, completed=state.fed_events, width=None)
    title = f"[bold]riskstream demo[/]  {escape(state.title)}"
    return Panel(Group(doing, bar), title=title, subtitle=f"{state.seconds:.0f} s", border_style="green")


def _counters(state: DemoState) -> Table:
    ledger, table = state.ledger, _figures()
    for topic in state.topics:
        table.add_row(topic, f"{state.fed[topic]:,}")
        table.add_row("  [dim]event time[/]", f"[dim]{day_of(ledger.occurred_at_ms.get(topic))}[/]")
    table.add_row("[bold]events in[/]", f"[bold]{state.fed_events:,}[/] of {state.planned:,}")
    table.add_row("rate now", "–" if state.done else f"{state.rate():,.0f} events/s")
    table.add_row("dead letters", f"{ledger.dead_letters:,}")
    if ledger.injected:
        found, injected = len(ledger.found), len(ledger.injected)
        table.add_row("[magenta]injected frauds found[/]", f"[magenta]{found} of {injected}[/]")
    return table


def _scorers(state: DemoState) -> Table:
    ledger, table = state.ledger, _figures()
    for name, scorer in ledger.scorers.items():
        told = f"{name} [dim](shadow)[/]" if scorer.shadow else name
        table.add_row(told, f"{ledger.scores[name]:,}")
    table.add_row("[bold]all scores[/]", f"[bold]{sum(ledger.scores.values()):,}[/]")
    table.add_row("[yellow]level watch[/]", f"[yellow]{ledger.levels['watch']:,}[/]")
    table.add_row("[red]level alert[/]", f"[red]{ledger.levels['alert']:,}[/]")
    table.add_row("[red]alerts published[/]", f"[red]{ledger.alerts:,}[/]")
    return table


def _latency(state: DemoState) -> RenderableType:
    table = _figures()
    for percent in (50, 90, 99):
        delay_ms = state.ledger.delay_ms(percent)
        table.add_row(f"p{percent}", "–" if delay_ms is None else f"{delay_ms:,.1f} ms")
    table.add_row("measured on", f"{len(state.ledger.delays_ms):,} scores")
    said = (
        f"From when an event is due at the producer to the broker's time stamp on its score, while "
        f"{state.events_per_second:,.0f} events/s go in. All on this machine."
    )
    return Group(table, Text(), Text(said, style="dim"))


def _figures() -> Table:
    table = Table.grid(padding=(0, 1), expand=True)
    table.add_column(ratio=1)
    table.add_column(justify="right", no_wrap=True)
    return table
