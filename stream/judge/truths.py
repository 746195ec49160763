"""Labels as they stand at a time: of each event the last one known by then."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from schemas.label import Label

MEANINGS = {"1": True, "0": False}
MOST_NAMES = 1_000


@dataclass(frozen=True, slots=True)
class Truth:
    """What an event turned out to be.

    Attributes:
        positive: whether it is what the scorers look for.
    """

    label: str
    positive: bool
    known_at_ms: int


@dataclass(eq=False)
class Truths:
    """The truth of every event whose label is known by a time.

    Args:
        known_by_ms: later labels are counted and left out.
        positives: labels that mean what the scorers look for, all others what they do not; None: `1` and `0`, and what is
            neither is counted and left out.

    Attributes:
        records: labels read; unreadable: records that are no label; later: not known by then.
        repeated: the same again; replaced: by one that became known later.
        without_meaning: how often each label came that is neither positive nor its opposite.
    """

    known_by_ms: int
    positives: frozenset[str] | None = None
    records: int = 0
    unreadable: int = 0
    later: int = 0
    repeated: int = 0
    replaced: int = 0
    without_meaning: Counter[str] = field(default_factory=Counter)
    _by_event: dict[tuple[str, str], Truth] = field(default_factory=dict)
    _entity_of: dict[str, str | None] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._by_event)

    def take(self, values: Iterable[bytes | None]) -> None:
        """Adds the records of one partition in their order."""
        decode = msgspec.json.Decoder(Label).decode
        for value in values:
            self.records += 1
            try:
                label = decode(value or b"")
            except (msgspec.DecodeError, UnicodeDecodeError):
                self.unreadable += 1
                continue
            self._add(label)

    def of(self, event_id: str, entity: str) -> Truth | None:
        """The truth about the event of this entity."""
        return self._by_event.get((event_id, entity))

    def entity_of(self, event_id: str) -> str | None:
        """The one entity that has a label of an event with this id; None without one, or with several."""
        return self._entity_of.get(event_id)

    def _add(self, label: Label) -> None:
        if label.known_at_ms > self.known_by_ms:
            self.later += 1
            return
        positive = MEANINGS.get(label.label) if self.positives is None else label.label in self.positives
        if positive is None:
            known = label.label in self.without_meaning or len(self.without_meaning) < MOST_NAMES
            self.without_meaning[label.label if known else "(others)"] += 1
            return
        key = (label.event_id, label.entity)
        truth, before = Truth(label.label, positive, label.known_at_ms), self._by_event.get(key)
        if before is None:
            alone = self._entity_of.setdefault(label.event_id, label.entity) == label.entity
            if not alone:
                self._entity_of[label.event_id] = None
        elif before == truth:
            self.repeated += 1
            return
        else:
            self.replaced += 1
            if truth.known_at_ms < before.known_at_ms:
                return
        self._by_event[key] = truth
