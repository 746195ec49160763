"""Inputs against outputs by coordinates alone: no decoder and no scoring of riskstream's is asked.

One input partition at a time. Its scores, alerts and dead letters lie in the output partitions of the same number. What
is passed on to an internal topic is an output of the first partition and an input of the second: there the books are kept
by the offset in the internal topic, and every event counts once, where it first came.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec
import xxhash

from schemas.topics import ALERTS, DEAD_LETTERS, SCORES
from scoring.store.contract import Partition
from stream.verify.findings import Findings
from stream.verify.reading import LogRecord

OUTPUTS = (SCORES, DEAD_LETTERS, ALERTS)
EVERYBODY = ""
"""In place of a scorer: a dead letter that answers for all of them."""


class _Source(msgspec.Struct):
    topic: str
    partition: int
    offset: int


class _Origin(msgspec.Struct):
    origin: _Source


class _Output(msgspec.Struct):
    """What is read of an output; everything else is passed over."""

    source: _Source
    scorer: str | None = None
    level: str = ""
    shadow: bool = False
    suppressed_by: str | None = None


_decode = msgspec.json.Decoder(_Output).decode
_decode_origin = msgspec.json.Decoder(_Origin).decode
_RUNTIME = b'"runtime":"'  # within a text its quotes would be escaped


class Answer(NamedTuple):
    """An output, in short: the hash of its content, whose it is, and the offset of the input it is about."""

    content: int
    scorer: str
    offset: int


def content_of(value: bytes | None) -> int:
    """Hash of an output's bytes, but for the fingerprint of the machine that made it."""
    raw = value or b""
    start = raw.find(_RUNTIME)
    if start < 0:
        return int(xxhash.xxh3_64_intdigest(raw))
    end = raw.find(b'"', start + len(_RUNTIME))
    return int(xxhash.xxh3_64_intdigest(raw[:start] + raw[end:]))


def placed(content: int, partition: int) -> int:
    """Hash of a content in a place: what is passed on belongs into one partition."""
    return int(xxhash.xxh3_64_intdigest(f"{content} {partition}".encode()))


@dataclass(frozen=True)
class PassedOn:
    """The events of one partition of an internal topic, each where it first came.

    Attributes:
        places: offset in the internal topic, by topic, partition and offset of the origin.
        offsets: those offsets.
    """

    places: Mapping[tuple[str, int, int], int]
    offsets: frozenset[int]

    @classmethod
    def of(cls, records: Iterable[LogRecord], origins: str) -> "PassedOn":
        """Read from the log; what does not come from a partition whose CloudEvents source begins so is passed over."""
        places: dict[tuple[str, int, int], int] = {}
        highest: dict[tuple[str, int], int] = {}
        for record in (record for record in records if record.origin.startswith(origins)):
            try:
                origin = _decode_origin(record.value or b"").origin
            except msgspec.MsgspecError:
                continue
            if origin.offset > highest.get((origin.topic, origin.partition), -1):
                highest[origin.topic, origin.partition] = origin.offset
                places[origin.topic, origin.partition, origin.offset] = record.offset
        return cls(places, frozenset(places.values()))


