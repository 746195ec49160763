"""What a verification found, counted, with a few examples of each kind."""

from dataclasses import dataclass, field

MOST_EXAMPLES = 5


@dataclass
class Findings:
    """What was looked at, and what is not as promised.

    Attributes:
        inputs: visible input records.
        missing: (input, scorer) pairs without a score or dead letter.
        duplicates_identical: terminal records and alerts that are there again, byte for byte.
        duplicates_different: the same that contradict the first one.
        unexpected: outputs about no visible input, or of a scorer that was not in force.
        out_of_order: first records of a scorer whose source lies before one already answered.
        alerts_wrong: alerts that are missing, or that no score asks for.
        different: outputs that scoring the log again does not give.
        state_mismatches, alert_state_mismatches: entities whose state in Redis is not that of the log.
        notes: what could not be looked at, and why.
        examples: the first few of each kind.
    """

    inputs: int = 0
    missing: int = 0
    duplicates_identical: int = 0
    duplicates_different: int = 0
    unexpected: int = 0
    out_of_order: int = 0
    alerts_wrong: int = 0
    different: int = 0
    state_mismatches: int = 0
    alert_state_mismatches: int = 0
    notes: list[str] = field(default_factory=list)
    examples: dict[str, list[str]] = field(default_factory=dict)

    def note(self, kind: str, example: str) -> None:
        """Counts one more of a kind."""
        setattr(self, kind, getattr(self, kind) + 1)
        examples = self.examples.setdefault(kind, [])
        if len(examples) < MOST_EXAMPLES:
            examples.append(example)

    @property
    def broken(self) -> list[str]:
        """The kinds that were found and must not be; identical duplicates may, after a zombie or a failover."""
        kinds = (
            "missing", "duplicates_different", "unexpected", "out_of_order", "alerts_wrong", "different",
            "state_mismatches", "alert_state_mismatches",
        )  # fmt: skip
        return [kind for kind in kinds if getattr(self, kind)]
