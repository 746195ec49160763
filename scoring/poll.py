"""One poll, from records to outputs and commits: decode, read, fold, score, decide, encode. No Kafka in here.

The steps of a poll over several partitions share one model call per scorer. Nothing is written: `prepare` gives what
is to be produced and, per partition, the steps to commit once it is acknowledged.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from schemas.codec import Refused
from schemas.dead_letter import Reason
from schemas.source import Source
from scoring.clock import stopwatch_s
from scoring.engine import InForce, Verdicts, alert_rows, judge, raise_alerts
from scoring.features.batch import EventBatch
from scoring.features.table import DUPLICATE, SCORED, FeatureTable, fold_table
from scoring.partition import PartitionState
from scoring.policy import read_alert_state, write_alert_state
from scoring.publish import Content, Coordinates, Output, ScoreWriter, alert_id, score_ids, write_dead_letter
from scoring.records import Chunk, InputRecord
from scoring.store.contract import MOST_KEYS, Blob, StateStore, Step

SPARE_SECONDS = (
    7 * 86_400
)  # how long Redis keeps a state past its horizon: outages do not make it forget early
_REFUSED = {
    Reason.DUPLICATE: "expected an event_id not among the entity's last events, was there with the same content",
    Reason.CONFLICT: "expected an event_id not among the entity's last events, was there with other content",
}


@dataclass(eq=False, repr=False)
class Folded:
    """A chunk after the fold: one table per view."""

    state: PartitionState
    chunk: Chunk
    tables: dict[str, FeatureTable]
    verdicts: dict[str, Verdicts] = field(default_factory=dict)
    blobs: list[Blob] = field(default_factory=list)
    outputs: list[Output] = field(default_factory=list)

    @property
    def first_offset(self) -> int:
        """Source offset of the chunk's first record."""
        firsts = [record.offset for record in self.chunk.records[:1]]
        return min(firsts + [letter.record.offset for letter in self.chunk.letters[:1]])


@dataclass(eq=False, repr=False)
class Prepared:
    """What a poll wants done: outputs by partition to produce, then the steps by partition to commit."""

    folded: list[Folded]
    steps: dict[PartitionState, list[Step]]
    pinned: dict[PartitionState, list[str]]
    counts: dict[str, int]
    seconds: dict[str, float]

    @property
    def outputs(self) -> dict[PartitionState, list[Output]]:
        """Every record to write, by the partition it comes from, in order."""
        found: dict[PartitionState, list[Output]] = {}
        for folded in self.folded:
            found.setdefault(folded.state, []).extend(folded.outputs)
        return found

    def note(self, state: PartitionState, name: str, text: str) -> None:
        """Adds a note to what is committed for a partition."""
        last = self.steps[state][-1]
        self.steps[state][-1] = replace(last, notes={**last.notes, name: text})


