"""A use as the demo shows it: what goes in, which scorers judge it, and what is said of what came back."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import RenderableType
from rich.table import Table

from schemas.alert import Alert
from schemas.score import Score
from stream.demo.inputs import DemoInputs


@dataclass(frozen=True)
class Returned:
    """What came back, with what went in.

    Attributes:
        scores: of each scorer by event id.
        alerts: published ones, oldest first; the last 2,000.
    """

    inputs: DemoInputs
    scores: Mapping[str, Mapping[str, Score]]
    alerts: Sequence[Alert]


@dataclass(frozen=True)
class Shown:
    """A table for people under a line that says what it is."""

    title: str
    table: RenderableType


def columns(*left: str, right: Sequence[str] = ()) -> Table:
    """An empty table: texts to the left, figures to the right; of several texts the last stands behind the figures."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    before, behind = (left, ()) if len(left) == 1 else (left[:-1], left[-1:])
    for name in before:
        table.add_column(name, no_wrap=True)
    for name in right:
        table.add_column(name, justify="right", no_wrap=True)
    for name in behind:
        table.add_column(name)
    return table


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What is said of it.

    Attributes:
        shown: tables for people, in order.
        figures: by name, for programs; the same figures.
        checked: what was found to be in order, a sentence; problems: why it is not good, each with what to look at.
    """

    shown: Sequence[Shown]
    figures: Mapping[str, float]
    checked: str
    problems: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Use:
    """A declaration; its name is that of its file in `stream/demo/uses/`.

    Args:
        about: what is shown, a line for people.
        scorers: that the worker runs, challengers included.
        inputs: writes what is fed into an existing folder; the same every time.
        judge: says what is to be said once all is scored. It computes and does nothing else.
        replayed: file of the folder that `riskstream replay` is shown on, with the first scorer.
        name: filled in by the catalogue.

    Raises:
        ValueError: no scorer.
    """

    about: str
    scorers: tuple[str, ...]
    inputs: Callable[[Path], DemoInputs]
    judge: Callable[[Returned], Judged]
    replayed: str
    name: str = field(default="")

    def __post_init__(self) -> None:
        if not self.scorers:
            raise ValueError("a use has at least one scorer; name those that judge its events")
