"""How fast a worker's own code is with each kind of scorer: `python -m benchmarks.scorer_rates [--json]`.

Records to Kafka's batches and committed states as in a worker, with the states in memory and neither Kafka nor Redis:
what their clients take of each event is the same for all scorers and would hide the differences between them. One poll of
each line-up follows the other, so that a machine that becomes slower does so for all of them.
"""

import asyncio
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Annotated, Any

import numpy as np
import polars as pl
import typer
from rich.console import Console
from rich.table import Table

from benchmarks.payments import Payments
from benchmarks.plan import BUNDLES, Plan
from schemas.codec import EventDecoder
from schemas.event import EventType
from scoring.catalog import scorers
from scoring.engine import InForce
from scoring.partition import Emitted, PartitionState, StateCache
from scoring.poll import Poller
from scoring.records import LOG_APPEND_TIME, RecordReader
from scoring.store.contract import Partition
from scoring.store.memory import MemoryStore
from stream.bundle_library import BundleLibrary
from stream.feed.records import Records, as_records
from stream.worker.batches import block_batches
from stream.worker.memory import collect_seldom, keep_freed_memory

POLL_RECORDS = 4_000
WARM_POLLS = 40
"""Polls before the measured ones: accounts and symbols then have a past."""

SYMBOLS = 5_000
DAY_MS = 86_400_000
_NAMESPACE = "rates"


@dataclass(frozen=True)
class LineUp:
    """What scores each event: the first scorer live, the others in shadow."""

    name: str
    scorers: tuple[str, ...]


LINE_UPS = (
    LineUp("autoencoder", ("payment_anomaly",)),
    LineUp("attention", ("payment_attention",)),
    LineUp("autoencoder, attention in shadow", ("payment_anomaly", "payment_attention")),
    LineUp("recurrent (GRU)", ("tick_anomaly",)),
)


@dataclass
class Used:
    """CPU microseconds of one line-up, all threads, per poll and event; microseconds per event and stage in `stages`."""

    events: int = 0
    polls: list[float] = field(default_factory=list)
    stages: dict[str, float] = field(default_factory=dict)

    @property
    def median(self) -> float:
        """Of all polls."""
        return float(np.median(self.polls))


class Pipeline:
    """One line-up over its own partition, states in memory."""

    def __init__(self, line_up: LineUp, library: BundleLibrary) -> None:
        declared = [scorers()[name] for name in line_up.scorers]
        self.event_type: EventType = declared[0].event
        self.used, self._next_offset = Used(), 0
        self._store, self._view = MemoryStore(_NAMESPACE), declared[0].view
        self._poller = Poller(self._store)
        self._in_force = {
            each.name: [(0, InForce(each, library.champion(each), each.policy, live=not number))]
            for number, each in enumerate(declared)
        }

    async def open(self) -> None:
        """Takes the partition over."""
        partition = Partition(self.event_type.topic, 0)
        await self._store.open()
        lease = await self._store.acquire(partition, partition_count=1)
        decoder = EventDecoder(self.event_type)
        self._state = PartitionState(
            partition=partition, partition_count=1, lease=lease, views=[self._view],
            reader=RecordReader(decoder, 0, 1, "murmur2", 0), namespace=_NAMESPACE,
            cache=StateCache(100_000), emitted=Emitted(0), next_offset=0, in_force=dict(self._in_force),
            committed={self._view.digest: None},
        )  # fmt: skip

    async def take(self, records: Records, *, measured: bool) -> None:
        """Scores, writes and commits one poll."""
        poll = [self._record(*each) for each in zip(records.keys, records.values, strict=True)]
        began = time.process_time()
        prepared = await self._poller.prepare({self._state: poll})
        for written in prepared.outputs.values():
            sum(count for _, count in block_batches(written.blocks, "none"))
        for state, steps in prepared.steps.items():
            state.lease = await self._store.commit(state.lease, steps)
            state.cache.unpin(prepared.pinned[state])
        cpu_s = time.process_time() - began
        if measured:
            self.used.events += len(poll)
            self.used.polls.append(cpu_s / len(poll) * 1e6)
            for stage, seconds in prepared.seconds.items():
                self.used.stages[stage] = self.used.stages.get(stage, 0.0) + seconds

    def close(self) -> None:
        """Ends the kernels' thread."""
        self._poller.close()

    def _record(self, key: bytes, value: bytes) -> Any:
        offset, self._next_offset = self._next_offset, self._next_offset + 1
        return SimpleNamespace(
            offset=offset, timestamp=2**50, timestamp_type=LOG_APPEND_TIME, key=key, value=value, headers=()
        )


