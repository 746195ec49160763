"""The plots of a model card as SVG text; the same bytes for the same figures."""

import io
from collections.abc import Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from training.loop import Curve

_STYLE = {
    "svg.hashsalt": "riskstream",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.3,
}
_INK, _SECOND = "#1f5fa8", "#d1603d"
_OF_VERDICT = {"ahead": "#2a7d46", "behind": "#b3372b", "level": "#77736a"}


def loss_plot(curve: Curve) -> str:
    """Training and validation loss per epoch, with the epoch that was kept."""
    with matplotlib.rc_context(_STYLE):
        figure, axes = _axes("epoch", "loss")
        epochs = np.arange(1, len(curve.train) + 1)
        axes.plot(epochs, curve.train, color=_INK, label="training (with noise)")
        axes.plot(epochs, curve.validation, color=_SECOND, label="validation")
        axes.axvline(curve.best + 1, color="grey", linestyle=":", label="kept")
        axes.legend(frameon=False)
        return _svg(figure)


def curves_plot(curves: Sequence[tuple[str, Sequence[float]]]) -> str:
    """Validation loss per epoch of several trainings, named at their ends."""
    with matplotlib.rc_context(_STYLE):
        figure, axes = _axes("epoch", "validation loss")
        figure.set_size_inches(7.0, 4.2)
        colours = matplotlib.colormaps["tab20"]
        for place, (name, losses) in enumerate(curves):
            axes.plot(np.arange(1, len(losses) + 1), losses, color=colours(place), label=name)
        axes.set_yscale("log")
        axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
        return _svg(figure)


def differences_plot(panels: Sequence[tuple[str, Sequence[tuple[str, float, tuple[float, float], str]]]]) -> str:
    """Differences with their intervals, a panel for each figure and a line for each pair of models.

    Args:
        panels: name of the figure, and its lines: name, difference, ends, and a verdict that colours it.
    """
    names = list(dict.fromkeys(name for _, lines in panels for name, *_ in lines))
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(3.0 + 1.9 * len(panels), 0.8 + 0.3 * len(names)), layout="constrained")
        every = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
        for axes, (figure_name, lines) in zip(every, panels, strict=True):
            axes.set_title(figure_name, fontsize=9)
            for name, value, (low, high), verdict in lines:
                place, colour = names.index(name), _OF_VERDICT[verdict]
                axes.plot([low, high], [place, place], color=colour, linewidth=2)
                axes.plot([value], [place], "o", color=colour, markersize=4)
            axes.axvline(0.0, color="grey", linestyle=":")
            axes.xaxis.set_major_locator(MaxNLocator(3))
        every[0].set_yticks(range(len(names)), names)
        every[0].set_ylim(len(names) - 0.5, -0.5)
        return _svg(figure)


def score_plot(scores: NDArray[np.float32], *, uniform: bool) -> str:
    """Histogram of the scores of the test part.

    Args:
        uniform: whether the scores of usual events are equally frequent; then a line says how frequent.
    """
    with matplotlib.rc_context(_STYLE):
        figure, axes = _axes("score", "share of events")
        share = np.full(len(scores), 1.0 / max(1, len(scores)))
        axes.hist(scores, bins=[step / 40 for step in range(41)], weights=share, color=_INK)
        if uniform:
            axes.axhline(1 / 40, color="grey", linestyle=":", label="usual events, ideally")
            axes.legend(frameon=False)
        return _svg(figure)


def tail_plot(levels: Sequence[float], shares: Sequence[tuple[float, float, float]]) -> str:
    """Promised against observed share of events above a level, with intervals, both logarithmic."""
    with matplotlib.rc_context(_STYLE):
        figure, axes = _axes("one minus the level (promised share)", "observed share")
        promised = 1 - np.array(levels)
        value, low, high = np.maximum(np.array(shares, float).T, 1e-5)
        axes.plot([promised.min(), 1], [promised.min(), 1], color="grey", linestyle=":", label="ideal")
        axes.errorbar(
            promised,
            value,
            yerr=np.maximum([value - low, high - value], 0),
            color=_INK,
            marker="o",
            label="test part",
        )
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.legend(frameon=False)
        return _svg(figure)


def _axes(across: str, up: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(5.2, 3.0), layout="constrained")
    axes = figure.subplots()
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    return figure, axes


def _svg(figure: Figure) -> str:
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    content = text.getvalue()
    return content[content.index("<svg") :]
