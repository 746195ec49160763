"""The state of an entity as tables for people."""

from rich.console import Console
from rich.table import Table

from stream.printable import moment, number, printable
from stream.state.look import AlertMemory, EntityState, ViewState

MOST_ROWS = 10


def print_state(state: EntityState, console: Console | None = None) -> None:
    """Prints what one partition holds of an entity; long lists end with how many more there are."""
    console = console or Console(highlight=False, markup=False)
    console.print(f"{printable(state.entity)} on {state.topic}, partition {state.partition}", style="bold")
    for view in state.views:
        _print_view(console, view)
    for alert in state.alerts:
        _print_alert(console, alert)


def _print_view(console: Console, state: ViewState) -> None:
    server = f", {state.memory_bytes} bytes in the server" if state.memory_bytes is not None else ""
    console.print(
        f"\nview {state.view}@{state.digest}: {state.packed_bytes} bytes packed{server}", soft_wrap=True
    )
    console.print(f"events are folded up to offset {state.next_offset}")
    if state.contents is None:
        console.print(state.problem or "", style="bold red")
        return
    contents = state.contents
    console.print("bytes: " + ", ".join(f"{part} {size}" for part, size in contents.bytes_by_part.items()))
    if contents.life:
        life = contents.life
        console.print(f"life since {moment(life.first_ms)}: {life.events} events on {life.days} days")
        for group, totals in life.totals.items():
            console.print(f"  {group}: " + ", ".join(f"{name} {number(total)}" for name, total in totals.items()))
    ring = Table("event time (UTC)", "numbers", "codes (hashes)", title=_title("ring", len(contents.ring)))
    for event in reversed(contents.ring[-MOST_ROWS:]):
        numbers = "  ".join(f"{name} {number(value)}" for name, value in event.numbers.items())
        codes = "  ".join(f"{name} {code or '-'}" for name, code in event.codes.items())
        ring.add_row(moment(event.occurred_at_ms), numbers, codes)
    console.print(ring)
    if contents.tiles:
        tiles = Table("from", "to (UTC)", "events", "series", title=_title("tiles", len(contents.tiles)))
        for tile in contents.tiles[-MOST_ROWS:][::-1]:
            series = "\n".join(
                f"{name}: " + ", ".join(f"{what} {number(value)}" for what, value in kept.items())
                for name, kept in tile.series.items()
                if kept["count"]
            )
            tiles.add_row(moment(tile.first_ms), moment(tile.last_ms), str(tile.events), series)
        console.print(tiles)
    if contents.history:
        newest = contents.history[-1]
        console.print(f"vector history: {len(contents.history)} steps; the newest:")
        console.print("  ".join(f"{name} {number(value)}" for name, value in newest.items()))


def _print_alert(console: Console, memory: AlertMemory) -> None:
    console.print(f"\ncool-downs of {memory.scorer}, in event time (UTC):")
    for held in memory.cool_downs:
        span = f"{moment(held.raised_at_ms)} to {moment(held.held_until_ms)}"
        console.print(f"  {span}  {held.reason}  {held.alert_id}", soft_wrap=True)


def _title(what: str, count: int) -> str:
    return f"{what}: {count}" + (f", the newest {MOST_ROWS}" if count > MOST_ROWS else "")
