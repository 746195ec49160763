"""Plots: the same bytes for the same figures, readable on light and dark pages, and of the committed results."""

import re

import pytest

pytest.importorskip("matplotlib", reason="plots are drawn where training is installed")

from benchmarks.pages.content import PLOTS, Measured
from benchmarks.pages.figures import plots_of, svgs_of
from benchmarks.plots.style import DARK, drawn, svg_of

pytestmark = pytest.mark.training
MEASURED = Measured.read()


def test_the_same_figures_give_the_same_bytes() -> None:
    """A plot that changes with every run hides the one that changed."""
    assert svgs_of(MEASURED) == svgs_of(MEASURED)


def test_the_committed_plots_are_of_the_committed_results() -> None:
    """After a run: python -m benchmarks.pages."""
    for name, svg in svgs_of(MEASURED).items():
        assert (PLOTS / f"{name}.svg").read_text() == svg, f"{name}.svg is not of these results"


@pytest.mark.parametrize("name", plots_of(MEASURED))
def test_a_plot_follows_light_and_dark_and_says_nothing_of_the_machine(name: str) -> None:
    """Half of the readers have a dark page, and a path in a file is nobody's business."""
    svg = svg_of(plots_of(MEASURED)[name])
    without_names = re.sub(r"var\(--c\d+,#[0-9a-f]{6}\)", "", svg.partition("</style>")[2])
    left = set(re.findall(r"#[0-9a-f]{6}", without_names))
    assert not left & set(DARK), "a colour of light pages alone"
    assert left <= {"#000000", "#ffffff"}, f"colours without a name: {left}"
    assert "prefers-color-scheme:dark" in svg
    assert "/home/" not in svg and "/tmp/" not in svg and "<dc:date>" not in svg


@pytest.mark.parametrize("name", plots_of(MEASURED))
def test_every_axis_has_a_name_or_needs_none(name: str) -> None:
    """A number without a unit is a guess."""
    figure = drawn(plots_of(MEASURED)[name])
    for axes in figure.axes:
        assert axes.get_xlabel(), "an axis across without a name"
    assert any(axes.get_ylabel() for axes in figure.axes) or all(axes.patches for axes in figure.axes)
