"""Whether the topics are as the promises need them."""

from collections.abc import Iterable, Mapping, Sequence

from schemas.topics import ACTIVATIONS, ALERTS, DEAD_LETTERS, LABELS, SCORES
from scoring.features.spec import DAY_MS, FeatureView
from scoring.folding import SPARE_SECONDS
from stream.doctor.broker import TopicFacts
from stream.doctor.finding import Finding, Level, fine, judged
from stream.printable import span
from stream.topics import ALTER_CONFIG, ALTER_PARTITIONS, OUTPUTS
from stream.worker.batches import MOST_BATCH_BYTES

AREA = "topic"
OUTAGE_MS = SPARE_SECONDS * 1_000
"""The longest outage of all workers that nothing may be lost by; Redis keeps states as long past their horizon."""
CREATE = "riskstream topics create"


def retention_needed_ms(views: Iterable[FeatureView]) -> int:
    """How long an input must keep records: what a rebuild has to fold to equal the live state, and an outage.

    An event's vector looks back one horizon and its grace; the ring and the tiles it is computed from depend on events
    as far before that again, and the vector history once more (`docs/feature-semantics.md`).
    """
    spans = [(3 if view.history else 2) * (view.horizon_ms + view.grace_ms) for view in views]
    return max(spans, default=0) + OUTAGE_MS


def judge_topics(
    topics: Mapping[str, TopicFacts], *, views_of: Mapping[str, Iterable[FeatureView]], brokers: int
) -> list[Finding]:
    """Findings on every topic that riskstream needs.

    Args:
        topics: those that exist.
        views_of: the views on each input that is scored.
        brokers: how many the cluster has.
    """
    findings: list[Finding] = []
    largest = max((topics[name].partitions for name in views_of if name in topics), default=0)
    for name in (*views_of, SCORES, ALERTS, DEAD_LETTERS, LABELS, ACTIVATIONS):
        facts = topics.get(name)
        if facts is None:
            level: Level = "warning" if name == LABELS else "error"
            findings.append(judged(level, fine(AREA, name, "not there", "there"), do=CREATE))
            continue
        findings.append(_partitions(name, facts, largest))
        findings += _settings(name, facts)
        findings += _replicas(name, facts, brokers)
        if name in views_of:
            views = tuple(views_of[name])
            findings.append(_retention(name, facts, retention_needed_ms(views)))
            findings += _lives(name, facts, views)
        elif name in OUTPUTS:
            inputs = [topics[source] for source in views_of if source in topics]
            findings.append(_output_retention(name, facts, inputs))
    return findings


def _partitions(name: str, facts: TopicFacts, largest: int) -> Finding:
    found = f"partitions: {facts.partitions}"
    if name == ACTIVATIONS:
        level: Level = "ok" if facts.partitions == 1 else "error"
        do = f"delete it while no worker runs, then: {CREATE}"
        return judged(level, fine(AREA, name, found, "1 partition"), do=do)
    if name in OUTPUTS:
        level = "ok" if facts.partitions >= largest else "error"
        do = ALTER_PARTITIONS.format(topic=name, partitions=largest)
        return judged(level, fine(AREA, name, found, f"{largest} or more, as the largest input"), do=do)
    return fine(AREA, name, found, "any number")


def _settings(name: str, facts: TopicFacts) -> list[Finding]:
    findings = []
    policy = "compact" if name == ACTIVATIONS else "delete"
    for config, value in {"message.timestamp.type": "LogAppendTime", "cleanup.policy": policy}.items():
        found = facts.configs.get(config, "unknown")
        do = ALTER_CONFIG.format(topic=name, name=config, value=value)
        finding = fine(AREA, name, f"{config} {found}", value)
        findings.append(judged("ok" if found == value else "error", finding, do=do))
    most = int(facts.configs.get("max.message.bytes") or MOST_BATCH_BYTES)
    if name in OUTPUTS:
        finding = fine(AREA, name, f"max.message.bytes {most}", f"{MOST_BATCH_BYTES} or more")
        do = ALTER_CONFIG.format(topic=name, name="max.message.bytes", value=2 * MOST_BATCH_BYTES)
        findings.append(judged("ok" if most >= MOST_BATCH_BYTES else "error", finding, do=do))
    return findings


