"""The findings as tables for people: what is good in short, what is wrong with what to do."""

from collections import Counter
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from stream.doctor.finding import Finding, Level

ORDER: tuple[Level, ...] = ("error", "warning", "ok")
STYLES = {"error": "bold red", "warning": "yellow", "ok": "green"}


def print_findings(findings: Sequence[Finding], console: Console | None = None) -> None:
    """Prints the good findings, then the others where the eye ends up, and a last line that counts them.

    Good ones are put together by what they are about; `--json` has each with what was expected.
    """
    console = console or Console(highlight=False, markup=False)
    good = Table("good", "found")
    for what, found in _good(findings).items():
        good.add_row(what, "; ".join(found))
    console.print(good)
    wrong = Table("", "what", "found", "expected, and what to do")
    for table in (good, wrong):
        for column in table.columns:
            column.overflow = "fold"
    for level in ("error", "warning"):
        for finding in findings:
            if finding.level == level:
                what, do = f"{finding.area}\n{finding.subject}", f"{finding.expected}\n-> {finding.do}"
                wrong.add_row(level, what, finding.found, do, style=STYLES[level])
    if wrong.row_count:
        console.print(wrong)
    counts = Counter(finding.level for finding in findings)
    console.print(", ".join(f"{counts[level]} {level}" for level in ORDER))


def _good(findings: Sequence[Finding]) -> dict[str, list[str]]:
    """What was found good, by area and subject; partitions only counted, since there can be hundreds."""
    wrong = {(finding.area, finding.subject) for finding in findings if finding.level != "ok"}
    good: dict[str, list[str]] = {}
    partitions: set[str] = set()
    for finding in findings:
        if finding.level == "ok" and finding.area == "partition":
            partitions |= {finding.subject} - {subject for _, subject in wrong}
        elif finding.level == "ok":
            good.setdefault(f"{finding.area} {finding.subject}", []).append(finding.found)
    if partitions:
        good["partition"] = [f"{len(partitions)} are level with the log, or nearly, and their state fits it"]
    return good