@dataclass(eq=False, repr=False)
class Poller:
    """Prepares polls.

    Args:
        store: where states are.
        dead_letter_content: what dead letters keep of the bytes.
    """

    store: StateStore
    dead_letter_content: Content = "hash"
    _writers: dict[InForce, ScoreWriter] = field(default_factory=dict)

    async def prepare(self, poll: Mapping[PartitionState, Sequence[InputRecord]]) -> Prepared:
        """Everything up to the bytes; states move on in the caches only.

        Raises:
            LeaseLost, StoreUnavailable: reading states failed; drop the leases and acquire again.
        """
        seconds: dict[str, float] = {}
        began = stopwatch_s()
        chunks = {state: self._cut(state, records) for state, records in poll.items()}
        seconds["decode"] = -began + (began := stopwatch_s())
        await asyncio.gather(*(self._read(state, parts) for state, parts in chunks.items()))
        seconds["state"] = -began + (began := stopwatch_s())
        folded = [self._fold(state, chunk) for state, parts in chunks.items() for chunk in parts]
        seconds["features"] = -began + (began := stopwatch_s())
        self._judge(folded)
        seconds["model"] = -began + (began := stopwatch_s())
        await asyncio.gather(*(self._read_alerts(state, folded) for state in chunks))
        for part in folded:
            self._decide_and_write(part)
        seconds["encode"] = -began + stopwatch_s()
        return self._prepared(folded, seconds)

    def _cut(self, state: PartitionState, records: Sequence[InputRecord]) -> list[Chunk]:
        live = len(state.in_force)
        most = max(1, (MOST_KEYS - 8) // (len(state.views) + live))
        chunks = state.reader.chunks(records, most_entities=most, boundaries=state.boundaries())
        if chunks:
            # the consumer's position after the last record, not the record's own offset, ends the last chunk
            chunks[-1].next_offset = records[-1].offset + 1
        return chunks

    async def _read(self, state: PartitionState, chunks: Sequence[Chunk]) -> None:
        state.cache.trim()
        entities = {state.reader.entity_of(event) for chunk in chunks for event in chunk.events}
        keys = [state.state_prefix(view) + entity for view in state.views for entity in entities]
        await state.fill_cache(self.store, keys)

    def _fold(self, state: PartitionState, chunk: Chunk) -> Folded:
        folded = Folded(state, chunk, {})
        if not chunk.events:
            return folded
        batch = EventBatch.from_events(state.reader.decoder.event_type, chunk.events)
        for view in state.views_at(folded.first_offset):
            prefix = state.state_prefix(view)
            keys = [prefix + entity for entity in batch.entities]
            table = fold_table(view, batch, [state.cache.get(key) for key in keys])
            folded.tables[view.name] = table
            keep_seconds = (view.horizon_ms + view.grace_ms) // 1000 + SPARE_SECONDS
            for key, packed in zip(keys, table.states, strict=True):
                state.cache.put(key, packed)
                folded.blobs.append(Blob(key, packed, keep_seconds))
        return folded

    def _judge(self, folded: Sequence[Folded]) -> None:
        by_scorer: dict[InForce, list[Folded]] = {}
        for part in folded:
            if part.tables:
                for in_force in part.state.scorers_at(part.first_offset):
                    if in_force.scorer.view.name in part.tables:
                        by_scorer.setdefault(in_force, []).append(part)
        for in_force, parts in by_scorer.items():
            tables = [part.tables[in_force.scorer.view.name] for part in parts]
            for part, verdicts in zip(parts, judge(in_force, tables), strict=True):
                part.verdicts[in_force.name] = verdicts

    async def _read_alerts(self, state: PartitionState, folded: Sequence[Folded]) -> None:
        keys = []
        for part in folded:
            if part.state is state:
                for name, verdicts in part.verdicts.items():
                    table = part.tables[verdicts.in_force.scorer.view.name]
                    keys += [
                        state.alert_key(name, table.entities[table.entity[row]])
                        for row in alert_rows(verdicts)
                    ]
        if keys:
            await state.fill_cache(self.store, dict.fromkeys(keys))

    def _decide_and_write(self, part: Folded) -> None:
        state, chunk = part.state, part.chunk
        at = Coordinates(state.namespace, state.partition.topic, state.partition.index, chunk.offsets)
        outputs: list[tuple[int, str, str, Output]] = []
        for name, verdicts in part.verdicts.items():
            table = part.tables[verdicts.in_force.scorer.view.name]
            writer = self._writer(verdicts.in_force)
            ids = score_ids(name, at, table.batch.id_hash)
            self._decide(part, verdicts, table, ids)
            for offset, output in zip(at.offsets, writer.write(verdicts, table, at, ids), strict=True):
                if output is not None:
                    outputs.append((offset, "terminal", name, output))
            for row, alert in writer.write_alerts(verdicts, table, at, ids):
                outputs.append((at.offsets[row], "alert", name, alert))
            for row, failed in verdicts.failed.items():
                refused = Refused(failed.reason, "$", failed.detail)
                letter = self._letter(part, chunk.records[row], refused, "score", name, table.event_ids[row])
                outputs.append((at.offsets[row], "terminal", name, letter))
        outputs += self._refusals(part)
        if state.emitted:
            outputs = [entry for entry in outputs if not state.emitted.has(entry[1], entry[2], entry[0])]
        part.outputs = [output for _, _, _, output in outputs]

    def _decide(self, part: Folded, verdicts: Verdicts, table: FeatureTable, ids: Sequence[str]) -> None:
        rows = alert_rows(verdicts)
        if not rows:
            return
        state, name = part.state, verdicts.in_force.name
        entities = {table.entities[table.entity[row]] for row in rows}
        before = {
            entity: read_alert_state(state.cache.get(state.alert_key(name, entity))) for entity in entities
        }
        changed = raise_alerts(verdicts, table, before, {row: alert_id(ids[row]) for row in rows})
        keep_seconds = verdicts.in_force.policy.cooldown_ms // 1000 + SPARE_SECONDS
        for entity, after in changed.items():
            key, raw = state.alert_key(name, entity), write_alert_state(after)
            state.cache.put(key, raw)
            part.blobs.append(Blob(key, raw, keep_seconds))

    def _refusals(self, part: Folded) -> list[tuple[int, str, str, Output]]:
        found = [
            (
                letter.record.offset,
                "terminal",
                "",
                self._letter(part, letter.record, letter.refused, "decode"),
            )
            for letter in part.chunk.letters
        ]
        for view_name, table in part.tables.items():
            for row in (table.status != SCORED).nonzero()[0].tolist():
                reason = Reason.DUPLICATE if table.status[row] == DUPLICATE else Reason.CONFLICT
                refused = Refused(reason, "$.event_id", _REFUSED[reason])
                record, event_id = part.chunk.records[row], table.event_ids[row]
                everywhere = all(other.status[row] != SCORED for other in part.tables.values())
                if everywhere:
                    if view_name == next(iter(part.tables)):
                        letter = self._letter(part, record, refused, "fold", None, event_id)
                        found.append((record.offset, "terminal", "", letter))
                    continue
                for name, verdicts in part.verdicts.items():
                    if verdicts.in_force.scorer.view.name == view_name:
                        letter = self._letter(part, record, refused, "fold", name, event_id)
                        found.append((record.offset, "terminal", name, letter))
        return found

    def _letter(
        self,
        part: Folded,
        record: InputRecord,
        refused: Refused,
        stage: str,
        scorer: str | None = None,
        event_id: str | None = None,
    ) -> Output:
        source = Source(part.state.partition.topic, part.state.partition.index, record.offset)
        # the key of a record that is no event may hold anything, at any length; of an event it is the entity
        key = None if stage == "decode" else record.key
        return write_dead_letter(
            namespace=part.state.namespace, source=source, raw=record.value, key=key, refused=refused, stage=stage,
            content=self.dead_letter_content, scorer=scorer, event_id=event_id,
        )  # fmt: skip

    def _writer(self, in_force: InForce) -> ScoreWriter:
        if in_force not in self._writers:
            self._writers[in_force] = ScoreWriter(in_force)
        return self._writers[in_force]

    def _prepared(self, folded: list[Folded], seconds: dict[str, float]) -> Prepared:
        steps: dict[PartitionState, list[Step]] = {}
        pinned: dict[PartitionState, list[str]] = {}
        counts = {"events": 0, "scores": 0, "alerts": 0, "refused": 0, "letters": 0}
        for part in folded:
            state = part.state
            views = state.views_at(part.first_offset)
            expected = {view.digest: state.committed.get(view.digest) for view in views}
            following = {view.digest: part.chunk.next_offset for view in views}
            blobs = list({blob.key: blob for blob in part.blobs}.values())
            steps.setdefault(state, []).append(
                Step(expected=expected, next=following, blobs=blobs, outputs={}, notes=state.new_notes)
            )
            state.new_notes = {}
            state.committed.update(following)
            state.next_offset = part.chunk.next_offset
            keys = [blob.key for blob in blobs]
            pinned.setdefault(state, []).extend(keys)
            state.cache.pin(keys)
            counts["events"] += len(part.chunk.events)
            counts["refused"] += len(part.chunk.letters)
            for output in part.outputs:
                counts[
                    "alerts"
                    if output.topic == "alerts"
                    else "scores"
                    if output.topic == "risk-scores"
                    else "letters"
                ] += 1
        return Prepared(folded, steps, pinned, counts, seconds)


def with_outputs(steps: Sequence[Step], outputs: Mapping[str, int]) -> list[Step]:
    """The steps, the last of which also records how far the output partitions are covered.

    Only the last one may: an earlier one would claim outputs of records that it does not commit.
    """
    if not outputs:
        return list(steps)
    return [*steps[:-1], replace(steps[-1], outputs=outputs)]