def daily_closes(seed: int, count: int) -> Iterator[pl.DataFrame]:
    """The first `count` closes of `SYMBOLS` shares, day by day; returns have heavy tails, as those of real shares."""
    draw = np.random.default_rng(seed)
    names = [f"S{number:05d}" for number in range(SYMBOLS)]
    price, spread = np.exp(draw.normal(3.5, 0.7, SYMBOLS)), np.exp(draw.normal(-4.0, 0.3, SYMBOLS))
    for day in range(-(-count // SYMBOLS)):
        price = price * np.exp(spread * draw.standard_t(4, SYMBOLS))
        yield pl.DataFrame(
            {
                "event_id": [f"{name}-{day}" for name in names],
                "occurred_at_ms": np.full(SYMBOLS, 631_314_000_000 + day * DAY_MS),
                "symbol": names,
                "price": np.round(price, 4),
                "venue": ["US"] * SYMBOLS,
            }
        )


async def measure(polls: int, line_ups: Sequence[LineUp] = LINE_UPS) -> dict[str, Used]:
    """What each line-up takes, over so many polls each, in turn."""
    library, plan = BundleLibrary((BUNDLES,)), Plan()
    pipelines = {each.name: Pipeline(each, library) for each in line_ups}
    count = (WARM_POLLS + polls) * POLL_RECORDS
    sources: dict[str, list[Records]] = {}
    for pipeline in pipelines.values():
        await pipeline.open()
        topic = pipeline.event_type.topic
        if topic not in sources:
            payments = topic == "transactions"
            frames = Payments(plan.seed, plan.accounts).frames(count) if payments else daily_closes(plan.seed, count)
            records = as_records(pl.concat(list(frames)).head(count), pipeline.event_type, 1)
            sources[topic] = [records.part(start, start + POLL_RECORDS) for start in range(0, count, POLL_RECORDS)]
    collect_seldom()
    keep_freed_memory()
    for number in range(WARM_POLLS + polls):
        for pipeline in pipelines.values():
            await pipeline.take(sources[pipeline.event_type.topic][number], measured=number >= WARM_POLLS)
    for pipeline in pipelines.values():
        pipeline.close()
    return {name: pipeline.used for name, pipeline in pipelines.items()}


def report(found: dict[str, Used]) -> list[dict[str, Any]]:
    """One object per line-up: events per CPU second, and that as a share of the first one's."""
    first = next(iter(found.values()))
    return [
        {
            "line_up": name,
            "events": used.events,
            "cpu_us_per_event": round(used.median, 2),
            "events_per_cpu_second": round(1e6 / used.median),
            "share_of_first": round(first.median / used.median, 3),
            "us_per_event_by_stage": {
                stage: round(seconds / used.events * 1e6, 2) for stage, seconds in used.stages.items()
            },
        }
        for name, used in found.items()
    ]


def main(
    polls: Annotated[int, typer.Option(min=1, help=f"Measured polls of {POLL_RECORDS:,} events each.")] = 40,
    json_: Annotated[bool, typer.Option("--json", help="Print the results as one JSON object.")] = False,
) -> None:
    """Measure the CPU time of each kind of scorer, alternated, and its rate as a share of the autoencoder's."""
    lines = report(asyncio.run(measure(polls)))
    if json_:
        sys.stdout.write(json.dumps({"polls": polls, "line_ups": lines}) + "\n")
        return
    table = Table(title=f"CPU time of a worker without Kafka and Redis, medians of {polls} polls of {POLL_RECORDS:,}")
    for heading in ("scorers", "us per event", "events per CPU second", "share"):
        table.add_column(heading, justify="left" if heading == "scorers" else "right")
    for line in lines:
        rate = f"{line['events_per_cpu_second']:,}"
        table.add_row(line["line_up"], f"{line['cpu_us_per_event']:.1f}", rate, f"{line['share_of_first']:.2f}")
    Console().print(table)


if __name__ == "__main__":
    typer.run(main)
