"""What every state store promises: the same tests in memory, in Redis and in a Redis Cluster."""

from dataclasses import replace

import pytest

from scoring.store.contract import (
    MOST_BLOBS,
    MOST_KEYS,
    Blob,
    Lease,
    LeaseLost,
    Partition,
    PartitionCountChanged,
    StateStore,
    Step,
)
from scoring.store.keys import alert_key, state_key
from tests.support.store_backends import Backend

PAYMENTS = Partition("transactions", 3)
DIGEST = "0123456789abcdef"
DAY_S = 86_400


def state(backend: Backend, entity: str, *, view: str = "account_activity") -> str:
    """Key of an account's state."""
    return state_key(backend.namespace, PAYMENTS, view, DIGEST, entity)


def step(expected: int | None, following: int, *blobs: tuple[str, bytes], digest: str = DIGEST) -> Step:
    """A step of one view from one offset to the next."""
    written = [Blob(key, value, DAY_S) for key, value in blobs]
    return Step({digest: expected}, {digest: following}, written, {}, {})


async def acquired(backend: Backend) -> tuple[StateStore, Lease]:
    """A new store and its lease on the payments."""
    store = await backend.store()
    return store, await store.acquire(PAYMENTS, partition_count=4)


async def test_first_lease_of_a_partition_knows_nothing(backend: Backend) -> None:
    """An absent offset means "never folded", which is not the same as offset 0."""
    store, lease = await acquired(backend)
    assert (lease.offsets, lease.outputs, lease.notes) == ({}, {}, {})
    assert (lease.epoch, lease.partition_count, lease.rolled_back) == (1, 4, False)
    assert await store.read(lease, [state(backend, "a")]) == [None]


async def test_committed_state_is_read_back_by_the_next_lease(backend: Backend) -> None:
    """State outlives the worker: blobs, offsets, outputs and notes come together."""
    store, lease = await acquired(backend)
    key = state(backend, "a")
    whole = replace(
        step(None, 7, (key, b"\x00\xff\r\n")),
        outputs={"risk-scores/3": 21},
        notes={"act:payment_anomaly": '{"ü":1}'},
    )
    after = await store.commit(lease, [whole])
    other, following = await acquired(backend)
    assert await other.read(following, [key]) == [b"\x00\xff\r\n"]
    for seen in (after, following):
        assert seen.offsets == {DIGEST: 7}
        assert seen.outputs == {"risk-scores/3": 21}
        assert seen.notes == {"act:payment_anomaly": '{"ü":1}'}
    assert following.epoch == 2
    assert following.token != lease.token


async def test_outputs_and_notes_not_named_by_a_step_stay(backend: Backend) -> None:
    """A poll that writes to one output partition must not forget where the others stood."""
    store, lease = await acquired(backend)
    lease = await store.commit(lease, [replace(step(None, 1), outputs={"alerts/0": 5}, notes={"one": "1"})])
    await store.commit(lease, [replace(step(1, 2), outputs={"alerts/1": 6}, notes={"two": "2"})])
    _, following = await acquired(backend)
    assert following.outputs == {"alerts/0": 5, "alerts/1": 6}
    assert following.notes == {"one": "1", "two": "2"}


async def test_older_lease_cannot_read(backend: Backend) -> None:
    """A zombie that scored from state it no longer owns would publish differing duplicates."""
    store, lease = await acquired(backend)
    await acquired(backend)
    with pytest.raises(LeaseLost):
        await store.read(lease, [state(backend, "a")])
    with pytest.raises(LeaseLost):
        await store.read(lease, [])


async def test_older_lease_cannot_commit(backend: Backend) -> None:
    """A zombie's commit would fold events twice."""
    store, lease = await acquired(backend)
    other, following = await acquired(backend)
    with pytest.raises(LeaseLost):
        await store.commit(lease, [step(None, 5, (state(backend, "a"), b"zombie"))])
    assert await other.read(following, [state(backend, "a")]) == [None]
    assert await other.record(PAYMENTS) == await store.record(PAYMENTS)
    record = await other.record(PAYMENTS)
    assert record is not None
    assert record.offsets == {}


@pytest.mark.parametrize("expected", [None, 6, 8])
async def test_commit_from_another_offset_is_refused(backend: Backend, expected: int | None) -> None:
    """The offset is a compare-and-set: state never skips events and never takes one twice."""
    store, lease = await acquired(backend)
    lease = await store.commit(lease, [step(None, 7)])
    with pytest.raises(LeaseLost):
        await store.commit(lease, [step(expected, 9)])


