"""One poll, from records to outputs and commits: decode, read, fold, score, decide, encode. No Kafka in here.

Chunks follow one another through the steps and overlap: while the kernel of one runs or the model scores it, the one
before is written. Nothing is written: `prepare` gives what is to be produced and, per partition, the steps to
commit once it is acknowledged.
"""

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from schemas.codec import Refused
from schemas.dead_letter import Reason
from schemas.source import Source
from scoring.clock import stopwatch_s
from scoring.engine import InForce, Verdicts, alert_rows, raise_alerts
from scoring.features.batch import EventBatch
from scoring.features.table import DUPLICATE, SCORED, FeatureTable
from scoring.folding import SPARE_SECONDS, Folding, begin_fold
from scoring.judging import Judging, begin_judging
from scoring.partition import PartitionState
from scoring.policy import read_alert_state, write_alert_state
from scoring.prepared import Folded, Prepared
from scoring.publish import Content, Output, alert_id, score_ids, write_dead_letter
from scoring.record_run import InputRecord, values_of
from scoring.records import Chunk
from scoring.score_writer import ScoreWriter
from scoring.store.contract import MOST_BLOBS, MOST_KEYS, Blob, StateStore

ROWS_TOGETHER = 512
"""Small chunks are scored together: one model call."""

_REFUSED = {
    Reason.DUPLICATE: "expected an event_id not among the entity's last events, was there with the same content",
    Reason.CONFLICT: "expected an event_id not among the entity's last events, was there with other content",
}


