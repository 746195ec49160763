"""Outcomes for people: a table in the terminal, and one HTML page of all protocols that needs nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from rich.console import Console
from rich.table import Table

from training.card import CSS, table_html
from training.plots import difference_plot
from training.protocols.outcome import Outcome
from training.protocols.protocol import Read

_SAID = {"ahead": "[green]ahead of[/]", "behind": "[red]behind[/]", "level": "[yellow]level with[/]"}


@dataclass(frozen=True)
class Result:
    """What a protocol found, or why it was not run."""

    read: Read
    outcomes: tuple[Outcome, ...] = ()
    missing: str = ""


def show(read: Read, outcomes: Sequence[Outcome]) -> None:
    """Prints what a protocol found: a line per figure of a model, and one per baseline beside it."""
    console = Console()
    table = Table(title=f"{read.name}: {read.protocol.about}", title_justify="left")
    for name in ("figure", "model", "value", "95 %"):
        table.add_column(name, justify="right" if name in ("value", "95 %") else "left", no_wrap=True)
    before = None
    for each in outcomes:
        if (each.metric, each.model) != before:
            table.add_section()
            table.add_row(each.metric, f"[bold]{each.model}[/]", _number(each.value), _interval(each.ci95))
            before = (each.metric, each.model)
        said = f"  {_SAID[each.verdict]} {each.baseline} ({_number(each.baseline_value)})"
        table.add_row("", said, _number(each.difference, sign=True), _interval(each.difference_ci95))
    console.print(table)
    console.print(_said(read, outcomes))


def page_html(results: Sequence[Result], command: str) -> str:
    """The page as HTML text; the same text for the same results.

    Args:
        command: that makes it, for those who want to make it again.
    """
    sections = [
        "<h1>How the models do</h1>",
        "<p>Each model and each baseline goes through the same protocol: the same rows, cuts, seeds and figures. "
        "A model is ahead or behind only where the 95 % interval of the paired difference leaves out zero.</p>",
        f"<p>Made by <code>{escape(command)}</code>.</p>",
    ]
    for result in results:
        read = result.read
        sections += [f"<h2>{escape(read.name)}</h2>", f"<p>{escape(read.protocol.about)}.</p>"]
        if result.missing:
            sections.append(f"<p>Not run: {escape(result.missing)}</p>")
            continue
        first = [each for each in result.outcomes if each.metric == result.outcomes[0].metric]
        sections += [
            "<figure>" + difference_plot([_bar(each) for each in first], first[0].metric) + "</figure>",
            table_html(
                ("figure", "model", "value", "95 %", "baseline", "its value", "difference", "95 %", "verdict"),
                [_cells(each) for each in result.outcomes],
            ),
            f"<p>{escape(_said(read, result.outcomes))} Protocol {read.sha256[:16]}.</p>",
        ]
    head = f"<meta charset=utf-8><title>riskstream: evaluation</title><style>{CSS}</style>"
    return f"<!doctype html><html lang=en><head>{head}</head><body>{''.join(sections)}</body></html>\n"


def _said(read: Read, outcomes: Sequence[Outcome]) -> str:
    if not outcomes:
        return "No outcome."
    first = outcomes[0]
    rows = f"{first.n:,} rows" + ("" if first.positives is None else f", {first.positives:,} positive")
    seeds = ", ".join(map(str, first.seeds))
    return f"{rows}; medians of the seeds {seeds}; {read.protocol.resamples:,} resamples by {read.protocol.unit}."


def _bar(each: Outcome) -> tuple[str, float, tuple[float, float], str]:
    return (f"{each.model} - {each.baseline}", each.difference, each.difference_ci95, each.verdict)


def _cells(each: Outcome) -> tuple[str, ...]:
    return (
        each.metric, each.model, _number(each.value), _interval(each.ci95), each.baseline, _number(each.baseline_value),
        _number(each.difference, sign=True), _interval(each.difference_ci95), each.verdict,
    )  # fmt: skip


def _number(value: float, *, sign: bool = False) -> str:
    if abs(value) >= 10_000:
        return f"{value:.3g}"
    return f"{value:+.4f}" if sign else f"{value:.4f}"


def _interval(ends: tuple[float, float]) -> str:
    return f"{_number(ends[0])} to {_number(ends[1])}"
