"""Messages as lines for people: one line each, columns aligned, colours by level."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.text import Text

from stream.subscribe.message import Kind, Message

STYLES = {"alert": "bold red", "watch": "yellow", "none": "dim"}
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_HEADERS: dict[Kind, tuple[str, ...]] = {
    "score": ("event time (UTC)", "level", "score", "scorer", "entity", "event", "why"),
    "alert": ("event time (UTC)", "level", "score", "scorer", "entity", "event", "why"),
    "dead_letter": ("record", "reason", "path", "detail"),
    "event": ("event time (UTC)", "key", "event"),
    "unreadable": ("record", "value"),
}
_WIDTHS: dict[Kind, tuple[int, ...]] = {
    "score": (23, 5, 8, 18, 16, 24, 0),
    "alert": (23, 5, 8, 18, 16, 24, 0),
    "dead_letter": (28, 17, 20, 0),
    "event": (23, 16, 0),
    "unreadable": (28, 0),
}


class Lines:
    """Prints messages, with a header line wherever the kind of message changes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._kind: Kind | None = None

    def print(self, messages: Iterable[Message]) -> None:
        """Prints the messages in their order."""
        for message in messages:
            if message.kind != self._kind:
                self._kind = message.kind
                self._console.print(header(message.kind))
            self._console.print(row(message))


def header(kind: Kind) -> Text:
    """The line above messages of this kind."""
    return Text(_aligned(_HEADERS[kind], _WIDTHS[kind]), style="bold")


def row(message: Message) -> Text:
    """The message as one line; characters that could steer a terminal are replaced."""
    cells = [_plain(cell) for cell in _CELLS[message.kind](message)]
    style = STYLES.get(message.level or "", "yellow" if message.kind in ("dead_letter", "unreadable") else "")
    return Text(_aligned(cells, _WIDTHS[message.kind]), style=style)


def _score(message: Message) -> tuple[str, ...]:
    content = message.content
    value = content.get("value")
    marks = [*content.get("flags", ()), *(["shadow"] if content.get("shadow") else [])]
    why = ", ".join(map(str, content.get("reasons", ())))
    if content.get("explanation"):
        why = str(content["explanation"])
    if content.get("suppressed_by"):
        marks.append(f"held back by {content['suppressed_by']}")
    return (
        _moment(content.get("occurred_at_ms")),
        str(message.level or ""),
        f"{value:.6f}" if isinstance(value, int | float) else "",
        str(content.get("scorer", "")),
        message.entity,
        str(content.get("event_id", "")),
        f"{why} ({', '.join(marks)})" if marks else why,
    )


def _dead_letter(message: Message) -> tuple[str, ...]:
    content = message.content
    source = content.get("source")
    place = source if isinstance(source, dict) else {}
    where = f"{place.get('topic', '?')}/{place.get('partition', '?')}/{place.get('offset', '?')}"
    return where, str(content.get("reason", "")), str(content.get("path", "")), str(content.get("detail", ""))


def _event(message: Message) -> tuple[str, ...]:
    rest = {name: value for name, value in message.content.items() if name != "occurred_at_ms"}
    fields = " ".join(f"{name}={value}" for name, value in rest.items())
    return _moment(message.content.get("occurred_at_ms")), message.entity, fields


def _unreadable(message: Message) -> tuple[str, ...]:
    record = message.record
    value = repr((record.value or b"")[:200])
    return f"{record.topic}/{record.partition}/{record.offset}", value


_CELLS = {
    "score": _score,
    "alert": _score,
    "dead_letter": _dead_letter,
    "event": _event,
    "unreadable": _unreadable,
}


def _aligned(cells: tuple[str, ...] | list[str], widths: tuple[int, ...]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def _moment(time_ms: Any) -> str:
    if not isinstance(time_ms, int):
        return ""
    try:
        moment = _EPOCH + dt.timedelta(milliseconds=time_ms)
    except OverflowError:
        return str(time_ms)
    return moment.strftime("%Y-%m-%d %H:%M:%S.") + f"{time_ms % 1_000:03d}"


def _plain(text: str) -> str:
    return "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text
    )
