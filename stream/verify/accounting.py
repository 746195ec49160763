"""Inputs against outputs by coordinates alone: no decoder and no scoring of riskstream's is asked.

One input partition at a time. Its scores, alerts and dead letters lie in the output partitions of the same number.
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
    offset: int


class _Output(msgspec.Struct):
    """What is read of an output; everything else is passed over."""

    source: _Source
    scorer: str | None = None
    level: str = ""
    shadow: bool = False
    suppressed_by: str | None = None


_decode = msgspec.json.Decoder(_Output).decode
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


@dataclass(eq=False)
class Account:
    """The books of one input partition.

    Args:
        partition: whose.
        origin: the CloudEvents source of its outputs, which names the namespace as well.
        scores_from: per scorer, the first offset that it has to answer.
        findings: where errors go.

    Attributes:
        written: every output by topic and identity, the first one where there are several.
    """

    partition: Partition
    origin: str
    scores_from: Mapping[str, int]
    findings: Findings
    written: dict[tuple[str, str], "Answer"] = field(default_factory=dict)
    _inputs: set[int] = field(default_factory=set)
    _terminals: dict[str, dict[int, str]] = field(default_factory=dict)
    _last: dict[str, int] = field(default_factory=dict)
    _asked: set[str] = field(default_factory=set)
    _raised: set[str] = field(default_factory=set)

    def take_inputs(self, records: Iterable[LogRecord]) -> None:
        """Notes that these are there."""
        self._inputs.update(record.offset for record in records)

    def take_outputs(self, topic: str, records: Iterable[LogRecord]) -> None:
        """Notes scores, alerts or dead letters, in order; those about other partitions are passed over."""
        for record in (record for record in records if record.origin == self.origin):
            try:
                output = _decode(record.value or b"")
            except msgspec.MsgspecError:
                self.findings.note("unexpected", f"{topic} offset {record.offset}: no output of riskstream")
                continue
            self._take(topic, record, output)

    def close(self) -> None:
        """Finds what is missing, and what nobody asked for."""
        self.findings.inputs += len(self._inputs)
        everybody = self._terminals.get(EVERYBODY, {})
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

    def _take(self, topic: str, record: LogRecord, output: _Output) -> None:
        key = topic, record.identity
        answer = Answer(content_of(record.value), output.scorer or EVERYBODY, output.source.offset)
        if key in self.written:
            kind = "duplicates_identical" if self.written[key] == answer else "duplicates_different"
            self.findings.note(kind, f"{record.identity}: again at {topic} offset {record.offset}")
            return
        self.written[key] = answer
        if topic == ALERTS:
            self._raised.add(record.identity)
            return
        scorer, offset = answer.scorer, answer.offset
        earlier = self._terminals.setdefault(scorer, {}).setdefault(offset, record.identity)
        if earlier != record.identity:
            self.findings.note("duplicates_different", f"{record.identity}: {earlier} answers the same input")
        if topic != SCORES:
            return
        if offset < self._last.get(scorer, -1):
            self.findings.note("out_of_order", f"{record.identity} at {topic} offset {record.offset}")
        self._last[scorer] = max(offset, self._last.get(scorer, -1))
        if output.level == "alert" and not output.shadow and output.suppressed_by is None:
            self._asked.add(f"alert:{record.identity}")
