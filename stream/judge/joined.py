"""Scores beside the truth of their events: each event once, each score once."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec
import numpy as np
from numpy.typing import NDArray

from schemas.dead_letter import DeadLetter
from schemas.score import Level
from stream.judge.truths import Truths

LEVELS: dict[Level, int] = {"none": 0, "watch": 1, "alert": 2}


class Said(msgspec.Struct, frozen=True, gc=False):
    """What judging needs of a published score."""

    score_id: str
    scorer: str
    event_id: str
    entity: str
    occurred_at_ms: int
    value: float
    level: Level
    bundle: str
    shadow: bool = False


@dataclass(frozen=True)
class Rows:
    """The judged events of one scorer, n of them.

    Attributes:
        events: id and entity of each; values: float64[n], scores; levels: int64[n], 0 none, 1 watch, 2 alert.
        positive: int64[n], 1 or 0; entity: int64[n], number of the entity that the label names.
    """

    events: list[tuple[str, str]]
    values: NDArray[np.float64]
    levels: NDArray[np.int64]
    positive: NDArray[np.int64]
    entity: NDArray[np.int64]

    def take(self, places: list[int]) -> "Rows":
        """Some of the rows, in that order."""
        kept = [self.events[place] for place in places]
        return Rows(kept, self.values[places], self.levels[places], self.positive[places], self.entity[places])


@dataclass(eq=False)
class Joined:
    """The scores of one scorer that have a label.

    Attributes:
        second_pass: whether its entity is another than that of the events, whose labels are found by event alone.
        scores: records read; unlabelled: those without a known label.
        repeated: identical records of one score; scored_again: further scores of an event, of which the first counts.
        dead_letters: by reason, of its topic's events that it gave no score.
    """

    scorer: str
    second_pass: bool = False
    shadow: bool = False
    bundles: set[str] = field(default_factory=set)
    scores: int = 0
    unlabelled: int = 0
    repeated: int = 0
    scored_again: int = 0
    dead_letters: Counter[str] = field(default_factory=Counter)
    _judged: dict[tuple[str, str], tuple[str, float, int, bool]] = field(default_factory=dict)

    def add(self, said: Said, truths: Truths) -> None:
        """Counts a score, and keeps it when the truth of its event is known."""
        self.scores += 1
        event = (said.event_id, said.entity)
        truth = truths.of(*event)
        if truth is None and self.second_pass:
            entity = truths.entity_of(said.event_id)
            if entity is not None:
                event = (said.event_id, entity)
                truth = truths.of(*event)
        if truth is None:
            self.unlabelled += 1
            return
        before = self._judged.get(event)
        if before is not None:
            if before[0] == said.score_id:
                self.repeated += 1
            else:
                self.scored_again += 1
            return
        self.shadow = said.shadow
        self.bundles.add(said.bundle)
        self._judged[event] = (said.score_id, said.value, LEVELS[said.level], truth.positive)

    def rows(self) -> Rows:
        """What can be judged, in the order it was read."""
        found = list(self._judged.values())
        numbers: dict[str, int] = {}
        return Rows(
            list(self._judged),
            np.array([each[1] for each in found], np.float64),
            np.array([each[2] for each in found], np.int64),
            np.array([each[3] for each in found], np.int64),
            np.array([numbers.setdefault(entity, len(numbers)) for _, entity in self._judged], np.int64),
        )


def count_letters(letters: Iterable[DeadLetter], topic_of: dict[str, str], joined: dict[str, Joined]) -> None:
    """Counts each dead letter once for every scorer that it stands for.

    Args:
        topic_of: the topic of the events of each scorer.
    """
    seen = set()
    for letter in letters:
        if letter.dead_letter_id in seen:
            continue
        seen.add(letter.dead_letter_id)
        for name, each in joined.items():
            if letter.scorer == name or (letter.scorer is None and topic_of.get(name) == letter.source.topic):
                each.dead_letters[str(letter.reason)] += 1
