"""Outcomes for people: a table in the terminal, and one HTML page of all protocols that needs nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from rich.console import Console
from rich.table import Table

from training.card import CSS, table_html
from training.plots import differences_plot
from training.protocols.outcome import Outcome
from training.protocols.protocol import Read

_MORE_CSS = """
body{max-width:76rem}th{white-space:nowrap}figcaption{color:#666;font-size:13px}
.ahead{color:#2a7d46}.behind{color:#b3372b}.level{color:#77736a}summary{cursor:pointer;margin:.5rem 0}
""".strip()
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
        "A model is <b class=ahead>ahead</b> or <b class=behind>behind</b> only where the 95 % interval of the paired "
        "difference leaves out zero; else it is <b class=level>level</b>.</p>",
        f"<p>This page: <code>{escape(command)}</code></p>",
        *(part for result in results for part in _section(result)),
    ]
    head = f"<meta charset=utf-8><title>riskstream: evaluation</title><style>{CSS}\n{_MORE_CSS}</style>"
    return f"<!doctype html><html lang=en><head>{head}</head><body>{''.join(sections)}</body></html>\n"


def _section(result: Result) -> list[str]:
    read, outcomes = result.read, result.outcomes
    sections = [f"<h2>{escape(read.name)}</h2>", f"<p>{escape(_sentence(read.protocol.about))}</p>"]
    if result.missing or not outcomes:
        return [*sections, f"<p>Not run: {escape(result.missing or 'it has no outcome')}</p>"]
    command = f"riskstream evaluate --protocol {read.name} --events {' '.join(read.protocol.files or ('FILE',))} --json"
    facts = f"{escape(_said(read, outcomes))} Made by <code>{escape(command)}</code>."
    if outcomes[0].protocol_sha256 != read.sha256:
        facts += " The protocol's file has changed since: its figures may differ when it is run again."
    metrics = list(dict.fromkeys(each.metric for each in outcomes))
    panels = [(metric, [_bar(each) for each in outcomes if each.metric == metric]) for metric in metrics]
    return [
        *sections,
        f"<p>{facts}</p>",
        _values(outcomes, metrics),
        f"<figure>{differences_plot(panels)}<figcaption>Difference of model and baseline with its 95 % interval; the "
        "colour says who is ahead, since of some figures less is better.</figcaption></figure>",
        "<details><summary>every difference in figures</summary>",
        table_html(
            ("figure", "model", "baseline", "value", "95 %", "baseline's", "difference", "95 %", "verdict"),
            [_cells(each) for each in outcomes],
        ),
        "</details>",
    ]


def _values(outcomes: Sequence[Outcome], metrics: Sequence[str]) -> str:
    """A row for each model and baseline, a column for each figure; models with their intervals."""
    models = {(each.model, each.metric): each for each in outcomes}
    baselines = {(each.baseline, each.metric): each.baseline_value for each in outcomes}
    rows = []
    for model in dict.fromkeys(each.model for each in outcomes):
        found = [models.get((model, metric)) for metric in metrics]
        told = ("" if one is None else f"{_number(one.value)} {_together(f'({_interval(one.ci95)})')}" for one in found)
        rows.append((model, *told))
    for baseline in dict.fromkeys(each.baseline for each in outcomes):
        values = [baselines.get((baseline, metric)) for metric in metrics]
        rows.append((f"baseline {baseline}", *("" if value is None else _number(value) for value in values)))
    return table_html(("", *metrics), rows)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".") + "."


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
        each.metric, each.model, each.baseline, _number(each.value), _together(_interval(each.ci95)),
        _number(each.baseline_value), _number(each.difference, sign=True), _together(_interval(each.difference_ci95)),
        each.verdict,
    )  # fmt: skip


def _number(value: float, *, sign: bool = False) -> str:
    if value != value:
        return "none"
    if abs(value) >= 10_000:
        return f"{value:.3g}"
    return f"{value:+.4f}" if sign else f"{value:.4f}"


def _together(text: str) -> str:
    """The text with spaces that no line is broken at."""
    return text.replace(" ", "\u00a0")


def _interval(ends: tuple[float, float]) -> str:
    return f"{_number(ends[0])} to {_number(ends[1])}"
