"""What the store holds of an entity: the packed state of each view, the cool-downs of each scorer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from schemas.activation import Activation
from scoring.features.inspect import StateContents, inspect_state
from scoring.features.spec import FeatureView
from scoring.features.table import CorruptState
from scoring.policy import Policy, read_alert_state
from scoring.scorer import Scorer
from scoring.store.contract import Partition, Record
from scoring.store.keys import alert_key, state_key
from scoring.store.redis import RedisStore
from stream.inputs import views_on
from stream.state.home import home_partitions


class ViewState(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the entity in one view.

    Attributes:
        next_offset: input offset up to which events are folded; None when none is recorded.
        packed_bytes, memory_bytes: size of the packed state, and what the server spends on it in all.
        contents: what it holds; None when it cannot be read.
        problem: why it cannot be read.
    """

    view: str
    digest: str
    key: str
    next_offset: int | None
    packed_bytes: int
    memory_bytes: int | None
    contents: StateContents | None
    problem: str | None = None


class CoolDown(msgspec.Struct, frozen=True, kw_only=True):
    """An alert that holds back others with its top reason, until an event time."""

    reason: str
    raised_at_ms: int
    held_until_ms: int
    alert_id: str


class AlertMemory(msgspec.Struct, frozen=True, kw_only=True):
    """The cool-downs of the entity in one scorer."""

    scorer: str
    key: str
    memory_bytes: int | None
    cool_downs: tuple[CoolDown, ...]


class EntityState(msgspec.Struct, frozen=True, kw_only=True):
    """What one partition holds of an entity."""

    entity: str
    topic: str
    partition: int
    views: tuple[ViewState, ...]
    alerts: tuple[AlertMemory, ...]


@dataclass(frozen=True)
class Looker:
    """Reads without a lease, for people; what is read may be a moment old.

    Args:
        store: open.
        namespace: of the workers.
        scorers: by name; their views are looked for.
        partition_counts: partitions of each input topic.
        key_check: as in the settings: `murmur2` tells the partition, otherwise all are looked at.
    """

    store: RedisStore
    namespace: str
    scorers: Mapping[str, Scorer]
    partition_counts: Mapping[str, int]
    key_check: str

    async def look(self, entity: str, topics: Sequence[str]) -> list[EntityState]:
        """What is there of the entity on these topics, where there is anything.

        Raises:
            StoreError: the store fails.
        """
        found = []
        for topic in topics:
            count = self.partition_counts[topic]
            for partition in home_partitions(topic, entity, partition_count=count, key_check=self.key_check):
                state = await self._at(partition, entity)
                if state.views or state.alerts:
                    found.append(state)
        return found

    async def _at(self, partition: Partition, entity: str) -> EntityState:
        scorers = [scorer for scorer in self.scorers.values() if scorer.topic == partition.topic]
        views = views_on(self.scorers, partition.topic)
        state_keys = [state_key(self.namespace, partition, view.name, view.digest, entity) for view in views]
        alert_keys = [alert_key(self.namespace, partition, scorer.name, entity) for scorer in scorers]
        values = await self.store.values(partition, [*state_keys, *alert_keys])
        record = await self.store.record(partition)
        packed = zip(views, state_keys, values, strict=False)
        raised = zip(scorers, alert_keys, values[len(views) :], strict=True)
        return EntityState(
            entity=entity,
            topic=partition.topic,
            partition=partition.index,
            views=tuple([await self._view(view, key, raw, record) for view, key, raw in packed if raw]),
            alerts=tuple([await self._alert(scorer, key, raw, record) for scorer, key, raw in raised if raw]),
        )

    async def _view(self, view: FeatureView, key: str, raw: bytes, record: Record | None) -> ViewState:
        contents, problem = None, None
        try:
            contents = inspect_state(view, raw)
        except CorruptState as error:
            problem = str(error)
        return ViewState(
            view=view.name,
            digest=view.digest,
            key=key,
            next_offset=record.offsets.get(view.digest) if record else None,
            packed_bytes=len(raw),
            memory_bytes=await self.store.memory_usage(key),
            contents=contents,
            problem=problem,
        )

    async def _alert(self, scorer: Scorer, key: str, raw: bytes, record: Record | None) -> AlertMemory:
        cooldown_ms = policy_in_force(scorer, record).cooldown_ms
        return AlertMemory(
            scorer=scorer.name,
            key=key,
            memory_bytes=await self.store.memory_usage(key),
            cool_downs=tuple(
                CoolDown(
                    reason=raised.reason,
                    raised_at_ms=raised.occurred_at_ms,
                    held_until_ms=raised.occurred_at_ms + cooldown_ms,
                    alert_id=raised.alert_id,
                )
                for raised in read_alert_state(raw)
            ),
        )


def policy_in_force(scorer: Scorer, record: Record | None) -> Policy:
    """The policy recorded for the partition; the code's where none is."""
    noted = record.notes.get(f"act:{scorer.name}") if record else None
    if noted is None:
        return scorer.policy
    content: dict[str, Any] = msgspec.json.decode(noted, type=Activation).policy_content
    return msgspec.convert(content, Policy)
