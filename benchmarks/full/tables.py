"""The results of the full benchmark as tables, for the screen and for the documents."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.console import Console

from benchmarks.limits.table import limits_table
from benchmarks.table import Table


def print_parts(held: Mapping[str, Any], console: Console) -> None:
    """The tables of all parts that are held."""
    for name, part in held.items():
        console.print(table_of(name, part["results"]).drawn())


def table_of(name: str, results: Mapping[str, Any]) -> Table:
    """The table of one part."""
    return TABLES[name](results)


def polls_table(polls: Mapping[str, Any]) -> Table:
    """Medians of the stages by size of the poll."""
    stages = ("fetch", "state", "compute", "produce", "commit", "cpu")
    return Table(
        "median milliseconds of one poll",
        ("records", *stages),
        tuple(
            (f"{int(size):,}", *(f"{_middle(times[stage]):.2f}" for stage in stages))
            for size, times in polls["sizes"].items()
        ),
    )


def entities_table(entities: Mapping[str, Any]) -> Table:
    """Cost by number of entities, the extrapolated one last."""
    rows = [
        (
            f"{int(count):,}", f"{point['redis_bytes_per_entity']:,.0f}", f"{point['worker_cpu_us']:.1f}",
            f"{point['redis_cpu_us']:.1f}", f"{point['events_per_second']:,.0f}", f"{point['watch_share']:.1%}",
        )
        for count, point in entities["points"].items()
    ]  # fmt: skip
    far = entities["extrapolated"]
    if far:
        rows.append(
            (
                f"{far['entities']:,} (extrapolated)", f"{far['redis_bytes_per_entity']:,.0f}",
                f"{far['worker_cpu_us']:.1f} ± {far['worker_cpu_us_deviation']:.1f}",
                f"{far['redis_cpu_us']:.1f} ± {far['redis_cpu_us_deviation']:.1f}", "", "",
            )
        )  # fmt: skip
    return Table(
        "cost against entities",
        ("entities", "bytes of Redis each", "worker CPU us/event", "Redis CPU us/event", "events/s", "watch or above"),
        tuple(rows),
    )


def windows_table(windows: Mapping[str, Any]) -> Table:
    """Cost by longest window, for both paces."""
    return Table(
        "cost against the longest window",
        ("events of an entity", "longest window", "events in it", "kernel us/event", "fold us/event", "bytes of state"),
        tuple(
            (
                f"one every {pace['every_s'] / 60:,.0f} min", window, f"{point['events_in_window']:,.0f}",
                f"{point['kernel_us']:.2f}", f"{point['fold_us']:.2f}", f"{point['state_bytes']:,.0f}",
            )
            for pace in windows.values()
            for window, point in pace["points"].items()
        ),
    )  # fmt: skip


def skew_table(skew: Mapping[str, Any]) -> Table:
    """Throughput by kind of payments."""
    told = {
        "uniform": "every account as often",
        "as_the_payments": "as in the benchmark",
        "one_gets_half": f"one account gets {skew['hot_share']:.0%}",
    }
    return Table(
        "throughput against skew",
        ("payments", "events/s", "worker CPU us/event", "watch or above"),
        tuple(
            (
                text, f"{skew[name]['events_per_second']:,.0f}", f"{skew[name]['worker_cpu_us']:.1f}",
                f"{skew[name]['watch_share']:.1%}",
            )
            for name, text in told.items()
        ),
    )  # fmt: skip


def load_table(load: Mapping[str, Any]) -> Table:
    """Percentiles by rate."""
    return Table(
        "producer to score",
        ("workers", "events/s", "p50 ms", "p90 ms", "p99 ms", "most ms", "missing", "worker CPU us/event"),
        tuple(
            (
                name.replace("_", " "), f"{int(rate):,}", f"{point['p50_ms']:.1f}", f"{point['p90_ms']:.1f}",
                f"{point['p99_ms']:.1f}", f"{point['maximum_ms']:.1f}", f"{point['missing']:.0f}",
                f"{point['worker_cpu_us']:.0f}",
            )
            for name, by_rate in load.items()
            for rate, point in by_rate.items()
        ),
    )  # fmt: skip


def workers_table(workers: Mapping[str, Any]) -> Table:
    """Throughput by number of workers."""
    return Table(
        f"throughput; {workers['log_bytes_in']:.0f} bytes of Kafka's log in, {workers['log_bytes_out']:.0f} out",
        ("workers", "events/s", "worker CPU us/event", "Kafka CPU us/event", "Redis CPU us/event"),
        tuple(
            (
                number, f"{point['events_per_second']:,.0f}", f"{point['worker_cpu_us']:.1f}",
                f"{point['kafka_cpu_us']:.1f}", f"{point['redis_cpu_us']:.1f}",
            )
            for number, point in workers["workers"].items()
        ),
    )  # fmt: skip


def cold_start_table(start: Mapping[str, Any]) -> Table:
    """Median and worst start, and memory."""
    worst = max(run["first_score_s"] for run in start["runs"])
    return Table(
        f"cold start, {len(start['runs'])} starts",
        ("first score s", "worst s", "resident MB then", "resident MB under load"),
        (
            (
                f"{start['first_score_s']:.2f}", f"{worst:.2f}", f"{start['resident_mb_at_first_score']:.0f}",
                f"{start['resident_mb_under_load']:.0f}",
            ),
        ),
    )  # fmt: skip


def _middle(quantiles: Sequence[float]) -> float:
    return quantiles[len(quantiles) // 2]


TABLES: Mapping[str, Callable[[Any], Table]] = {
    "limits": limits_table,
    "polls": polls_table,
    "workers": workers_table,
    "entities": entities_table,
    "windows": windows_table,
    "skew": skew_table,
    "load": load_table,
    "cold_start": cold_start_table,
}
