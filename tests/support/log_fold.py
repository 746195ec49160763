"""What the log says must be: states and vectors of all records of a partition folded in one go, without a worker."""

import base64
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from scoring.features.batch import EventBatch
from scoring.features.spec import FeatureView
from scoring.features.table import fold_table
from scoring.store.contract import Partition
from scoring.store.keys import state_prefix
from tests.support.independent_reader import Record
from tests.support.redis_servers import redis_servers
from tests.support.small_bundles import BIAS, leading_feature

Place = tuple[str, int, int]


@dataclass(frozen=True)
class LogFold:
    """States by Redis key; per input record the wire form of its vector, and the small bundle's score of it."""

    states: Mapping[str, bytes]
    features: Mapping[Place, str]
    values: Mapping[Place, float]


def fold_internal(
    view: FeatureView, records: Iterable[Record], first: LogFold, namespace: str, *, bias: float = BIAS
) -> LogFold:
    """The fold of an internal topic, each origin once, in the order in which they first came.

    Args:
        first: the fold of the log that the events come from; what was carried along is not asked.
    """
    by_partition: dict[int, list[Record]] = defaultdict(list)
    for record in records:
        by_partition[record.partition].append(record)
    fold = LogFold({}, {}, {})
    leading = view.feature_names.index(leading_feature(view))
    for index, log in by_partition.items():
        known = list({place_of(record): record.body["event"] for record in reversed(log)}.items())
        first_place: dict[Place, int] = {}
        for number, record in enumerate(log):
            first_place.setdefault(place_of(record), number)
        known.sort(key=lambda pair: first_place[pair[0]])
        events = [view.event.struct(**event) for _, event in known]
        table = fold_table(view, EventBatch.from_events(view.event, events))
        prefix = state_prefix(namespace, Partition(view.event.topic, index), view.name, view.digest)
        fold.states.update(
            {prefix + entity: state for entity, state in zip(table.entities, table.states, strict=True)}
        )
        for (place, _), own in zip(known, table.vectors.astype("<f4"), strict=True):
            vector = np.concatenate([np.frombuffer(base64.b64decode(first.features[place]), "<f4"), own])
            fold.features[place] = base64.b64encode(vector.tobytes()).decode()
            risk = float(np.nan_to_num(np.float64(vector[leading])))
            fold.values[place] = float(1 / (1 + np.exp(-np.clip(risk + bias, -100, 100))))
    return fold


def place_of(record: Record) -> Place:
    """Where a record of an internal topic comes from."""
    origin = record.body["origin"]
    return origin["topic"], origin["partition"], origin["offset"]


def fold_log(view: FeatureView, records: Iterable[Record], namespace: str, *, bias: float = BIAS) -> LogFold:
    """The fold of records that are all events of the view's type."""
    by_partition: dict[int, list[Record]] = defaultdict(list)
    for record in records:
        if record.topic == view.event.topic:
            by_partition[record.partition].append(record)
    fold = LogFold({}, {}, {})
    leading = view.feature_names.index(leading_feature(view))
    for index, log in by_partition.items():
        events = [view.event.struct(**record.body) for record in log]
        table = fold_table(view, EventBatch.from_events(view.event, events))
        prefix = state_prefix(namespace, Partition(view.event.topic, index), view.name, view.digest)
        fold.states.update(
            {prefix + entity: state for entity, state in zip(table.entities, table.states, strict=True)}
        )
        vectors = table.vectors.astype("<f4")
        risks = np.nan_to_num(vectors[:, leading].astype(np.float64))
        for record, vector, risk in zip(log, vectors, risks, strict=True):
            fold.features[record.place] = base64.b64encode(vector.tobytes()).decode()
            fold.values[record.place] = float(1 / (1 + np.exp(-np.clip(risk + bias, -100, 100))))
    return fold


def states_in(redis_url: str, namespace: str) -> dict[str, bytes]:
    """Every state of a namespace by its Redis key."""
    found: dict[str, bytes] = {}
    with redis_servers(redis_url) as servers:
        for server in servers:
            keys = list(server.scan_iter(match=f"s:{{{namespace}:*", count=1_000))
            pipeline = server.pipeline(transaction=False)  # on a cluster, keys of one command share a slot
            for key in keys:
                pipeline.get(key)
            values = pipeline.execute()
            found |= {key.decode(): value for key, value in zip(keys, values, strict=True)}
    return found


def offsets_in(redis_url: str, namespace: str) -> dict[tuple[str, int], int]:
    """Per input partition, the offset up to which its states are committed."""
    found = {}
    with redis_servers(redis_url) as servers:
        for server in servers:
            for key in server.scan_iter(match=f"ctl:{{{namespace}:*"):
                topic, _, index = key.decode().rpartition(":")[2].rstrip("}").rpartition("-")
                offsets = [int(value) for name, value in server.hgetall(key).items() if name.startswith(b"v:")]
                found[topic, int(index)] = min(offsets, default=0)
    return found


def hold_writes(redis_url: str, *, for_ms: int) -> None:
    """Lets every write wait for that long; reads are answered."""
    with redis_servers(redis_url) as servers:
        for server in servers:
            server.client_pause(for_ms, all=False)
