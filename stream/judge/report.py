"""A judgement for people and for programs."""

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from stream.judge.judgement import Figure, Judged
from stream.judge.run import Judgement
from stream.printable import moment, printable


def print_judgement(found: Judgement, *, as_json: bool) -> None:
    """One table per scorer, or one JSON object."""
    if as_json:
        print(msgspec.json.encode(found).decode())
        return
    console = Console()
    console.print(_about_labels(found), soft_wrap=True)
    for each in found.scorers:
        console.print()
        console.print(_table(each))
    for pair in found.compared:
        console.print()
        title = f"{pair.scorer} less {pair.against}: {pair.n:,} events that both scored, {pair.positives:,} positive"
        table = _figures(title)
        _row(table, "AUC", pair.auc_difference)
        _row(table, "average precision", pair.average_precision_difference)
        console.print(table)


def _about_labels(found: Judgement) -> str:
    labels = found.labels
    told = [f"{labels.known:,} events with a label known by {moment(found.known_by_ms)} UTC"]
    more = {
        "not known yet": labels.not_known_yet, "repeated": labels.repeated, "replaced": labels.replaced,
        "unreadable": labels.unreadable,
    }  # fmt: skip
    told += [f"{count:,} {name}" for name, count in more.items() if count]
    if labels.without_meaning:
        names = ", ".join(escape(printable(name)) for name in sorted(labels.without_meaning)[:5])
        count = sum(labels.without_meaning.values())
        told.append(f"[yellow]{count:,} that are neither 1 nor 0 ({names}): say which mean 1 with --positive[/]")
    if not labels.known:
        told.append("[yellow]nothing can be judged; riskstream feed --labels writes labels[/]")
    if found.unreadable:
        told.append(f"[yellow]{found.unreadable:,} unreadable scores or dead letters[/]")
    return "; ".join(told)


def _table(each: Judged) -> Table:
    role = "challenger" if each.shadow else "live"
    table = _figures(
        f"{each.scorer} ({role}): {each.n:,} labelled events of {each.entities:,} entities, {each.positives:,} positive"
    )
    _row(table, "AUC", each.auc)
    _row(table, "average precision", each.average_precision)
    for level, figures in (("watch", each.watch), ("alert", each.alert)):
        for name, figure in figures.items():
            _row(table, f"{name} from {level} on", figure)
    table.add_section()
    counts = {
        "scores without a known label": each.unlabelled, "scores that came again": each.repeated,
        "events scored again": each.scored_again,
    } | {f"dead letters {reason}": count for reason, count in each.dead_letters.items()}  # fmt: skip
    for name, count in counts.items():
        if count:
            table.add_row(name, f"{count:,}")
    if len(each.bundles) > 1:
        table.add_row("different bundles among them", f"{len(each.bundles)}")
    return table


def _figures(title: str) -> Table:
    table = Table(title=escape(title), title_justify="left", caption="from, to: 95 % intervals over entities")
    for name in ("figure", "value", "from", "to"):
        table.add_column(name, justify="left" if name == "figure" else "right")
    return table


def _row(table: Table, name: str, figure: Figure) -> None:
    table.add_row(name, *("–" if each is None else f"{each:.4f}" for each in figure))
