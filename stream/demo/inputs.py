"""What the demo feeds: the shipped payments with frauds put among them, and the shipped closes, as two files."""

from dataclasses import dataclass
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
    """Everything the demo feeds, and the ids of the payments that are injected frauds."""

    inputs: tuple[DemoInput, ...]
    injected: frozenset[str]

    @property
    def rows(self) -> int:
        """Events of all inputs together."""
        return sum(each.rows for each in self.inputs)


def write_inputs(folder: Path) -> DemoInputs:
    """Writes both files into an existing folder; the same ones every time."""
    payments, injected = inject(_shipped("payments_demo"), DEMO_SEED, FRAUDS)
    closes = _shipped("closes_demo")
    return DemoInputs(
        inputs=(
            _write(folder / PAYMENTS_FILE, PAYMENTS, payments, PAYMENTS_LIVE_FROM),
            _write(folder / CLOSES_FILE, CLOSES, closes, CLOSES_LIVE_FROM),
        ),
        injected=frozenset(injected),
    )


def _shipped(name: str) -> pl.DataFrame:
    return pl.read_parquet((files("stream.demo") / "data" / f"{name}.parquet").read_bytes())


def _write(file: Path, topic: str, events: pl.DataFrame, live_from: datetime) -> DemoInput:
    events.write_parquet(file)
    live_from_ms = round(live_from.timestamp() * 1_000)
    history = int((events["occurred_at_ms"] < live_from_ms).sum())
    return DemoInput(topic=topic, file=file, rows=events.height, history=history)
