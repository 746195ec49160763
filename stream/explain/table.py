"""The account of a score as text and a table for people."""

from rich.console import Console
from rich.table import Table

from stream.explain.account import Account
from stream.explain.find import FoundScore
from stream.printable import moment, number, printable

STYLES = {"alert": "bold red", "watch": "yellow", "none": "bold"}


def print_account(found: FoundScore, account: Account, console: Console | None = None) -> None:
    """Prints a score and why it is what it is."""
    console = console or Console(highlight=False, markup=False)
    score = found.score
    console.print(f"{score.value:.6f}  level {score.level}  ({score.score_kind})", style=STYLES[score.level])
    if account.reasons and score.level == "none":
        console.print("below watch; what adds most:")
    for reason in account.reasons:
        console.print(f"  {reason}", soft_wrap=True)
    if account.words:
        console.print(f"  {account.words}", soft_wrap=True)
    console.print()
    facts = {
        "score": score.score_id,
        "scorer": score.scorer + (" (shadow, never alerted)" if score.shadow else ""),
        "entity": printable(score.entity),
        "event": f"{printable(score.event_id)} at {moment(score.occurred_at_ms)} (UTC)",
        "source": f"{score.source.topic} {score.source.partition} at offset {score.source.offset}",
        "alert": account.alert or (f"held back by {score.suppressed_by}" if score.suppressed_by else "none"),
        "flags": ", ".join(score.flags) or "none",
        "history": f"{score.depth} earlier events in sight",
        "bundle": score.bundle,
        "policy": score.policy,
        "view": score.view,
        "runtime": score.runtime,
        "published": f"risk-scores {found.partition} at offset {found.offset}, {moment(found.published_at_ms)}",
    }
    for name, fact in facts.items():
        console.print(f"{name:<10} {fact}", soft_wrap=True)
    console.print()
    console.print(_features(account))
    if account.explains:
        console.print(f"contributions are {account.contributions_are or 'not to be had'}; {account.explains}")
    for note in account.notes:
        console.print(f"note: {note}", soft_wrap=True)


def _features(account: Account) -> Table:
    table = Table("feature")
    table.add_column("value", justify="right")
    table.add_column("contribution", justify="right")
    parts = account.contributions or {}
    for name, value in account.features.items():
        part = parts.get(name)
        told = "" if account.contributions is None else "0" if part is None else f"{part:+.6g}"
        table.add_row(name, number(value), told)
    return table
