"""What an examination finds: how bad, what was found, what was expected, what to do."""

from typing import Literal

import msgspec

Level = Literal["ok", "warning", "error"]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One finding.

    Attributes:
        level: `error` keeps riskstream from working or from keeping its promises; `warning` may come to that.
        area: what was examined: broker, topic, redis, clock, bundle, partition, runtime.
        subject: which one of it.
        do: what to do about it; empty when nothing is.
    """

    level: Level
    area: str
    subject: str
    found: str
    expected: str
    do: str = ""


def fine(area: str, subject: str, found: str, expected: str) -> Finding:
    """A finding that needs nothing done."""
    return Finding(level="ok", area=area, subject=subject, found=found, expected=expected)


def judged(level: Level, finding: Finding, *, do: str) -> Finding:
    """The finding at this level; what to do is said only where something is wrong."""
    return msgspec.structs.replace(finding, level=level, do="" if level == "ok" else do)