@dataclass(eq=False)
class Account:
    """The books of one input partition.

    Args:
        partition: whose.
        origin: the CloudEvents source of its outputs, which names the namespace as well; of an internal topic, what the
            sources of its events' partitions begin with.
        scores_from: per scorer, the first offset that it has to answer.
        findings: where errors go.
        others: scorers whose outputs lie here and belong to other books.
        sequence: of an internal topic, its events.
        passed_from: per internal topic, the first offset that is passed on to it.

    Attributes:
        written: every output by topic and identity, the first one where there are several.
    """

    partition: Partition
    origin: str
    scores_from: Mapping[str, int]
    findings: Findings
    others: frozenset[str] = frozenset()
    sequence: PassedOn | None = None
    passed_from: Mapping[str, int] = field(default_factory=dict)
    written: dict[tuple[str, str], "Answer"] = field(default_factory=dict)
    _inputs: set[int] = field(default_factory=set)
    _terminals: dict[str, dict[int, str]] = field(default_factory=dict)
    _last: dict[tuple[str, int], int] = field(default_factory=dict)
    _passed: dict[str, dict[int, int]] = field(default_factory=dict)
    _asked: set[str] = field(default_factory=set)
    _raised: set[str] = field(default_factory=set)

    def take_inputs(self, records: Iterable[LogRecord]) -> None:
        """Notes that these are there."""
        offsets = {record.offset for record in records}
        self._inputs.update(offsets if self.sequence is None else offsets & self.sequence.offsets)

    def take_passed_on(self, to: str, records: Iterable[tuple[str, int]]) -> None:
        """Notes what was passed on from here to an internal topic: identities, and hashes of content and place."""
        passed = self._passed.setdefault(to, {})
        for identity, content in records:
            offset = int(identity.rpartition(":")[2])
            if passed.setdefault(offset, content) != content:
                self.findings.note("duplicates_different", f"{identity}: passed on to {to} with other content")
            self.written.setdefault((to, identity), Answer(content, EVERYBODY, offset))

    def take_outputs(self, topic: str, records: Iterable[LogRecord]) -> None:
        """Notes scores, alerts or dead letters, in order; those about other partitions are passed over."""
        for record in (record for record in records if self._is_mine(record)):
            try:
                output = _decode(record.value or b"")
            except msgspec.MsgspecError:
                self.findings.note("unexpected", f"{topic} offset {record.offset}: no output of riskstream")
                continue
            self._take(topic, record, output)

    def close(self) -> None:
        """Finds what is missing, and what nobody asked for."""
        if self.sequence is None:  # an event that is passed on has been counted
            self.findings.inputs += len(self._inputs)
        everybody = self._terminals.get(EVERYBODY, {})
        for to, first in self.passed_from.items():
            passed = self._passed.get(to, {})
            for offset in sorted(offset for offset in self._inputs - everybody.keys() - passed.keys() if offset >= first):
                self.findings.note("missing", f"{self.partition} offset {offset}: not passed on to {to}")
            for offset in sorted(passed.keys() - (self._inputs - everybody.keys())):
                self.findings.note("unexpected", f"{self.partition} offset {offset}: passed on to {to}")
        for scorer, first in self.scores_from.items():
            own = self._terminals.get(scorer, {})
            wanted = {offset for offset in self._inputs if offset >= first}
            for offset in sorted(wanted - own.keys() - everybody.keys()):
                self.findings.note("missing", f"{self.partition} offset {offset}: no answer of {scorer}")
            for offset in sorted(own.keys() - wanted):
                self.findings.note("unexpected", f"{own[offset]}: no visible input of {scorer}")
            for offset in sorted(own.keys() & everybody.keys()):
                self.findings.note("duplicates_different", f"{own[offset]}: has a dead letter as well")
        for scorer in self._terminals.keys() - self.scores_from.keys() - {EVERYBODY}:
            for identity in self._terminals[scorer].values():
                self.findings.note("unexpected", f"{identity}: {scorer} was never in force here")
        for offset in sorted(everybody.keys() - self._inputs):
            self.findings.note("unexpected", f"{everybody[offset]}: no visible input")
        for alert in sorted(self._asked - self._raised):
            self.findings.note("alerts_wrong", f"{alert}: a score asks for it, it is not there")
        for alert in sorted(self._raised - self._asked):
            self.findings.note("alerts_wrong", f"{alert}: no score asks for it")

    def _is_mine(self, record: LogRecord) -> bool:
        if self.sequence is None:
            return record.origin == self.origin
        return record.origin.startswith(self.origin)

    def _take(self, topic: str, record: LogRecord, output: _Output) -> None:
        key = topic, record.identity
        scorer, source = output.scorer or EVERYBODY, output.source
        if scorer in self.others or (self.sequence is not None and scorer not in self.scores_from):
            return
        offset = source.offset
        if self.sequence is not None:
            offset = self.sequence.places.get((source.topic, source.partition, source.offset), -1)
            if offset < 0:
                self.findings.note("unexpected", f"{record.identity}: its event was not passed on to {self.partition}")
                return
        answer = Answer(content_of(record.value), scorer, offset)
        if key in self.written:
            kind = "duplicates_identical" if self.written[key] == answer else "duplicates_different"
            self.findings.note(kind, f"{record.identity}: again at {topic} offset {record.offset}")
            return
        self.written[key] = answer
        if topic == ALERTS:
            self._raised.add(record.identity)
            return
        earlier = self._terminals.setdefault(scorer, {}).setdefault(offset, record.identity)
        if earlier != record.identity:
            self.findings.note("duplicates_different", f"{record.identity}: {earlier} answers the same input")
        if topic != SCORES:
            return
        before = self._last.get((scorer, source.partition), -1)
        if offset < before:
            self.findings.note("out_of_order", f"{record.identity} at {topic} offset {record.offset}")
        self._last[scorer, source.partition] = max(offset, before)
        if output.level == "alert" and not output.shadow and output.suppressed_by is None:
            self._asked.add(f"alert:{record.identity}")