class Stages:
    """Seconds by stage of the work, from one end of a stage to the next."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._began = stopwatch_s()

    def end(self, stage: str) -> None:
        """The time since the last call was this stage's."""
        now = stopwatch_s()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self._began
        self._began = now


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
    _kernels: ThreadPoolExecutor = field(default_factory=partial(ThreadPoolExecutor, 1, "fold"))

    def close(self) -> None:
        """Ends the thread of the kernels; to be called when no poll is in work."""
        self._kernels.shutdown()

    async def prepare(self, poll: Mapping[PartitionState, Sequence[InputRecord]]) -> Prepared:
        """Everything up to the bytes; states move on in the caches only.

        Raises:
            LeaseLost, StoreUnavailable: reading states failed; drop the leases and acquire again.
            CorruptState: what the store gave is no state.
        """
        stages = Stages()
        parts: list[tuple[Folded, EventBatch]] = []
        for state, records in poll.items():
            parts += self._take(state, records)
            await asyncio.sleep(0)  # what Kafka and Redis have answered is taken in
        stages.end("decode")
        await asyncio.gather(
            *(self._read(state, [taken for taken in parts if taken[0].state is state]) for state in poll)
        )
        stages.end("state")
        ready: list[Folded] = []
        under_way: Folding | None = None
        judging: Judging | None = None
        for part, batch in parts:
            if under_way is not None:  # its kernel ran meanwhile
                ready.append(await under_way.result())
            under_way = begin_fold(part, batch, self._kernels)
            await asyncio.sleep(0)
            stages.end("features")
            if sum(len(part.chunk.records) for part in ready) >= ROWS_TOGETHER:
                await self._write(judging, stages)  # the kernel of the next part runs meanwhile
                judging = begin_judging(ready, self._kernels)
                ready = []
        if under_way is not None:
            ready.append(await under_way.result())
            stages.end("features")
        await self._write(judging, stages)
        await self._write(begin_judging(ready, self._kernels), stages)
        return Prepared.of([part for part, _ in parts], stages.seconds)

    def _take(
        self, state: PartitionState, records: Sequence[InputRecord]
    ) -> list[tuple[Folded, EventBatch]]:
        """Chunks and their events as columns; the events themselves are let go while the processor still has them."""
        event_type = state.reader.decoder.event_type
        taken = []
        for chunk in self._cut(state, records):
            taken.append((Folded(state, chunk), chunk.batch(event_type)))
            for passing in state.passes_on:
                name = passing.to.key
                chunk.second_entities[name] = chunk.texts(name)
            chunk.drop_events()
        return taken

    def _cut(self, state: PartitionState, records: Sequence[InputRecord]) -> list[Chunk]:
        # an entity has a state in every view, and at worst an alert state for every scorer
        views, scorers = len(state.views), len(state.in_force)
        most = min(MOST_KEYS // views, MOST_BLOBS // (views + scorers))
        chunks = state.reader.chunks(records, most_entities=max(1, most), boundaries=state.boundaries())
        if chunks:
            # the consumer's position after the last record, not the record's own offset, ends the last chunk
            chunks[-1].next_offset = records[-1].offset + 1
        return chunks

    async def _read(self, state: PartitionState, parts: Sequence[tuple[Folded, EventBatch]]) -> None:
        state.cache.trim()
        live = [
            name for name, known in state.in_force.items() if any(entry and entry.live for _, entry in known)
        ]
        missing: dict[str, None] = {}
        for view in state.views:
            prefix = state.state_prefix(view)
            for part, batch in parts:
                part.keys[view.name] = keys = [prefix + entity for entity in batch.entities]
                for key in state.cache.lacking(keys):
                    if key != prefix:  # nobody has a state
                        missing[key] = None
                        # read with the state: later, a commit in flight would have to be waited for
                        entity = key.removeprefix(prefix)
                        missing.update(dict.fromkeys(state.alert_key(name, entity) for name in live))
        await state.fill_cache(self.store, missing)

    async def _write(self, judging: Judging | None, stages: Stages) -> None:
        if judging is None:
            return
        parts = await judging.result()
        stages.end("model")
        await asyncio.gather(*(self._read_alerts(state, parts) for state in {part.state for part in parts}))
        for part in parts:
            self._decide_and_write(part)
            await asyncio.sleep(0)  # what Kafka and Redis have answered is taken in
        stages.end("encode")

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
        for name, verdicts in part.verdicts.items():
            table = part.tables[verdicts.in_force.scorer.view.name]
            writer = self._writer(verdicts.in_force)
            self._decide(part, verdicts, table)
            scored = np.flatnonzero(~np.isnan(verdicts.values))
            for place in part.places:
                which = place.open_rows("terminal", name, scored)
                if len(which):
                    part.written.blocks.append(writer.write(verdicts, table, place.at, which))
                alerts = writer.write_alerts(verdicts, table, place.at, place.some_rows)
                part.put("alert", name, [(part.source_of(row), alert) for row, alert in alerts])
            for row, failed in verdicts.failed.items():
                refused = Refused(failed.reason, "$", failed.detail)
                self._put_letter(part, row, refused, "score", name, table.event_ids[row])
        self._put_refusals(part)
        self._pass_on(part)
        part.let_go()

    def _decide(self, part: Folded, verdicts: Verdicts, table: FeatureTable) -> None:
        rows = alert_rows(verdicts)
        if not rows:
            return
        state, name = part.state, verdicts.in_force.name
        entities = {table.entities[table.entity[row]] for row in rows}
        before = {
            entity: read_alert_state(state.cache.get(state.alert_key(name, entity))) for entity in entities
        }
        ids = {
            row: alert_id(score_ids(name, part.place_of(row).at, table.batch.id_hash, [row])[0])
            for row in rows
        }
        changed = raise_alerts(verdicts, table, before, ids)
        keep_seconds = verdicts.in_force.policy.cooldown_ms // 1000 + SPARE_SECONDS
        for entity, after in changed.items():
            key, raw = state.alert_key(name, entity), write_alert_state(after)
            state.cache.put(key, raw)
            part.blobs.append(Blob(key, raw, keep_seconds))

    def _put_refusals(self, part: Folded) -> None:
        everybody = part.chunk.origins is None  # on an internal topic the first pass has answered for its own
        scorers = [None] if everybody else [entry.name for entry in part.state.scorers_at(part.first_offset)]
        for unread in part.chunk.letters:
            own = part.state.partition
            source = Source(own.topic, own.index, unread.record.offset)
            for scorer in scorers:
                letter = self._letter(part, unread.record, source, unread.refused, "decode", scorer)
                part.put("terminal", scorer or "", [(source, letter)])
        for view_name, table in part.tables.items():
            for row in (table.status != SCORED).nonzero()[0].tolist():
                reason = Reason.DUPLICATE if table.status[row] == DUPLICATE else Reason.CONFLICT
                refused = Refused(reason, "$.event_id", _REFUSED[reason])
                everywhere = everybody and all(other.status[row] != SCORED for other in part.tables.values())
                if everywhere:
                    if view_name == next(iter(part.tables)):
                        self._put_letter(part, row, refused, "fold", None, table.event_ids[row])
                    continue
                for name, verdicts in part.verdicts.items():
                    if verdicts.in_force.scorer.view.name == view_name:
                        self._put_letter(part, row, refused, "fold", name, table.event_ids[row])

    def _pass_on(self, part: Folded) -> None:
        """What has features goes on to the internal topics; the rest has its dead letter, which answers for all."""
        for passing in part.state.passes_on:
            table = part.tables.get(passing.view.name)
            if table is None:
                continue  # the view's state is past these, and they were passed on with it
            (place,) = part.places
            open_rows = place.open_rows("sequenced", passing.to.topic, passing.rows(table, place.at.offsets))
            if len(open_rows):
                values = values_of(part.chunk.records)
                raws = [values.one(row) for row in range(len(part.chunk.records))]
                entities = part.chunk.second_entities[passing.to.key]
                part.written.blocks += passing.write(table, place.at, raws, entities, open_rows)

    def _put_letter(
        self, part: Folded, row: int, refused: Refused, stage: str, scorer: str | None, event_id: str
    ) -> None:
        source = part.source_of(row)
        letter = self._letter(
            part, part.chunk.records[row], source, refused, stage, scorer, event_id
        )
        part.put("terminal", scorer or "", [(source, letter)])

    def _letter(
        self,
        part: Folded,
        record: InputRecord,
        source: Source,
        refused: Refused,
        stage: str,
        scorer: str | None = None,
        event_id: str | None = None,
    ) -> Output:
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
