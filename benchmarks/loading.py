"""Payments into Kafka by the project's own sender, and into a file for what reads files."""

import asyncio
from collections.abc import Iterable
from pathlib import Path

import polars as pl

from benchmarks.payments import Payments
from schemas.events.transaction import EVENT
from stream.feed.records import as_records
from stream.feed.sender import BatchSender
from stream.settings import Settings


def load_backlog(settings: Settings, frames: Iterable[pl.DataFrame]) -> float:
    """Loads payments into their topic; the mean bytes of a record's value.

    Raises:
        JobFailed: Kafka does not take them.
    """
    return asyncio.run(_load(settings, frames))


async def _load(settings: Settings, frames: Iterable[pl.DataFrame]) -> float:
    count = total_bytes = 0
    async with BatchSender(settings, EVENT.topic) as sender:
        for frame in frames:
            records = as_records(frame, EVENT, sender.partition_count)
            count += len(records)
            total_bytes += sum(map(len, records.values))
            await sender.send(records)
        await sender.flush()
    return total_bytes / max(1, count)


def write_file(payments: Payments, count: int, path: Path) -> Path:
    """The first `count` payments as a Parquet file."""
    pl.concat(payments.frames(count)).write_parquet(path)
    return path
