"""The plots, each a function from results to a figure."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from benchmarks.plots.style import CORE, FAINT, INK, OTHERS, OURS, SECOND, axes_of

NAMES = {
    "riskstream": "riskstream, one worker",
    "riskstream_two_workers": "riskstream, two workers",
    "riskstream_with_shadow": "riskstream, challenger in shadow",
    "core_on_aiokafka": "its core on bare aiokafka",
    "core_on_confluent": "its core on confluent-kafka",
    "kafka_streams": "Kafka Streams, Java",
    "bytewax": "Bytewax",
    "quix": "Quix Streams",
    "faust_take": "Faust, batches",
    "faust_two_features": "Faust, two features only",
    "faust_per_event": "Faust, event by event",
}
ENDS = {"1h": "1 hour", "1d": "1 day", "7d": "7 days", "30d": "30 days", "90d": "90 days"}
PACES = {"busy": "an event a minute", "usual": "two events a day"}
LIMIT_NAMES = {
    "consume_aiokafka": "consume, aiokafka",
    "consume_confluent": "consume, confluent-kafka",
    "produce": "produce",
    "redis_bare": "Redis MGET + SET, bare",
    "redis_store": "Redis, fenced store",
    "model": "onnxruntime",
    "fold": "fold kernel",
}


def throughput(pipelines: Mapping[str, Any]) -> Figure:
    """Bars of events per second of all pipelines, the fastest on top."""
    speeds = {name: found["events_per_second"] for name, found in pipelines.items() if "events_per_second" in found}
    names = sorted(speeds, key=speeds.__getitem__)
    colours = [OURS if name.startswith("riskstream") else CORE if "core" in name else OTHERS for name in names]
    figure, (axes,) = axes_of(1, 0.4 + 0.32 * len(names))
    _bars(axes, [NAMES.get(name, name) for name in names], [speeds[name] for name in names], colours)
    axes.set_xlabel("events per second")
    return figure


def limits(found: Mapping[str, Any], worker_events_per_second: float) -> Figure:
    """Bars of what each part of the work alone would allow, with the whole worker as a line."""
    names = sorted(found, key=lambda name: found[name]["events_per_second"])
    figure, (axes,) = axes_of(1, 0.7 + 0.32 * len(names))
    speeds = [found[name]["events_per_second"] for name in names]
    _bars(axes, [LIMIT_NAMES.get(name, name) for name in names], speeds, [CORE] * len(names))
    axes.axvline(worker_events_per_second, color=OURS)
    axes.set_title(f"each alone; the line is one worker, {worker_events_per_second:,.0f}", color=OURS)
    axes.set_xlabel("events per second")
    return figure


def latency(load: Mapping[str, Any]) -> Figure:
    """p50 and p99 against the rate, for one worker and for two."""
    figure, axes = axes_of(2, 3.0)
    for panel, (name, by_rate) in zip(axes, load.items(), strict=False):
        rates = [int(rate) for rate in by_rate]
        for key, colour in (("p50_ms", OURS), ("p90_ms", CORE), ("p99_ms", SECOND)):
            values = [point[key] for point in by_rate.values()]
            panel.plot(rates, values, color=colour, marker="o")
            _label(panel, rates[-1], values[-1], key.removesuffix("_ms"), colour)
        panel.set_title(name.replace("_", " "))
        panel.set_xscale("log")
        panel.set_xticks(rates, [_thousands(rate) for rate in rates])
        panel.xaxis.set_minor_locator(NullLocator())
        panel.set_xlabel("events per second")
        panel.margins(x=0.12)
    highest = max(panel.get_ylim()[1] for panel in axes)
    for panel in axes:
        panel.set_ylim(0, highest)
    axes[0].set_ylabel("producer to score, ms")
    return figure


def entities(found: Mapping[str, Any]) -> Figure:
    """CPU per event and Redis memory per entity against the number of entities, the extrapolated point hollow."""
    figure, (cpu, memory) = axes_of(2, 3.0)
    counts = [int(count) for count in found["points"]]
    points = list(found["points"].values())
    far = found["extrapolated"]
    for name, colour, text in (("worker_cpu_us", OURS, "worker"), ("redis_cpu_us", SECOND, "Redis")):
        _with_extrapolated(cpu, counts, [point[name] for point in points], far, name, colour)
        _label(cpu, counts[-1], points[-1][name], text, colour, above=True)
    _with_extrapolated(
        memory, counts, [point["redis_bytes_per_entity"] for point in points], far, "redis_bytes_per_entity", SECOND
    )
    cpu.set_ylabel("CPU microseconds per event")
    memory.set_ylabel("bytes of Redis per entity")
    for panel in (cpu, memory):
        panel.set_xscale("log")
        ticks = [*counts, *([far["entities"]] if far else [])]
        shown = [tick for tick in ticks if tick != 2_000_000]  # too near to a million for a label
        panel.set_xticks(shown, [_thousands(tick) for tick in shown])
        panel.xaxis.set_minor_locator(NullLocator())
        panel.set_xlabel("entities (hollow: extrapolated)" if far else "entities")
        panel.set_ylim(0, 1.15 * panel.get_ylim()[1])
    return figure


def windows(found: Mapping[str, Any]) -> Figure:
    """Cost of the fold and bytes of a state against the longest window."""
    figure, (cost, size) = axes_of(2, 3.0)
    for (name, pace), colour in zip(found.items(), (SECOND, OURS), strict=False):
        ends = list(pace["points"])
        places = list(range(len(ends)))
        folds = [point["fold_us"] for point in pace["points"].values()]
        bytes_ = [point["state_bytes"] for point in pace["points"].values()]
        cost.plot(places, folds, color=colour, marker="o")
        size.plot(places, bytes_, color=colour, marker="o")
        _label(cost, places[-1], folds[-1], PACES[name], colour, above=True)
        _label(size, places[-1], bytes_[-1], PACES[name], colour, above=True)
    for panel in (cost, size):
        panel.set_xticks(places, [ENDS.get(end, end) for end in ends])
        panel.set_xlabel("longest window of the view")
        panel.set_ylim(0, 1.2 * panel.get_ylim()[1])
    cost.set_ylabel("fold, microseconds per event")
    size.set_ylabel("bytes of a state")
    return figure


def workers(found: Mapping[str, Any]) -> Figure:
    """Throughput and CPU per event of one worker and of two, broker and Redis on the same cores."""
    figure, (speed, cost) = axes_of(2, 2.2)
    numbers = [f"{number} worker{'s' if number != '1' else ''}" for number in found["workers"]]
    points = list(found["workers"].values())
    _bars(speed, numbers[::-1], [point["events_per_second"] for point in points][::-1], [OURS] * len(points))
    speed.set_xlabel("events per second")
    left = [0.0] * len(points)
    parts = (("worker_cpu_us", OURS, "worker"), ("kafka_cpu_us", OTHERS, "Kafka"), ("redis_cpu_us", SECOND, "Redis"))
    for name, colour, text in parts:
        values = [point[name] for point in points][::-1]
        cost.barh(numbers[::-1], values, left=left, color=colour, height=0.6)
        cost.text(left[-1], len(points) - 0.58, text, color=FAINT, fontsize=9)
        left = [start + value for start, value in zip(left, values, strict=True)]
    cost.set_ylim(-0.5, len(points) - 0.2)
    cost.set_yticks([])
    cost.grid(axis="y", visible=False)
    cost.set_xlabel("CPU microseconds per event")
    return figure


def _bars(axes: Axes, names: Sequence[str], values: Sequence[float], colours: Sequence[str]) -> None:
    axes.barh(names, values, color=colours, height=0.66)
    for place, value in enumerate(values):
        axes.annotate(f"{value:,.0f}", (value, place), (4, 0), textcoords="offset points", va="center", color=INK)
    axes.grid(axis="y", visible=False)
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    axes.set_xlim(0, 1.16 * max(values))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _thousands(value)))


def _with_extrapolated(
    axes: Axes, counts: Sequence[int], values: Sequence[float], far: Mapping[str, Any], name: str, colour: str
) -> None:
    axes.plot(counts, values, color=colour, marker="o")
    if far:
        axes.plot([counts[-1], far["entities"]], [values[-1], far[name]], color=colour, linestyle=":")
        axes.errorbar(
            [far["entities"]], [far[name]], yerr=[far.get(f"{name}_deviation", 0.0)], color=colour, marker="o",
            markerfacecolor="none", linestyle="none", capsize=3,
        )  # fmt: skip


def _label(axes: Axes, x: float, y: float, text: str, colour: str, *, above: bool = False) -> None:
    place, side = ((0, 7), "right") if above else ((6, 0), "left")
    axes.annotate(
        text, (x, y), place, textcoords="offset points", color=colour, va="bottom" if above else "center", ha=side
    )


def _thousands(number: float) -> str:
    """A number for an axis.

    >>> _thousands(2_000_000), _thousands(10_000), _thousands(500)
    ('2 M', '10 k', '500')
    """
    for size, unit in ((1_000_000, " M"), (1_000, " k")):
        if number >= size:
            return f"{number / size:g}{unit}"
    return f"{number:g}"
