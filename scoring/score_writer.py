"""Verdicts to the bytes that travel: scores and alerts."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np
from numpy.typing import NDArray

from schemas.alert import Alert
from schemas.score import Score
from schemas.source import Source
from schemas.topics import ALERTS, SCORES
from scoring.blocks import RecordBlock
from scoring.engine import InForce, Verdicts, alert_rows
from scoring.features.batch import json_of
from scoring.features.table import FeatureTable
from scoring.model.session import runtime_fingerprint
from scoring.policy import LEVELS, NONE
from scoring.publish import (
    FLAGS,
    Coordinates,
    Output,
    alert_id,
    flag_codes,
    flags_in,
    flags_of,
    score_ids,
)
from scoring.reasons import in_words
from scoring.wire.explanations import write_explanations
from scoring.wire.packed import Packed, pack, pack_json
from scoring.wire.scores import Rows, Template, write_scores

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, eq=False, repr=False)
class Portion:
    """Scores to write of one input partition.

    Attributes:
        verdicts, table: what is said of the events, and what it is said of.
        at: where the events come from.
        which: the rows to write, int64[m] ascending, each of which has a score.
    """

    verdicts: Verdicts
    table: FeatureTable
    at: Coordinates
    which: NDArray[np.int64]


@dataclass(eq=False)
class ScoreWriter:
    """Writes the scores of one scorer in force; what is the same for all rows is encoded once.

    They are put together by compiled code; a test holds the bytes against those of the encoded `Score`.
    """

    in_force: InForce
    runtime: str = field(default_factory=runtime_fingerprint)
    _templates: dict[str, Template] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._kind = self.in_force.bundle.manifest.score_kind
        self._policy = self.in_force.policy.digest
        self._warm_after = self.in_force.scorer.view.warm_after

    def write(
        self, verdicts: Verdicts, table: FeatureTable, at: Coordinates, which: NDArray[np.int64]
    ) -> RecordBlock:
        """The scores of the rows `which`, int64[m] ascending, each of which has one."""
        (block,) = self.write_together([Portion(verdicts, table, at, which)])
        return block

    def write_together(self, portions: Sequence[Portion]) -> list[RecordBlock]:
        """The scores of each portion, all by the same calls: parts of one table, from partitions of one topic."""
        verdicts, table, offsets, partitions, which = _joined(portions)
        explained = which[verdicts.levels[which] != NONE].tolist()
        told, text = explained, self._explained(verdicts, table, explained)
        if verdicts.outputs is not None:
            told, text = which.tolist(), self._with_outputs(verdicts, which, explained, text)
        explanation = np.full(len(table.entity), -1, np.int64)
        explanation[told] = np.arange(len(told))
        rows = Rows(
            event_id=json_of(table.event_ids),
            value=pack_json(verdicts.values.tolist()),
            entity=pack_json(table.entities),
            entity_of=table.entity,
            partition=partitions,
            offset=offsets,
            time=table.occurred_at_ms,
            id_hash=table.batch.id_hash,
            depth=table.depth,
            level=verdicts.levels,
            flags=flag_codes(table, self._warm_after),
            vectors=np.ascontiguousarray(table.vectors, "<f4").view(np.uint8),
            explained=text,
            explanation=explanation,
        )
        topic = portions[0].at.topic
        template = self._templates.get(topic)
        if template is None:
            template = self._templates[topic] = self._template(topic)
        identities, values = write_scores(template, rows, which)
        keys, key_of = pack([entity.encode() for entity in table.entities]), table.entity[which]
        blocks, end = [], 0
        for portion in portions:
            start, end, at = end, end + len(portion.which), portion.at
            here = slice(start, end)
            blocks.append(
                RecordBlock(
                    SCORES, at.output_partition, "score", at.origin, identities.cut(here), values.cut(here), keys,
                    key_of[here],
                )
            )  # fmt: skip
        return blocks

    def _explained(self, verdicts: Verdicts, table: FeatureTable, rows: list[int]) -> Packed:
        """What only these rows have, as JSON."""
        if not rows:
            return pack([])
        told = [verdicts.explanations[row] for row in rows]
        held_back = [verdicts.suppressed_by.get(row) for row in rows]
        endings = [
            b',"reasons":' + _encode(explanation.reasons) + (b',"suppressed_by":' + _encode(by) if by else b"")
            for explanation, by in zip(told, held_back, strict=True)
        ]
        return write_explanations(
            _packed([f"{_encode(name).decode()}:" for name in told[0].names]),
            table.vectors[rows].astype(np.float64),
            np.stack([explanation.parts for explanation in told]),
            pack(endings),
        )

    def _with_outputs(
        self, verdicts: Verdicts, which: NDArray[np.int64], explained: list[int], text: Packed
    ) -> Packed:
        """What rows have besides, as JSON: the explanations of some, and the named outputs of all."""
        before = dict.fromkeys(which.tolist(), b"")
        before |= {
            row: text.raw[start:end].tobytes()
            for row, start, end in zip(explained, text.starts.tolist(), text.ends.tolist(), strict=True)
        }
        return pack(
            [before[row] + b',"outputs":' + _encode(verdicts.named_outputs(row)) for row in which.tolist()]
        )

    def score(self, verdicts: Verdicts, table: FeatureTable, at: Coordinates, row: int) -> Score:
        """The score of one row as a struct."""
        explanation = verdicts.explanations.get(row)
        return Score(
            score_id=score_ids(self.in_force.name, at, table.batch.id_hash, [row])[0],
            scorer=self.in_force.name,
            event_id=table.event_ids[row],
            entity=table.entities[table.entity[row]],
            source=Source(at.topic, at.partition, at.offsets[row]),
            occurred_at_ms=int(table.occurred_at_ms[row]),
            value=float(verdicts.values[row]),
            score_kind=self._kind,
            level=LEVELS[verdicts.levels[row]],  # type: ignore[arg-type]
            features=base64.b64encode(table.vectors[row].astype("<f4").tobytes()).decode(),
            depth=int(table.depth[row]),
            bundle=self.in_force.bundle.digest,
            policy=self._policy,
            view=self.in_force.scorer.view.digest,
            runtime=self.runtime,
            flags=flags_of(table, row, self._warm_after),
            shadow=not self.in_force.live,
            named_features=explanation.named_features if explanation else None,
            contributions=explanation.contributions if explanation else None,
            reasons=explanation.reasons if explanation else (),
            suppressed_by=verdicts.suppressed_by.get(row),
            outputs=verdicts.named_outputs(row),
        )

    def alert(self, verdicts: Verdicts, table: FeatureTable, at: Coordinates, row: int) -> Alert:
        """The alert of one row at level `alert`."""
        explanation = verdicts.explanations[row]
        (score_id,) = score_ids(self.in_force.name, at, table.batch.id_hash, [row])
        return Alert(
            alert_id=alert_id(score_id),
            score_id=score_id,
            scorer=self.in_force.name,
            event_id=table.event_ids[row],
            entity=table.entities[table.entity[row]],
            source=Source(at.topic, at.partition, at.offsets[row]),
            occurred_at_ms=int(table.occurred_at_ms[row]),
            value=float(verdicts.values[row]),
            score_kind=self._kind,
            reasons=explanation.reasons,
            explanation=in_words(
                explanation,
                self.in_force.bundle.manifest.baseline,
                adverse_action=self.in_force.scorer.adverse_action,
            ),
            named_features=explanation.named_features,
            contributions=explanation.contributions,
            bundle=self.in_force.bundle.digest,
            policy=self._policy,
            view=self.in_force.scorer.view.digest,
            flags=flags_of(table, row, self._warm_after),
        )

    def write_alerts(
        self, verdicts: Verdicts, table: FeatureTable, at: Coordinates, rows: NDArray[np.int64] | None = None
    ) -> list[tuple[int, Output]]:
        """Row and record of every alert that is not held back, of all rows or of those given."""
        written = []
        among = None if rows is None else set(rows.tolist())
        for row in alert_rows(verdicts):
            if row not in verdicts.suppressed_by and (among is None or row in among):
                alert = self.alert(verdicts, table, at, row)
                key = alert.entity.encode()
                written.append((row, Output(ALERTS, "alert", alert.alert_id, at.origin, key, _encode(alert))))
        return written

    def _template(self, topic: str) -> Template:
        shadow = "" if self.in_force.live else ',"shadow":true'
        versions = (
            f',"bundle":"{self.in_force.bundle.digest}","policy":"{self._policy}",'
            f'"view":"{self.in_force.scorer.view.digest}","runtime":{_encode(self.runtime).decode()}'
        )
        before = (
            '{"score_id":"',
            f'","scorer":"{self.in_force.name}","event_id":',
            ',"entity":',
            f',"source":{{"topic":"{topic}","partition":',
            ',"offset":',
            '},"occurred_at_ms":',
            ',"value":',
            '","depth":',
        )
        flags = [flags_in(code) for code in range(1 << len(FLAGS))]
        texts = [f',"flags":{_encode(present).decode()}' if present else "" for present in flags]
        return Template(
            before=_packed(before),
            level=_packed([f',"score_kind":"{self._kind}","level":"{level}","features":"' for level in LEVELS]),
            closing=_packed([f"{versions}{text}{shadow}" for text in texts]),
            identity=_packed([f"{self.in_force.name}:{topic}:"]),
        )


def _joined(
    portions: Sequence[Portion],
) -> tuple[Verdicts, FeatureTable, NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Verdicts, table, offsets int64[n], partitions int64[n] and rows to write, int64[m], of portions of one table.

    Rows of the table that are in none of the portions have no value, and offset and partition 0.
    """
    first = portions[0]
    if len(portions) == 1:
        n = len(first.table.entity)
        offsets, partitions = np.array(first.at.offsets, np.int64), np.full(n, first.at.partition)
        return first.verdicts, first.table, offsets, partitions, first.which
    table = first.table if first.table.whole is None else first.table.whole
    n, width = len(table.entity), first.verdicts.outputs
    verdicts = Verdicts(first.verdicts.in_force, np.full(n, np.nan), np.zeros(n, np.uint8))
    if width is not None:
        verdicts.outputs = np.full((n, width.shape[1]), np.nan)
    offsets, partitions, which = np.zeros(n, np.int64), np.zeros(n, np.int64), []
    for portion in portions:
        own, start, rows = portion.verdicts, portion.table.at, portion.which
        here = rows + start
        verdicts.values[here], verdicts.levels[here] = own.values[rows], own.levels[rows]
        if verdicts.outputs is not None and own.outputs is not None:
            verdicts.outputs[here] = own.outputs[rows]
        verdicts.explanations |= {row + start: said for row, said in own.explanations.items()}
        verdicts.suppressed_by |= {row + start: alert for row, alert in own.suppressed_by.items()}
        offsets[here] = np.array(portion.at.offsets, np.int64)[rows]
        partitions[here] = portion.at.partition
        which.append(here)
    return verdicts, table, offsets, partitions, np.concatenate(which)


def _packed(texts: Sequence[str]) -> Packed:
    return pack([text.encode() for text in texts])