def _replicas(name: str, facts: TopicFacts, brokers: int) -> list[Finding]:
    needed = int(facts.configs.get("min.insync.replicas") or 1)
    in_sync, replicas = min(facts.in_sync, default=0), min(facts.replicas, default=0)
    found = f"{in_sync} of {replicas} replicas in sync"
    if in_sync < needed:
        finding = fine(AREA, name, found, f"{needed} or more, or nothing can be written")
        return [judged("error", finding, do="bring the missing brokers back")]
    if in_sync < replicas:
        return [judged("warning", fine(AREA, name, found, "all"), do="bring the missing brokers back")]
    if replicas == 1 and brokers > 1:
        finding = fine(AREA, name, f"1 replica on {brokers} brokers", "2 or more")
        return [judged("warning", finding, do="kafka-reassign-partitions: give it a second replica")]
    return [fine(AREA, name, found, "all")]


def _retention(name: str, facts: TopicFacts, needed_ms: int) -> Finding:
    kept_ms, kept_bytes = _kept(facts)
    expected = f"for ever, or {span(needed_ms)} or longer: horizon, grace, a tile and an outage"
    do = ALTER_CONFIG.format(topic=name, name="retention.ms", value=-(-needed_ms // DAY_MS) * DAY_MS)
    level: Level = "ok"
    found = "retention for ever" if kept_ms < 0 else f"retention {span(kept_ms)}"
    if 0 <= kept_ms < OUTAGE_MS:
        level, expected = "error", f"{expected}; an outage as long loses records unscored"
    elif 0 <= kept_ms < needed_ms:
        level, expected = "warning", f"{expected}; after a loss of Redis, features lack what is gone"
    elif kept_bytes >= 0:
        level, found = "warning", f"{found}, but retention.bytes {kept_bytes}"
        expected = "no limit by size: what a busy day pushes out may not be scored yet"
        do = ALTER_CONFIG.format(topic=name, name="retention.bytes", value=-1)
    return judged(level, fine(AREA, name, found, expected), do=do)


def _lives(name: str, facts: TopicFacts, views: Sequence[FeatureView]) -> list[Finding]:
    """Lives have no longest length, so only a log without an end to its retention can be counted anew from.

    One that is shorter than a silence within a life loses whole lives, not their beginnings alone.
    """
    counting = [view for view in views if view.active_within_ms]
    if not counting:
        return []
    kept_ms, kept_bytes = _kept(facts)
    found = "records are kept for ever" if kept_ms < 0 else f"records are kept for {span(kept_ms)}"
    if kept_bytes >= 0:
        found = f"{found} and up to {kept_bytes} bytes a partition"
    expected = (
        f"for ever, as {', '.join(view.name for view in counting)} counts over lives: after a loss of Redis, and in "
        "verify, lives begin where the log does"
    )
    level: Level = "ok" if kept_ms < 0 and kept_bytes < 0 else "warning"
    if 0 <= kept_ms < max(view.active_within_ms for view in counting) + OUTAGE_MS:
        level = "error"
        expected = f"{expected}; an entity that is silent as long as it may be loses its whole life"
    config = "retention.ms" if kept_ms >= 0 else "retention.bytes"
    do = f"{ALTER_CONFIG.format(topic=name, name=config, value=-1)}, or keep copies of Redis at least as young as the log"
    return [judged(level, fine(AREA, name, found, expected), do=do)]


def _output_retention(name: str, facts: TopicFacts, inputs: list[TopicFacts]) -> Finding:
    kept_ms, _ = _kept(facts)
    longest = max((_kept(source)[0] % 2**63 for source in inputs), default=0)  # -1 is for ever
    found = "retention for ever" if kept_ms < 0 else f"retention {span(kept_ms)}"
    level: Level = "ok" if kept_ms < 0 or kept_ms >= longest else "warning"
    expected = "as long as the inputs: after a loss of Redis, what is gone here is published again"
    return judged(
        level,
        fine(AREA, name, found, expected),
        do=ALTER_CONFIG.format(topic=name, name="retention.ms", value=-1),
    )


def _kept(facts: TopicFacts) -> tuple[int, int]:
    """Retention in milliseconds and in bytes; -1 for no limit."""
    return int(facts.configs.get("retention.ms") or -1), int(facts.configs.get("retention.bytes") or -1)