async def test_refused_step_leaves_nothing_behind(backend: Backend) -> None:
    """One wrong offset among several views refuses blobs, outputs, notes and all offsets."""
    store, lease = await acquired(backend)
    lease = await store.commit(lease, [step(None, 7), step(None, 3, digest="other")])
    mixed = Step(
        {DIGEST: 7, "other": 4},
        {DIGEST: 9, "other": 9},
        [Blob(state(backend, "a"), b"half", DAY_S)],
        {"alerts/0": 1},
        {"note": "half"},
    )
    with pytest.raises(LeaseLost):
        await store.commit(lease, [mixed])
    other, following = await acquired(backend)
    assert following.offsets == {DIGEST: 7, "other": 3}
    assert (following.outputs, following.notes) == ({}, {})
    assert await other.read(following, [state(backend, "a")]) == [None]


async def test_steps_after_a_refused_one_are_not_applied(backend: Backend) -> None:
    """Steps travel together; a later one of another view must not slip past a failed one."""
    store, lease = await acquired(backend)
    a, b, c = (state(backend, entity) for entity in "abc")
    steps = [step(None, 1, (a, b"1")), step(99, 2, (b, b"2")), step(None, 3, (c, b"3"), digest="other")]
    with pytest.raises(LeaseLost):
        await store.commit(lease, steps)
    other, following = await acquired(backend)
    assert await other.read(following, [a, b, c]) == [b"1", None, None]
    assert following.offsets == {DIGEST: 1}


async def test_same_lease_commits_only_once(backend: Backend) -> None:
    """A lease used again after a commit is stale, even where a step names no offset at all."""
    store, lease = await acquired(backend)
    note = Step({}, {}, [], {}, {"act": "1"})
    after = await store.commit(lease, [note])
    for use in (store.commit(lease, [note]), store.read(lease, [])):
        with pytest.raises(LeaseLost):
            await use
    assert await store.read(after, []) == []


async def test_each_view_digest_has_its_own_offset(backend: Backend) -> None:
    """A new view is folded from the log's start while the others go on."""
    store, lease = await acquired(backend)
    lease = await store.commit(lease, [step(None, 700)])
    lease = await store.commit(lease, [Step({DIGEST: 700, "new": None}, {DIGEST: 710, "new": 0}, [], {}, {})])
    assert lease.offsets == {DIGEST: 710, "new": 0}
    assert (await acquired(backend))[1].offsets == {DIGEST: 710, "new": 0}


async def test_partitions_do_not_touch_each_other(backend: Backend) -> None:
    """Leases are per partition: taking one leaves the others alone."""
    store, lease = await acquired(backend)
    other = Partition("transactions", 0)
    elsewhere = await store.acquire(other, partition_count=4)
    key = state_key(backend.namespace, other, "account_activity", DIGEST, "a")
    await store.commit(elsewhere, [step(None, 5, (key, b"there"))])
    assert await store.read(lease, [state(backend, "a")]) == [None]


async def test_thousands_of_keys_are_read_in_order(backend: Backend) -> None:
    """A poll reads more keys than one server call may hold; the cut must not show."""
    store, lease = await acquired(backend)
    keys = [state(backend, f"account-{number}") for number in range(3 * MOST_KEYS)]
    steps = [
        step(
            start or None,
            start + MOST_KEYS,
            *((key, key.encode()) for key in keys[start : start + MOST_KEYS]),
        )
        for start in range(0, len(keys), MOST_KEYS)
    ]
    lease = await store.commit(lease, steps)
    assert lease.offsets == {DIGEST: 3 * MOST_KEYS}
    asked = [*reversed(keys), state(backend, "nobody")]
    assert await store.read(lease, asked) == [*(key.encode() for key in reversed(keys)), None]


async def test_store_put_back_to_an_older_copy_is_reported(backend: Backend) -> None:
    """After a restore from backup the worker has to rewind and rebuild, and people have to know."""
    store, lease = await acquired(backend)
    lease = await store.commit(lease, [step(None, 5)])
    kept = await backend.copy()
    lease = await store.commit(lease, [step(5, 9)])
    await backend.restore(kept)
    with pytest.raises(LeaseLost):
        await store.read(lease, [state(backend, "a")])
    restored = await store.acquire(PAYMENTS, partition_count=4)
    assert restored.rolled_back
    assert restored.offsets == {DIGEST: 5}
    assert not (await store.acquire(PAYMENTS, partition_count=4)).rolled_back


