"""Reads labels, scores and dead letters from Kafka, and judges the scorers."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

import msgspec
from aiokafka.errors import KafkaError

from schemas.dead_letter import DeadLetter
from schemas.topics import DEAD_LETTERS, LABELS, SCORES
from scoring.scorer import Scorer
from stream.errors import JobFailed
from stream.judge.joined import Joined, Said, count_letters
from stream.judge.judgement import Compared, Draws, Judged, compared, judged
from stream.judge.truths import Truths
from stream.replay.log import read_log
from stream.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is to be judged.

    Attributes:
        known_by_ms: labels known later do not count; positives: as `Truths`.
        scorers: names; all that published a score when empty.
        from_ms, to_ms: time of the first event and of the first one left out.
        against: the scorer that the others are compared with.
    """

    known_by_ms: int
    positives: frozenset[str] | None = None
    scorers: frozenset[str] = frozenset()
    from_ms: int | None = None
    to_ms: int | None = None
    against: str | None = None
    draws: Draws = field(default_factory=lambda: Draws(resamples=1_000, seed=7))

    def wants(self, said: Said) -> bool:
        """Whether the score of this event counts."""
        inside = (self.from_ms is None or said.occurred_at_ms >= self.from_ms) and (
            self.to_ms is None or said.occurred_at_ms < self.to_ms
        )
        return inside and (not self.scorers or said.scorer in self.scorers or said.scorer == self.against)


class Labels(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the labels; see `Truths`. known: events with a label that counts."""

    records: int
    known: int
    not_known_yet: int
    repeated: int
    replaced: int
    unreadable: int
    without_meaning: dict[str, int]


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """Every scorer by the labels known by a time, in order of the names.

    Attributes:
        unreadable: scores and dead letters that are none.
    """

    known_by_ms: int
    labels: Labels
    scorers: tuple[Judged, ...]
    compared: tuple[Compared, ...]
    unreadable: int


async def judge(settings: Settings, scorers: Mapping[str, Scorer], asked: Asked) -> Judgement:
    """Joins what was published in this namespace with the labels, as of now; reads only.

    Args:
        scorers: the declared ones, by name.

    Raises:
        JobFailed: Kafka does not answer, a topic is missing, or nobody scored for `asked.against`.
    """
    truths = Truths(asked.known_by_ms, asked.positives)
    joined: dict[str, Joined] = {}
    unreadable = 0
    try:
        async for values in _values(settings, LABELS, own=False):
            truths.take(values)
        decode_score = msgspec.json.Decoder(Said).decode
        async for values in _values(settings, SCORES):
            for value in values:
                try:
                    said = decode_score(value)
                except (msgspec.DecodeError, UnicodeDecodeError):
                    unreadable += 1
                    continue
                if asked.wants(said):
                    _joined_of(said.scorer, scorers, joined).add(said, truths)
        letters = []
        decode_letter = msgspec.json.Decoder(DeadLetter).decode
        async for values in _values(settings, DEAD_LETTERS):
            for value in values:
                try:
                    letters.append(decode_letter(value))
                except (msgspec.DecodeError, UnicodeDecodeError):
                    unreadable += 1
    except (KafkaError, OSError) as error:
        raise JobFailed(f"Kafka at {settings.kafka_bootstrap}: {error}; see riskstream doctor") from None
    count_letters(letters, {name: each.event.topic for name, each in scorers.items()}, joined)
    if asked.against is not None and asked.against not in joined:
        raise JobFailed(f"no score of {asked.against}; there are scores of {', '.join(sorted(joined)) or 'nobody'}")
    ordered = [joined[name] for name in sorted(joined)]
    against = joined[asked.against] if asked.against is not None else None
    return Judgement(
        known_by_ms=asked.known_by_ms,
        labels=_labels(truths),
        scorers=tuple(judged(each, asked.draws) for each in ordered),
        compared=tuple(compared(each, against, asked.draws) for each in ordered if each is not against)
        if against is not None
        else (),
        unreadable=unreadable,
    )


async def _values(settings: Settings, topic: str, *, own: bool = True) -> AsyncIterator[list[bytes]]:
    """The values of a topic's records; of outputs those of this namespace."""
    source = f"/{settings.namespace}/".encode()
    async for part in read_log(settings, topic):
        records = part.records
        if own:
            records = [each for each in records if dict(each.headers).get("ce_source", b"").startswith(source)]
        yield [record.value or b"" for record in records]


def _joined_of(name: str, scorers: Mapping[str, Scorer], joined: dict[str, Joined]) -> Joined:
    if name not in joined:
        declared = scorers.get(name)
        joined[name] = Joined(name, second_pass=declared is not None and declared.topic != declared.event.topic)
    return joined[name]


def _labels(truths: Truths) -> Labels:
    return Labels(
        records=truths.records, known=len(truths), not_known_yet=truths.later, repeated=truths.repeated,
        replaced=truths.replaced, unreadable=truths.unreadable, without_meaning=dict(truths.without_meaning),
    )  # fmt: skip
