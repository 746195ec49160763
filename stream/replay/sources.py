"""Where replayed events come from: files with a mapping, or a topic under its recorded activations."""

from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any

import polars as pl

from schemas.codec import EventDecoder
from scoring.engine import InForce
from scoring.features.spec import FeatureView
from scoring.files import read_events
from scoring.model.bundle import Bundle, load_bundle, require_view
from scoring.records import RecordReader
from scoring.scorer import Scorer
from scoring.sequence import SequenceReader
from scoring.store.contract import Partition
from stream.bundle_library import BundleLibrary
from stream.errors import JobFailed
from stream.replay.fold import Replay
from stream.replay.log import LogPart, read_log
from stream.replay.order import Order, Summary
from stream.replay.shards import Shards, UnderWay
from stream.settings import Settings
from stream.worker.activation_log import ActivationLog

CHUNK_ROWS = 131_072
"""Of a file: a state is packed and unpacked once in each; twice as many take a fifth more memory and gain nothing."""
MOST_ENTITIES = 1_000_000
Recorded = list[tuple[int, InForce | None]]


async def from_files(settings: Settings, order: Order, summary: Summary) -> AsyncIterator[list[pl.DataFrame]]:
    """Scores of the events of files, chunk by chunk.

    Raises:
        JobFailed: there is no bundle to score with.
        BadMapping, UnreadableFile: as they say.
    """
    in_force = [_at_hand(settings, order, scorer) for scorer in order.scorers.values()]
    waiting: deque[UnderWay] = deque()
    with Shards(_views(order), order.shards) as shards:
        for frame in _file_frames(order, summary):
            waiting.append(shards.begin(frame, in_force))
            if len(waiting) > 1:  # while one chunk is scored the next is read
                frames = waiting.popleft().frames()
                _count(summary, shards.runs)
                yield frames
        while waiting:
            frames = waiting.popleft().frames()
            _count(summary, shards.runs)
            yield frames


async def from_log(settings: Settings, order: Order, summary: Summary) -> AsyncIterator[list[pl.DataFrame]]:
    """Scores of the records of a topic, under what was in force for each, or under the bundle of the order.

    Records before `from_ms` are folded and not scored: the state is that of the whole log.

    Raises:
        JobFailed: there is no such topic, or a recorded bundle is not at hand.
    """
    assert order.topic is not None  # the order names files or a topic
    log = await _activations(settings)
    decoder = EventDecoder(order.event_type, strict=settings.strict)
    runs: dict[int, Replay] = {}
    readers: dict[int, RecordReader | SequenceReader] = {}
    recorded: dict[int, list[Recorded]] = {}
    async for part in read_log(settings, order.topic, to_ms=order.to_ms):
        index = part.partition
        if index not in runs:
            runs[index] = Replay(_views(order))
            readers[index] = _reader(settings, order, decoder, part)
            recorded[index] = [
                _recorded(settings, order, scorer, log, index) for scorer in order.scorers.values()
            ]
        edges = [offset for changes in recorded[index] for offset, _ in changes]
        for records in _split_by_time(part.records, order.from_ms):
            scored = order.from_ms is None or records[0].timestamp >= order.from_ms
            for chunk in readers[index].chunks(records, most_entities=MOST_ENTITIES, boundaries=edges):
                for letter in chunk.letters if scored else ():
                    summary.refuse(letter.refused.reason)
                if chunk.records:
                    in_force = _at(recorded[index], chunk.records[0].offset) if scored else []
                    scored_rows = runs[index].take(chunk.batch(order.event_type), in_force, chunk.origins)
                    _count(summary, runs.values())
                    yield [found.frame for found in scored_rows]
    _count(summary, runs.values())


def _reader(
    settings: Settings, order: Order, decoder: EventDecoder, part: LogPart
) -> RecordReader | SequenceReader:
    carried = next(iter(order.scorers.values())).view.carries
    if carried is not None:
        return SequenceReader(decoder, carried, settings.namespace, {})
    return RecordReader(decoder, part.partition, part.partition_count, settings.key_check, settings.skew_ms)


def _file_frames(order: Order, summary: Summary) -> Iterator[pl.DataFrame]:
    assert order.mapping is not None  # the command gives one with files
    chunks = read_events(
        order.files, order.mapping, order.event_type, limit=order.limit, chunk_rows=CHUNK_ROWS
    )
    for chunk in chunks:
        for row in chunk.refused:
            summary.refuse(row.reason)
        if chunk.frame.height:
            yield chunk.frame


def _views(order: Order) -> list[FeatureView]:
    return list({scorer.view.name: scorer.view for scorer in order.scorers.values()}.values())


def _bundle(settings: Settings, order: Order, scorer: Scorer) -> Bundle:
    if order.bundle is None:
        return BundleLibrary(settings.bundle_dirs).champion(scorer)
    bundle = load_bundle(order.bundle)
    require_view(bundle, scorer.view)
    if bundle.manifest.scorer != scorer.name:
        raise JobFailed(
            f"{order.bundle}: is a bundle of {bundle.manifest.scorer}, was given for {scorer.name}; "
            f"add --scorer {bundle.manifest.scorer}"
        )
    return bundle


def _at_hand(settings: Settings, order: Order, scorer: Scorer) -> InForce:
    return InForce(
        scorer=scorer, bundle=_bundle(settings, order, scorer), policy=scorer.policy, live=not scorer.shadow
    )


async def _activations(settings: Settings) -> ActivationLog:
    log = ActivationLog(settings)
    await log.open()
    await log.close()
    return log


def _recorded(settings: Settings, order: Order, scorer: Scorer, log: ActivationLog, index: int) -> Recorded:
    assert order.topic is not None
    known = log.of(scorer.name, Partition(order.topic, index))
    if order.bundle is not None or not known:
        return [(0, _at_hand(settings, order, scorer))]
    library = BundleLibrary(settings.bundle_dirs)
    return [(activation.from_offset, library.in_force(scorer, activation)) for activation in known]


def _at(recorded: Iterable[Recorded], offset: int) -> list[InForce]:
    found = []
    for changes in recorded:
        current = None
        for start, in_force in changes:
            if start <= offset:
                current = in_force
        if current is not None:
            found.append(current)
    return found


def _split_by_time(records: list[Any], from_ms: int | None) -> list[list[Any]]:
    if from_ms is None:
        return [records]
    place = next((place for place, record in enumerate(records) if record.timestamp >= from_ms), len(records))
    return [part for part in (records[:place], records[place:]) if part]


def _count(summary: Summary, runs: Iterable[Replay]) -> None:
    runs = list(runs)
    summary.events = sum(run.events for run in runs) + sum(summary.refused.values())
    summary.scores = sum(run.scores for run in runs)
    summary.alerts = sum(run.alerts for run in runs)
    summary.dead_letters = sum(run.dead_letters for run in runs) + sum(summary.refused.values())