async def test_emptied_store_is_reported(backend: Backend) -> None:
    """An emptied store looks like a new one, except to a process that has seen it full."""
    store, lease = await acquired(backend)
    await store.commit(lease, [step(None, 5)])
    await backend.restore(type(await backend.copy())())
    assert (await store.acquire(PAYMENTS, partition_count=4)).rolled_back


async def test_progress_of_another_worker_is_no_rollback(backend: Backend) -> None:
    """Partitions move between workers all the time; only going back is news."""
    store, lease = await acquired(backend)
    await store.commit(lease, [step(None, 5)])
    other, theirs = await acquired(backend)
    await other.commit(theirs, [step(5, 50)])
    back = await store.acquire(PAYMENTS, partition_count=4)
    assert not back.rolled_back
    assert back.epoch == 3


async def test_changed_partition_count_is_refused_with_the_way_out(backend: Backend) -> None:
    """With other partitions, keys hash elsewhere: going on would start every account from nothing."""
    store, lease = await acquired(backend)
    with pytest.raises(PartitionCountChanged, match=r"6 partitions.* with 4.*riskstream worker"):
        await store.acquire(PAYMENTS, partition_count=6)
    assert await store.read(lease, []) == []


async def test_forgotten_entity_is_gone_and_the_worker_loses_its_lease(backend: Backend) -> None:
    """`forget` takes the lease: a worker with the entity in its cache must not write it back."""
    store, lease = await acquired(backend)
    mine = [state(backend, "BRK:B"), alert_key(backend.namespace, PAYMENTS, "payment_anomaly", "BRK:B")]
    others = [state(backend, "B"), state(backend, "BRK:BB"), state(backend, "BRK*")]
    lease = await store.commit(lease, [step(None, 5, *((key, b"x") for key in mine + others))])
    janitor, taken = await acquired(backend)
    assert await janitor.keys_of(PAYMENTS, "BRK:B") == sorted(mine)
    assert await janitor.keys_of(PAYMENTS, "BRK*") == [others[2]]
    assert await janitor.values(PAYMENTS, [*mine, others[0]]) == [b"x"] * 3
    assert await janitor.forget(taken, [*mine, state(backend, "nobody")]) == 2
    with pytest.raises(LeaseLost):
        await store.commit(lease, [step(5, 6, (mine[0], b"back again"))])
    with pytest.raises(LeaseLost):
        await store.forget(lease, others)
    again = await store.acquire(PAYMENTS, partition_count=4)
    assert await store.read(again, mine + others) == [None, None, b"x", b"x", b"x"]
    assert again.offsets == {DIGEST: 5}


async def test_looking_takes_no_lease(backend: Backend) -> None:
    """People may look at a running worker's partition without disturbing it."""
    store, lease = await acquired(backend)
    lease = await store.commit(lease, [step(None, 5, (state(backend, "a"), b"x"))])
    onlooker = await backend.store()
    record = await onlooker.record(PAYMENTS)
    assert record is not None
    assert (record.epoch, record.offsets, record.partition_count) == (1, {DIGEST: 5}, 4)
    assert await onlooker.record(Partition("transactions", 1)) is None
    assert await onlooker.values(PAYMENTS, []) == []
    assert await store.read(lease, [state(backend, "a")]) == [b"x"]


async def test_step_beyond_the_limits_is_refused_before_anything_is_sent(backend: Backend) -> None:
    """What no store could apply whole is a mistake of the caller, named as such."""
    store, lease = await acquired(backend)
    key = state(backend, "a")
    foreign = state_key(backend.namespace, Partition("transactions", 1), "account_activity", DIGEST, "a")
    wrong = [
        [],
        [step(None, 1, *[(key, b"")] * (MOST_BLOBS + 1))],
        [Step({DIGEST: None}, {}, [], {}, {})],
        [step(None, 1, (foreign, b""))],
        [Step({}, {}, [Blob(key, b"", 0)], {}, {})],
    ]
    for steps in wrong:
        with pytest.raises(ValueError):
            await store.commit(lease, steps)
    assert await store.read(lease, [key]) == [None]
