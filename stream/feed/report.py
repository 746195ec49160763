"""What a feed tells: progress on a terminal, refused rows, and the summary at the end."""

import datetime as dt
import json
from pathlib import Path
from typing import TextIO

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars
from rich.table import Table

from scoring.files import RefusedRow
from stream.feed.run import Progress

ROWS_SHOWN = 20


class Report:
    """Follows a feed. Use as a context manager; everything goes to standard error but the summary.

    Args:
        console: of standard error.
        total: events that will come, when known.
        refused_to: file that takes every refused row as a JSON line.
    """

    def __init__(
        self, console: Console, *, topic: str, total: int | None = None, refused_to: Path | None = None
    ) -> None:
        self._console, self._topic = console, topic
        self._refused_to = refused_to
        self._file: TextIO | None = None
        self._shown = 0
        self._bars = Bars(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]:>12}"),
            TextColumn("[yellow]{task.fields[refused]}"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._bars.add_task(f"feeding {topic}", total=total, rate="", refused="")

    def __enter__(self) -> "Report":
        if self._refused_to is not None:
            self._file = self._refused_to.open("w", encoding="utf-8")
        self._bars.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._bars.stop()
        if self._file is not None:
            self._file.close()

    def progress(self, progress: Progress) -> None:
        """Moves the bar."""
        refused = f"{progress.refused:,} refused" if progress.refused else ""
        if progress.labels_refused:
            refused += f" {progress.labels_refused:,} labels refused"
        rate = f"{progress.events_per_second:,.0f}/s"
        if progress.labels:
            rate += f" {progress.labels:,} labels"
        self._bars.update(self._task, completed=progress.events, rate=rate, refused=refused)

    def refused(self, rows: list[RefusedRow]) -> None:
        """Tells of refused rows and labels: the first ones here, all of them in the file."""
        for row in rows:
            if self._file is not None:
                self._file.write(_line(row) + "\n")
            if self._shown < ROWS_SHOWN:
                self._console.print(
                    f"[yellow]refused[/] {escape(told(row))}",
                    highlight=False,
                    soft_wrap=True,
                )
            elif self._shown == ROWS_SHOWN and self._refused_to is None:
                self._console.print("[yellow]refused[/] more rows; --refused-to FILE writes all of them")
            self._shown += 1


def summary(topic: str, progress: Progress) -> dict[str, object]:
    """The end of a feed for programs."""
    return {
        "topic": topic,
        "events": progress.events - progress.asked,
        "asked": progress.asked,
        "labels": progress.labels,
        "labels_unknown": progress.labels_unknown,
        "labels_refused": progress.labels_refused,
        "labels_refused_by_rule": dict(sorted(progress.labels_refused_by_rule.items())),
        "refused": progress.refused,
        "refused_by_rule": dict(sorted(progress.refused_by_rule.items())),
        "filtered": progress.filtered,
        "seconds": round(progress.seconds, 3),
        "events_per_second": round(progress.events_per_second, 1),
        "first_event_ms": progress.first_ms,
        "last_event_ms": progress.last_ms,
    }


def summary_table(topic: str, progress: Progress) -> Table:
    """The end of a feed for people."""
    table = Table(title=f"fed to {topic}", show_header=False, title_justify="left")
    table.add_row("events", f"{progress.events - progress.asked:,}")
    if progress.asked:
        table.add_row("questions as of a time", f"{progress.asked:,}")
    if progress.labels or progress.labels_unknown or progress.labels_refused:
        table.add_row("labels", f"{progress.labels:,}")
        table.add_row("events whose label is not known", f"{progress.labels_unknown:,}")
        table.add_row("labels refused", f"{progress.labels_refused:,}")
        for reason, count in progress.labels_refused_by_rule.most_common():
            table.add_row(f"  {reason}", f"{count:,}")
    table.add_row("event time", f"{_day(progress.first_ms)} to {_day(progress.last_ms)}")
    table.add_row("refused", f"{progress.refused:,}")
    for reason, count in progress.refused_by_rule.most_common():
        table.add_row(f"  {reason}", f"{count:,}")
    table.add_row("left out by the mapping's where", f"{progress.filtered:,}")
    table.add_row("seconds", f"{progress.seconds:,.1f}")
    table.add_row("events per second", f"{progress.events_per_second:,.0f}")
    return table


def told(row: RefusedRow) -> str:
    """A refused row in one line for people."""
    return f"{row.file.name} row {row.row}: {row.reason} at {row.path}: {row.detail}"


def _line(row: RefusedRow) -> str:
    return json.dumps(
        {"file": str(row.file), "row": row.row, "reason": row.reason, "path": row.path, "detail": row.detail},
        ensure_ascii=False,
    )


def _day(time_ms: int | None) -> str:
    if time_ms is None:
        return "none"
    moment = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(milliseconds=time_ms)
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def summary_json(topic: str, progress: Progress) -> str:
    """The summary as one line of JSON."""
    return msgspec.json.encode(summary(topic, progress)).decode()
