"""One poll, from records to outputs and commits: decode, read, fold, score, decide, encode. No Kafka in here.

Chunks follow one another through the steps and overlap: while the kernel of one runs or the model scores it, the one
before is written. Nothing is written: `prepare` gives what is to be produced and, per partition, the steps to
commit once it is acknowledged.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from schemas.codec import Refused
from schemas.dead_letter import Reason
from schemas.source import Source
from scoring.clock import stopwatch_s
from scoring.engine import InForce, alert_rows, raise_alerts
from scoring.features.table import DUPLICATE, SCORED
from scoring.folding import SPARE_SECONDS, Folding, begin_fold
from scoring.gathering import Gathered, folded_together, gather
from scoring.judging import Judging, begin_judging
from scoring.partition import PartitionState
from scoring.policy import read_alert_state, write_alert_state
from scoring.prepared import Folded, Prepared
from scoring.publish import Content, Output, alert_id, score_ids, write_dead_letter
from scoring.record_run import InputRecord, values_of
from scoring.records import Chunk
from scoring.score_writer import Portion, ScoreWriter
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
        gathered: list[Gathered] = []
        waiting: list[Folded] = []
        for state, records in poll.items():
            waiting += (Folded(state, chunk) for chunk in self._cut(state, records))
            if sum(len(part.chunk.records) for part in waiting) >= ROWS_TOGETHER:
                gathered += gather(waiting)  # while the processor still has them
                waiting = []
            await asyncio.sleep(0)  # what Kafka and Redis have answered is taken in
        gathered += gather(waiting)
        stages.end("decode")
        await self._read(poll, gathered)
        stages.end("state")
        ready: list[Folded] = []
        under_way: Folding | None = None
        judging: Judging | None = None
        for together in gathered:
            if under_way is not None:  # its kernel ran meanwhile
                ready += await under_way.result()
            under_way = begin_fold(together, self._kernels)
            await asyncio.sleep(0)
            stages.end("features")
            if sum(len(part.chunk.records) for part in ready) >= ROWS_TOGETHER:
                await self._write(judging, stages)  # the kernel of the next part runs meanwhile
                judging = begin_judging(ready, self._kernels)
                ready = []
        if under_way is not None:
            ready += await under_way.result()
            stages.end("features")
        await self._write(judging, stages)
        await self._write(begin_judging(ready, self._kernels), stages)
        return Prepared.of([part for together in gathered for part in together.parts], stages.seconds)

    def _cut(self, state: PartitionState, records: Sequence[InputRecord]) -> list[Chunk]:
        # an entity has a state in every view, and at worst an alert state for every scorer
        views, scorers = len(state.views), len(state.in_force)
        most = min(MOST_KEYS // views, MOST_BLOBS // (views + scorers))
        chunks = state.reader.chunks(records, most_entities=max(1, most), boundaries=state.boundaries())
        if chunks:
            # the consumer's position after the last record, not the record's own offset, ends the last chunk
            chunks[-1].next_offset = records[-1].offset + 1
        return chunks

    async def _read(self, states: Iterable[PartitionState], gathered: Sequence[Gathered]) -> None:
        """Fills the caches with the states of all entities, and with their alert states."""
        for state in states:
            state.cache.trim()
        missing: defaultdict[PartitionState, dict[str, None]] = defaultdict(dict)
        for together in gathered:
            for part, entities in zip(together.parts, together.entities, strict=True):
                missing[part.state].update(dict.fromkeys(part.lacking(together.batch.entities[entities])))
        await asyncio.gather(
            *(state.fill_cache(self.store, keys) for state, keys in missing.items() if keys)
        )

    async def _write(self, judging: Judging | None, stages: Stages) -> None:
        if judging is None:
            return
        parts = await judging.result()
        stages.end("model")
        await asyncio.gather(*(self._read_alerts(state, parts) for state in {part.state for part in parts}))
        for together in folded_together(parts):
            for part in together:
                self._decide(part)
            self._write_scores(together)
            await asyncio.sleep(0)  # what Kafka and Redis have answered is taken in
            for part in together:
                self._write_others(part)
            await asyncio.sleep(0)
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

    def _decide(self, part: Folded) -> None:
        """Which rows at level `alert` are held back, and the alert states that come of it."""
        state = part.state
        for name, verdicts in part.verdicts.items():
            rows = alert_rows(verdicts)
            if not rows:
                continue
            table = part.tables[verdicts.in_force.scorer.view.name]
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

    def _write_scores(self, parts: Sequence[Folded]) -> None:
        """The scores of chunks that were folded together, those of a scorer by one call."""
        to_write: dict[tuple[InForce, str], list[tuple[Folded, Portion]]] = {}
        for part in parts:
            for name, verdicts in part.verdicts.items():
                table = part.tables[verdicts.in_force.scorer.view.name]
                scored = np.flatnonzero(~np.isnan(verdicts.values))
                for place in part.places:
                    which = place.open_rows("terminal", name, scored)
                    if len(which):
                        written = to_write.setdefault((verdicts.in_force, place.at.topic), [])
                        written.append((part, Portion(verdicts, table, place.at, which)))
        for (in_force, _), some in to_write.items():
            blocks = self._writer(in_force).write_together([portion for _, portion in some])
            for (part, _), block in zip(some, blocks, strict=True):
                part.written.blocks.append(block)

    def _write_others(self, part: Folded) -> None:
        for name, verdicts in part.verdicts.items():
            table = part.tables[verdicts.in_force.scorer.view.name]
            writer = self._writer(verdicts.in_force)
            for place in part.places:
                alerts = writer.write_alerts(verdicts, table, place.at, place.some_rows)
                part.put("alert", name, [(part.source_of(row), alert) for row, alert in alerts])
            for row, failed in verdicts.failed.items():
                refused = Refused(failed.reason, "$", failed.detail)
                self._put_letter(part, row, refused, "score", name, table.event_ids[row])
        self._put_refusals(part)
        self._pass_on(part)
        part.let_go()

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
