"""What the demo feeds, as files: the shipped payments with frauds put among them, and the shipped closes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

import polars as pl

from schemas.catalog import event_types
from scoring.files.mapping import IDENTITY
from stream.demo.frauds import DEMO_SEED, inject
from stream.feed.run import Order

FRAUDS = 20
"""Fraud episodes, an equal number of each kind; together some 90 of 8,400 payments."""

PAYMENTS_FILE = "payments.parquet"
CLOSES_FILE = "closes.parquet"
PAYMENTS = "transactions"
CLOSES = "market-ticks"
PAYMENTS_LIVE_FROM = datetime(2011, 11, 1, tzinfo=UTC)
CLOSES_LIVE_FROM = datetime(2008, 9, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class DemoInput:
    """One file that the demo feeds into one topic.

    Attributes:
        file: Parquet, columns named like the fields of the topic's event.
        rows: events in the file.
        history: how many of them, from the first on, go in at full speed; they build the history that the
            others, which go in at a steady rate, are judged against.
    """

    topic: str
    file: Path
    rows: int
    history: int

    def order(self, *, from_row: int = 0, limit: int | None = None) -> Order:
        """The order to feed some of the rows; all of them when nothing is given."""
        return Order(
            topic=self.topic, files=(self.file,), mapping=IDENTITY, event_type=event_types()[self.topic],
            from_row=from_row, limit=limit,
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class DemoInputs:
    """Everything the demo feeds, with the ids of the payments that are injected frauds.

    Attributes:
        labels: what came true, 1 or 0, by event id, where the data tell it; nobody feeds it.
    """

    inputs: tuple[DemoInput, ...]
    injected: frozenset[str] = frozenset()
    labels: Mapping[str, int] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """Events of all inputs together."""
        return sum(each.rows for each in self.inputs)


def write_inputs(folder: Path) -> DemoInputs:
    """Writes both files into an existing folder; the same ones every time."""
    payments = write_payments(folder)
    closes = write_input(folder / CLOSES_FILE, CLOSES, shipped("closes_demo"), CLOSES_LIVE_FROM)
    return DemoInputs(inputs=(*payments.inputs, closes), injected=payments.injected)


def write_payments(folder: Path) -> DemoInputs:
    """Writes the payments with the injected frauds into an existing folder; the same ones every time."""
    payments, injected = inject(shipped("payments_demo"), DEMO_SEED, FRAUDS)
    written = write_input(folder / PAYMENTS_FILE, PAYMENTS, payments, PAYMENTS_LIVE_FROM)
    return DemoInputs(inputs=(written,), injected=frozenset(injected))


def shipped(name: str) -> pl.DataFrame:
    """A file of `stream/demo/data`, by its name without ending."""
    return pl.read_parquet((files("stream.demo") / "data" / f"{name}.parquet").read_bytes())


def write_input(file: Path, topic: str, events: pl.DataFrame, live_from: datetime) -> DemoInput:
    """Writes events, in order of time, as a file to feed; those from `live_from` on go in at a steady rate."""
    events.write_parquet(file)
    live_from_ms = round(live_from.timestamp() * 1_000)
    history = int((events["occurred_at_ms"] < live_from_ms).sum())
    return DemoInput(topic=topic, file=file, rows=events.height, history=history)
