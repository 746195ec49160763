"""A run: faults at random for as long as asked, each followed by its recovery; at the end the books."""

import random
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.torture.faults import FAULTS, Fault
from tests.torture.house import MOST_FILES, MOST_MEMORY_MB, House, Say, TortureFailed

PER_SECOND = 150.0


@dataclass
class Outcome:
    """What a run came to; `failed` is empty when every promise held."""

    seed: int
    faults: Counter[str] = field(default_factory=Counter)
    kills: int = 0
    recovery_s: dict[str, float] = field(default_factory=dict)
    findings: dict[str, Any] = field(default_factory=dict)
    most_memory_mb: float = 0.0
    most_files: int = 0
    seconds: float = 0.0
    failed: list[str] = field(default_factory=list)

    def told(self) -> dict[str, Any]:
        """As it is printed."""
        counts = ("missing", "duplicates_identical", "duplicates_different", "state_mismatches")
        return {
            "seed": self.seed,
            "faults": dict(sorted(self.faults.items())),
            "events": self.findings.get("inputs", 0),
            **{name: self.findings.get(name) for name in counts},
            "slowest_recovery_s": round(max(self.recovery_s.values(), default=0.0), 1),
            "kills": self.kills,
            "recovery_s": {name: round(seconds, 1) for name, seconds in sorted(self.recovery_s.items())},
            "broken": self.findings.get("broken"),
            "notes": self.findings.get("notes"),
            "most_memory_mb": round(self.most_memory_mb),
            "most_files": self.most_files,
            "seconds": round(self.seconds),
            "failed": self.failed,
        }


def torture(
    folder: Path,
    seed: int,
    seconds: float,
    say: Say,
    *,
    faults: Sequence[Fault] = FAULTS,
    per_second: float = PER_SECOND,
    kills: int = 0,
    killing: Sequence[Fault] = (),
) -> Outcome:
    """Runs for so long; of a promise that does not hold the first words are in the outcome, the rest in the folder.

    Args:
        faults: those to choose from.
        kills: so many before the time begins to count, by the faults in `killing`.
    """
    outcome, chance = Outcome(seed), random.Random(seed)
    began = time.monotonic()
    with House(folder, seed, per_second=per_second, say=say) as house:
        try:
            say(f"up after {house.wait_well():.1f} s")
            while outcome.kills < kills:
                _one(house, _drawn(killing, chance), chance, outcome, began)
            counted = time.monotonic()
            while time.monotonic() - counted < seconds:
                time.sleep(chance.uniform(0, 3))
                _one(house, _drawn(faults, chance), chance, outcome, began)
            house.wait_well()
            outcome.findings = house.verify()
        except AssertionError as error:
            outcome.failed.append(f"{type(error).__name__}: {error}")
        outcome.most_memory_mb, outcome.most_files = house.watch.most_memory_mb, house.watch.most_files
        leaks = house.leaks()
    outcome.seconds = time.monotonic() - began
    outcome.failed += _judged(outcome, leaks)
    return outcome


def _drawn(faults: Sequence[Fault], chance: random.Random) -> Fault:
    return chance.choices(faults, [fault.weight for fault in faults])[0]


def _one(house: House, fault: Fault, chance: random.Random, outcome: Outcome, began: float) -> None:
    house.say(f"{time.monotonic() - began:7.1f} s  {fault.name}")
    outcome.faults[fault.name] += 1
    outcome.kills += fault.kills
    try:
        fault.harm(house, chance)
        seconds = house.wait_well()
    except AssertionError as error:
        raise TortureFailed(f"{fault.name}: {error}") from error
    outcome.recovery_s[fault.name] = max(seconds, outcome.recovery_s.get(fault.name, 0.0))
    house.say(f"{'':9}  well after {seconds:.1f} s")


def judged_findings(findings: Mapping[str, Any]) -> list[str]:
    """What of the findings of `riskstream verify` must not be."""
    failed = [f"verify: {kind}: {findings['examples'][kind][:1]}" for kind in findings.get("broken", ())]
    return failed + [f"verify could not check: {note}" for note in findings.get("notes", ())]


def _judged(outcome: Outcome, leaks: Sequence[str]) -> list[str]:
    failed = judged_findings(outcome.findings)
    failed += [f"personal data in {where}" for where in leaks]
    if outcome.most_memory_mb > MOST_MEMORY_MB:
        failed.append(f"a worker took {outcome.most_memory_mb:.0f} MB, at most {MOST_MEMORY_MB} are allowed")
    if outcome.most_files > MOST_FILES:
        failed.append(f"a worker had {outcome.most_files} files open, at most {MOST_FILES} are allowed")
    return failed
