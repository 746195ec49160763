"""How far the workers have come on each partition, and whether state and log fit together."""

from collections.abc import Iterable, Mapping

from scoring.features.spec import FeatureView
from scoring.store.contract import Partition, Record
from stream.doctor.broker import BrokerFacts
from stream.doctor.finding import Finding, fine, judged
from stream.printable import moment
from stream.state.pauses import pause_of

AREA = "partition"
MANY_RECORDS = 100_000
"""A worker scores as many in a few seconds; more mean that it does not keep up or has just begun."""


def judge_progress(
    facts: BrokerFacts,
    records: Mapping[Partition, Record | None],
    *,
    views_of: Mapping[str, Iterable[FeatureView]],
    namespace: str,
) -> list[Finding]:
    """Findings on every partition of the inputs.

    Args:
        records: what the state store has recorded, for every partition of the inputs.
        views_of: the views on each input.
    """
    findings: list[Finding] = []
    for partition, record in sorted(records.items()):
        digests = [view.digest for view in views_of[partition.topic]]
        findings.append(_counts(partition, record, facts, namespace))
        findings.append(_position(partition, record, digests, facts, namespace))
        findings += _pause(partition, record)
    return [finding for finding in findings if finding is not None]


def _counts(partition: Partition, record: Record | None, facts: BrokerFacts, namespace: str) -> Finding:
    now = facts.topics[partition.topic].partitions
    recorded = record.partition_count if record else None
    finding = fine(
        AREA,
        str(partition),
        f"state made with {recorded} partitions" if recorded else "no state yet",
        f"{now}, as the topic has",
    )
    do = (
        "keys fall into other partitions now; rebuild into a new namespace: "
        f"RISKSTREAM_NAMESPACE={namespace}-{now} riskstream worker"
    )
    return judged("ok" if recorded in (None, now) else "error", finding, do=do)


def _position(
    partition: Partition, record: Record | None, digests: list[str], facts: BrokerFacts, namespace: str
) -> Finding:
    begin, end = facts.begins[partition], facts.ends[partition]
    offsets = record.offsets if record else {}
    known = [offsets[digest] for digest in digests if digest in offsets]
    at = min(known) if len(known) == len(digests) and known else None
    subject, group = str(partition), facts.committed.get(partition)
    waiting = end - (begin if at is None else at)
    state = "no state yet" if at is None else f"state at {at}"
    told = f"{waiting} records wait; {state}, log {begin} to {end}, group at {group or 0}"
    if known and min(known) < begin:
        finding = fine(AREA, subject, told, f"state at {begin} or later: what is before is gone unscored")
        do = "restore the log, or start under another RISKSTREAM_NAMESPACE; then lengthen the retention"
        return judged("error", finding, do=do)
    if known and max(known) > end:
        finding = fine(AREA, subject, told, f"state at {end} or earlier: the topic was made anew")
        do = f"start under another namespace: RISKSTREAM_NAMESPACE={namespace}-2 riskstream worker"
        return judged("error", finding, do=do)
    if waiting and not facts.workers:
        finding = fine(AREA, subject, f"{told}; no worker runs", "a worker that takes them")
        return judged("warning", finding, do="riskstream worker")
    if waiting > MANY_RECORDS:
        finding = fine(AREA, subject, told, f"{MANY_RECORDS} or fewer waiting")
        return judged("warning", finding, do="look again; if it does not fall, run more workers")
    return fine(AREA, subject, told, "the state near the end of the log")


def _pause(partition: Partition, record: Record | None) -> list[Finding]:
    paused_at_ms = pause_of(record)
    if not paused_at_ms:
        return []
    found = f"paused since {moment(paused_at_ms)} (UTC): too many of its records were refused"
    do = f"riskstream subscribe dead-letters; then: riskstream resume {partition.topic} {partition.index}"
    return [judged("error", fine(AREA, str(partition), found, "going on"), do=do)]
