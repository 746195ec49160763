"""How plots look, and how they become SVG: the same bytes for the same figures, readable on light and dark pages.

Colours are drawn as light ones and then given names, which a style sheet in the SVG sets for light and for dark.
"""

import io
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

INK, FAINT, GRID = "#24292e", "#6a737c", "#d9dde1"
OURS, CORE, OTHERS, SECOND = "#1f6fb5", "#7fb2dd", "#b4bac0", "#c8562b"
DARK: Mapping[str, str] = MappingProxyType(
    {
        INK: "#e6e9ec", FAINT: "#9aa4ad", GRID: "#3a4149", OURS: "#58a6e8", CORE: "#356d9b", OTHERS: "#59626b",
        SECOND: "#f0845a",
    }
)  # fmt: skip
"""The colour that stands for each on a dark page."""

STYLE: Mapping[str, Any] = MappingProxyType(
    {
        "svg.hashsalt": "riskstream", "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 10,
        "text.color": INK, "axes.labelcolor": FAINT, "axes.edgecolor": GRID, "xtick.color": FAINT,
        "ytick.color": FAINT, "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True,
        "axes.axisbelow": True, "grid.color": GRID, "grid.linewidth": 0.6, "lines.linewidth": 1.8,
        "lines.markersize": 5, "axes.titlesize": 10, "axes.titlelocation": "left",
    }
)  # fmt: skip
WIDTH_INCHES = 7.2


def drawn(draw: Callable[[], Figure]) -> Figure:
    """The figure, drawn in the house's style."""
    with matplotlib.rc_context(dict(STYLE)):
        return draw()


def axes_of(panels: int, height_inches: float) -> tuple[Figure, list[Axes]]:
    """A figure with that many panels side by side."""
    figure = Figure(figsize=(WIDTH_INCHES, height_inches), layout="constrained")
    return figure, list(figure.subplots(1, panels, squeeze=False)[0])


def svg_of(draw: Callable[[], Figure]) -> str:
    """The figure as SVG text that follows the reader's choice of light or dark."""
    with matplotlib.rc_context(dict(STYLE)):
        text = io.StringIO()
        draw().savefig(text, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    content = text.getvalue()
    content = content[content.index("<svg") :]
    for place, light in enumerate(DARK):
        content = content.replace(light, f"var(--c{place},{light})")  # as it is, where style sheets are not understood
    start = content.index(">") + 1
    return f"{content[:start]}\n{_style_sheet()}{content[start:]}"


def _style_sheet() -> str:
    light = "".join(f"--c{place}:{colour};" for place, colour in enumerate(DARK))
    dark = "".join(f"--c{place}:{colour};" for place, colour in enumerate(DARK.values()))
    return f" <style>svg{{{light}}}@media(prefers-color-scheme:dark){{svg{{{dark}}}}}</style>"
