"""What came back from the worker, held against what went in: nothing in here talks to Kafka."""

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from schemas.alert import Alert
from schemas.dead_letter import DeadLetter
from schemas.score import Score
from scoring.scorer import Scorer
from scoring.store.contract import Partition
from stream.demo.feeding import DueTimes

ALERTS_KEPT = 2_000


@dataclass(eq=False)
class Ledger:
    """Counts terminal records, alerts and found frauds.

    Args:
        scorers: the scorers at work, challengers included.
        injected: ids of the injected frauds.
        due: when the events of the steady phase were due.
        keeps: whether scores are kept, for a use that looks at them.

    Attributes:
        expected: records of each input partition.
        scores: by scorer; levels: scores of live scorers by level; alerts, dead_letters: published records.
        alerted: (topic, event id) of events with level `alert` by a live scorer, held back ones included.
        found: injected events among them.
        shown: the last alerts, newest last.
        delays_ms: from due to the broker's stamp on the score, of the events of the steady phase.
        occurred_at_ms: greatest event time scored, by topic.
        repeated: terminal records of a pair of event and scorer that had one before.
        kept: scores of each scorer by event id; empty unless `keeps`.
    """

    scorers: Mapping[str, Scorer]
    injected: frozenset[str]
    due: DueTimes
    keeps: bool = False
    expected: dict[Partition, int] = field(default_factory=dict)
    scores: Counter[str] = field(default_factory=Counter)
    levels: Counter[str] = field(default_factory=Counter)
    alerts: int = 0
    dead_letters: int = 0
    alerted: set[tuple[str, str]] = field(default_factory=set)
    found: set[str] = field(default_factory=set)
    shown: deque[Alert] = field(default_factory=lambda: deque(maxlen=ALERTS_KEPT))
    delays_ms: list[float] = field(default_factory=list)
    occurred_at_ms: dict[str, int] = field(default_factory=dict)
    raised: int = 0
    repeated: int = 0
    kept: dict[str, dict[str, Score]] = field(default_factory=lambda: defaultdict(dict))
    _terminal: dict[tuple[str, Partition], set[int]] = field(default_factory=lambda: defaultdict(set))

    def expect(self, ends: Mapping[Partition, int]) -> None:
        """Notes how many records each input partition holds now."""
        self.expected |= ends

    def add_score(self, score: Score, stamped_ms: int) -> None:
        """Takes a score and the time that the broker stamped on it; one seen before counts once."""
        partition = Partition(score.source.topic, score.source.partition)
        if not self._new(score.scorer, partition, score.source.offset):
            return
        self.scores[score.scorer] += 1
        if self.keeps:
            self.kept[score.scorer][score.event_id] = score
        due_ms = self.due.by_event.get((partition.topic, score.event_id))
        if due_ms is not None:
            self.delays_ms.append(stamped_ms - due_ms)
        self.occurred_at_ms[partition.topic] = max(
            score.occurred_at_ms, self.occurred_at_ms.get(partition.topic, score.occurred_at_ms)
        )
        if score.shadow:
            return
        self.levels[score.level] += 1
        if score.level == "alert":
            self.raised += score.suppressed_by is None
            self.alerted.add((partition.topic, score.event_id))
            if score.event_id in self.injected:
                self.found.add(score.event_id)

    def add_dead_letter(self, letter: DeadLetter) -> None:
        """Takes a dead letter; without a scorer it ends the record for all scorers of its topic."""
        self.dead_letters += 1
        partition = Partition(letter.source.topic, letter.source.partition)
        for name in [letter.scorer] if letter.scorer else self._scorers_of(partition.topic):
            self._new(name, partition, letter.source.offset)

    def add_alert(self, alert: Alert) -> None:
        """Takes an alert."""
        self.alerts += 1
        self.shown.append(alert)

    @property
    def missing(self) -> int:
        """Pairs of an input record and a scorer that have neither a score nor a dead letter yet."""
        return sum(
            max(0, count - len(self._terminal[name, partition]))
            for partition, count in self.expected.items()
            for name in self._scorers_of(partition.topic)
        )

    @property
    def alerts_missing(self) -> int:
        """Scores that raise an alert, less the alerts seen; 0 when every one has its record."""
        return self.raised - self.alerts

    def delay_ms(self, percent: float) -> float | None:
        """This percentile of the delays of the steady phase, in milliseconds; None before the first."""
        delays = self.delays_ms[:]
        return float(np.percentile(delays, percent)) if delays else None

    def _new(self, scorer: str, partition: Partition, offset: int) -> bool:
        seen = self._terminal[scorer, partition]
        before = len(seen)
        seen.add(offset)
        self.repeated += len(seen) == before
        return len(seen) > before

    def _scorers_of(self, topic: str) -> Iterable[str]:
        return [name for name, scorer in self.scorers.items() if scorer.event.topic == topic]
