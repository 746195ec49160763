"""The rules every store applies to a commit, and the lease that follows from it."""

from collections.abc import Sequence
from dataclasses import replace

from scoring.store.contract import MOST_BLOBS, Lease, Partition, PartitionCountChanged, Step
from scoring.store.keys import hash_tag


def check_steps(namespace: str, partition: Partition, steps: Sequence[Step]) -> None:
    """Refuse what no store could apply whole.

    Raises:
        ValueError: no step, too many blobs, digests of `expected` and `next` that differ, a lifetime below
            one second, or a key of another partition.
    """
    tag = hash_tag(namespace, partition)
    if not steps:
        raise ValueError(f"{partition}: a commit needs at least one step")
    for step in steps:
        if len(step.blobs) > MOST_BLOBS:
            raise ValueError(f"{partition}: a step of {len(step.blobs)} blobs; cut it at {MOST_BLOBS}")
        if step.expected.keys() != step.next.keys():
            raise ValueError(
                f"{partition}: expected offsets for {sorted(step.expected)}, next offsets for "
                f"{sorted(step.next)}; name the same view digests in both"
            )
        for blob in step.blobs:
            if tag not in blob.key:
                raise ValueError(f"{partition}: key {blob.key!r} lacks {tag}; see scoring.store.keys")
            if blob.expire_after_seconds < 1:
                raise ValueError(f"key {blob.key!r}: expires after {blob.expire_after_seconds} s; at least 1")


def lease_after(lease: Lease, steps: Sequence[Step], *, last_step: str) -> Lease:
    """The lease once all of `steps` are applied."""
    offsets, outputs, notes = dict(lease.offsets), dict(lease.outputs), dict(lease.notes)
    origins = dict(lease.origins)
    for step in steps:
        offsets |= step.next
        outputs |= step.outputs
        notes |= step.notes
        origins |= step.origins
    return replace(
        lease, offsets=offsets, outputs=outputs, notes=notes, origins=origins, last_step=last_step
    )


def count_changed(
    namespace: str, partition: Partition, *, recorded: int, found: int
) -> PartitionCountChanged:
    """The error for a topic that was repartitioned, with the way out."""
    return PartitionCountChanged(
        f"topic {partition.topic} has {found} partitions, its state in namespace {namespace!r} was made with "
        f"{recorded}: keys now fall into other partitions. Rebuild from the log into a new namespace: "
        f"RISKSTREAM_NAMESPACE={namespace}-{found} riskstream worker"
    )
