"""The worker's own code through drawn histories; and the same code, broken on purpose, which they must not survive."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from unittest import mock

import pytest

from scoring.sequence import SequenceReader
from scoring.store.memory import MemoryStore
from stream.worker import outputs, pipeline
from stream.worker.keeper import Keeper
from stream.worker.scan import Findings
from tests.simulation.history import Stage, play
from tests.simulation.world import Odds, SimulatedStore

ALL = Odds(crash=0.004, freeze=0.002, rollback=0.002, empty=0.0005, error=0.004, lost_ack=0.01, rebalance=0.02)
CRASHES = Odds(crash=0.01)
BLOCK = 20
CRASHES_AND_MOVES = Odds(crash=0.012, lost_ack=0.01, rebalance=0.02)
SEARCHED = 150
Breakage = Callable[[], AbstractContextManager[object]]


@pytest.mark.parametrize("block", range(6))
def test_whatever_happens_the_books_are_in_order_at_the_end(stage: Stage, block: int) -> None:
    """Crashes, zombies, lost answers, an emptied and a restored store, partitions that move: at any await."""
    histories = [play(stage, seed, ALL) for seed in range(block * BLOCK, (block + 1) * BLOCK)]
    assert {history.seed: history.wrong for history in histories if history.wrong} == {}
    happened = {fault for history in histories for fault in history.faults}
    assert {"crash", "freeze", "rollback", "error"} <= happened
    assert all(history.answers >= 40 for history in histories)


@pytest.mark.parametrize("block", range(2))
def test_crashes_alone_leave_no_duplicate_at_all(stage: Stage, block: int) -> None:
    """Identical duplicates are a zombie's; kill -9 makes none."""
    histories = [play(stage, 1_000 + seed, CRASHES) for seed in range(block * BLOCK, (block + 1) * BLOCK)]
    assert {history.seed: history.wrong for history in histories if history.wrong} == {}
    assert sum(history.faults.get("crash", 0) for history in histories) > 50


def test_a_history_is_the_same_every_time(stage: Stage) -> None:
    """A seed that fails can be looked at."""
    first, second = (play(stage, 11, ALL) for _ in range(2))
    assert first == second


def commits_before_it_is_acknowledged() -> AbstractContextManager[object]:
    """State moves on past records whose scores may never arrive."""

    async def at_once(_: object) -> dict[str, int]:
        return {}

    return mock.patch.object(pipeline, "acknowledged", at_once)


def reads_without_a_fence() -> AbstractContextManager[object]:
    """A zombie scores on the state that its successor has made."""

    async def read(self, lease, keys):
        await self._life.gate()
        held = self._partitions.get(lease.partition)
        return [held.values.get(key) if held else None for key in keys]

    return mock.patch.object(SimulatedStore, "read", read)


def takes_the_epoch_for_the_fence() -> AbstractContextManager[object]:
    """After the store was restored, two workers hold the same epoch."""

    def held(self, lease):
        found = self._partitions.get(lease.partition)
        if found is None or found.record.epoch != lease.epoch:
            from scoring.store.contract import LeaseLost

            raise LeaseLost("another epoch")
        found.last_step = lease.last_step
        return found

    return mock.patch.object(MemoryStore, "_held", held)


def loses_the_output_offsets() -> AbstractContextManager[object]:
    """Who takes over looks for nothing that may be out."""
    return mock.patch.object(Findings, "targets", lambda self: {})


def reads_what_was_passed_on_again() -> AbstractContextManager[object]:
    """A first pass that went back is believed."""
    real = SequenceReader.chunks

    def chunks(self, records, **named):
        self.read_to.clear()
        return real(self, records, **named)

    return mock.patch.object(SequenceReader, "chunks", chunks)


def covers_outputs_of_records_that_are_not_committed() -> AbstractContextManager[object]:
    """The output partition is shared: what another partition wrote lies behind outputs that are still to be found."""
    real = outputs.covered_for
    return mock.patch.object(pipeline, "covered_for", lambda state, _, covered: real(state, 10**9, covered))


def does_not_look_whether_the_store_went_back() -> AbstractContextManager[object]:
    """Who waits for records never learns of it."""

    async def nothing(_: object) -> None:
        await asyncio.sleep(0)

    return mock.patch.object(Keeper, "_compare", nothing)


@pytest.mark.parametrize(
    "breakage",
    [
        commits_before_it_is_acknowledged, reads_without_a_fence, takes_the_epoch_for_the_fence,
        loses_the_output_offsets, reads_what_was_passed_on_again,
        covers_outputs_of_records_that_are_not_committed, does_not_look_whether_the_store_went_back,
    ],
)  # fmt: skip
def test_each_breakage_is_found(stage: Stage, breakage: Breakage) -> None:
    """A simulation that lets one of these pass proves nothing about the rest."""
    with breakage():
        histories = (play(stage, seed, odds) for seed in range(SEARCHED) for odds in (ALL, CRASHES_AND_MOVES))
        found = next((history for history in histories if history.wrong), None)
    assert found is not None, f"{2 * SEARCHED} histories did not find it"
