"""The plots of the results, by the name of their file."""

from collections.abc import Callable, Mapping
from functools import partial

from matplotlib.figure import Figure

from benchmarks.pages.content import Measured
from benchmarks.plots import drawings
from benchmarks.plots.style import svg_of


def svgs_of(measured: Measured) -> dict[str, str]:
    """Every plot as SVG text; those whose part was not measured are left out."""
    return {name: svg_of(draw) for name, draw in plots_of(measured).items()}


def plots_of(measured: Measured) -> Mapping[str, Callable[[], Figure]]:
    """The plots, to be drawn."""
    pipelines = measured.latest["pipelines"]
    found: dict[str, Callable[[], Figure]] = {"throughput": partial(drawings.throughput, pipelines)}
    results = {name: part["results"] for name, part in measured.full.items()}
    if "limits" in results:
        worker = pipelines["riskstream"]["events_per_second"]
        found["limits"] = partial(drawings.limits, results["limits"], worker)
    for part, name, draw in (
        ("load", "latency", drawings.latency),
        ("entities", "entities", drawings.entities),
        ("windows", "windows", drawings.windows),
        ("workers", "workers", drawings.workers),
    ):
        if part in results:
            found[name] = partial(draw, results[part])
    return found
