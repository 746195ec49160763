"""The results for people."""

import math
from collections.abc import Iterator

from rich.console import Console
from rich.table import Table

from benchmarks.comparison import Compared
from benchmarks.contestants import CONTESTANTS
from benchmarks.limits.table import limits_table
from benchmarks.offline import Rate
from benchmarks.results import Results
from benchmarks.state_size import StateParts, StateSizes
from benchmarks.throughput import WORST_OF_S, median


def print_results(results: Results, console: Console) -> None:
    """All tables."""
    console.print(throughput_table(results))
    if results.ratio is not None:
        console.print(
            f"riskstream scores [bold]{results.ratio:,.1f}[/] times as many events a second as faust_per_event"
        )
    for line in comparison_lines(results):
        console.print(line, style="dim", highlight=False, markup=False)
    if results.limits:
        console.print(limits_table(results.as_dict()["limits"]).drawn())
    console.print(latency_table(results))
    for name, rate in (("replay on one core", results.replay), ("feed", results.feed)):
        if rate is not None:
            console.print(_rate_line(name, rate))
    if results.state is not None:
        console.print(state_table(results.state))
    machine = ", ".join(f"{name} {value}" for name, value in results.machine.items())
    console.print(
        f"{machine}; seed {results.plan.seed}, {results.plan.accounts:,} accounts, {results.features} features, "
        f"{results.record_bytes_in:.0f} bytes in, compression {results.settings.compression}, polls of at most "
        f"{results.settings.poll_records:,} records; bundles: {results.bundles}",
        style="dim",
    )


def throughput_table(results: Results) -> Table:
    """Events per second of every pipeline."""
    table = Table(
        "pipeline", "events/s", "per CPU second", f"slowest {WORST_OF_S:.0f} s", "resident MB", "bytes out",
        "watch or above", "same as ours",
        title=f"throughput, median of {results.plan.repetitions} alternated runs of {results.plan.seconds:g} s",
        title_justify="left",
    )  # fmt: skip
    for name, result in results.pipelines.items():
        if result.runs:
            speed, record = median(result.runs), result.record
            table.add_row(
                name, f"{speed.events_per_second:,.0f}", f"{speed.events_per_cpu_second:,.0f}",
                f"{speed.slowest_events_per_second:,.0f}", f"{speed.resident_mb:,.0f}",
                f"{record.value_bytes:,.0f} + {record.key_and_header_bytes:,.0f}" if record else "",
                f"{record.watch_share:.1%}" if record else "",
                "" if result.compared is None else told_share(result.compared.share),
            )  # fmt: skip
    return table


def told_share(share: float | None) -> str:
    """A share for people, never rounded up to all of it.

    >>> told_share(0.99996), told_share(1.0), told_share(None)
    ('99.9%', '100.0%', 'none read')
    """
    return "none read" if share is None else f"{math.floor(1_000 * share) / 10:.1f}%"


def told_differences(compared: Compared) -> str:
    """How many scores are not riskstream's, how many of those riskstream flags itself, and what differs."""
    features = ", ".join(f"{feature} {count:,}" for feature, count in compared.differing)
    differ, flagged = compared.scores - compared.same, compared.approximate
    return (
        f"{differ:,} of {compared.scores:,} scores compared are not riskstream's, "
        f"{flagged:,} of them flagged `approx` by riskstream; features that differ most: {features or 'none'}"
    )


def comparison_lines(results: Results) -> Iterator[str]:
    """Why scores are not riskstream's, and why pipelines were not run."""
    for name, result in results.pipelines.items():
        if CONTESTANTS[name].unlike:
            yield f"{name}: scores not compared: {CONTESTANTS[name].unlike}"
        elif result.compared is not None and result.compared.same < result.compared.scores:
            yield f"{name}: {told_differences(result.compared)}"
    for name, why in results.left_out.items():
        yield f"{name} left out: {why}"


def latency_table(results: Results) -> Table:
    """Percentiles of every pipeline at every rate."""
    table = Table(
        "pipeline", "events/s", "p50 ms", "p90 ms", "p99 ms", "most ms", "missing",
        title="producer to score", title_justify="left",
    )  # fmt: skip
    for name, result in results.pipelines.items():
        for each in result.latencies:
            table.add_row(
                name, f"{each.rate:,}", f"{each.p50_ms:,.1f}", f"{each.p90_ms:,.1f}", f"{each.p99_ms:,.1f}",
                f"{each.maximum_ms:,.1f}", f"{each.missing:,}",
            )  # fmt: skip
    return table


def state_table(sizes: StateSizes) -> Table:
    """Bytes of the account view by part."""
    table = Table(
        "account", "events", "head", "ring", "tiles", "history", "key overhead", "MEMORY USAGE", "without history",
        title=f"state of {sizes.accounts:,} accounts after {sizes.events:,} card payments, bytes in Redis",
        title_justify="left",
    )  # fmt: skip
    for name, parts in (("median", sizes.median), ("busiest", sizes.busiest), ("largest", sizes.largest)):
        table.add_row(name, *_cells(parts))
    return table


def _cells(parts: StateParts) -> list[str]:
    numbers = (
        parts.events, parts.head, parts.ring, parts.tiles, parts.history, parts.key_overhead, parts.memory_usage,
        parts.memory_usage_without_history,
    )  # fmt: skip
    return [f"{number:,}" for number in numbers]


def _rate_line(name: str, rate: Rate) -> str:
    return (
        f"{name} of {rate.events:,} payments from Parquet: {rate.events_per_second:,.0f} events/s, "
        f"{rate.events_per_cpu_second:,.0f} per CPU second with start-up"
    )
