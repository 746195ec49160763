"""Limits: declared and run alike, counted after the warm-up, reported per event."""

import asyncio
from collections.abc import AsyncIterator
from itertools import count

import pytest

from benchmarks.limits.core import cut
from benchmarks.limits.declared import LIMITS
from benchmarks.limits.given import Given
from benchmarks.limits.meter import Done, Moment, measured
from benchmarks.limits.process import TURNS
from benchmarks.limits.run import limit_dict, run_module
from benchmarks.limits.table import limits_table
from benchmarks.plan import BenchmarkFailed
from scoring.store.contract import Blob

GIVEN = Given(
    limit="fold", kafka_bootstrap="127.0.0.1:9", redis_url="redis://127.0.0.1:9/0", bundle_dirs=("here",), namespace="n",
    partitions=4, seed=1, accounts=10, history=100, seconds=1.0, warm_up_s=0.5, watched=(1, 2),
)  # fmt: skip


def test_every_declared_limit_has_a_program() -> None:
    """A limit nobody runs would be missing from the table without a word."""
    assert tuple(LIMITS) == tuple(TURNS)


def test_what_a_process_is_told_arrives_as_it_was_sent() -> None:
    """It crosses a command line."""
    assert Given.decode(GIVEN.encode()) == GIVEN
    assert GIVEN.settings.namespace == "n" and GIVEN.payments.accounts == 10


async def test_turns_of_the_warm_up_do_not_count() -> None:
    """Compilation and the first fetches are no part of the speed."""

    async def turns() -> AsyncIterator[int]:
        while True:
            await asyncio.sleep(0.01)
            yield 10

    ticks = count()

    def moment() -> Moment:
        import time

        tick = next(ticks)
        return Moment(time.monotonic(), (1.0 * tick, 2.0 * tick, 3.0 * tick))

    done = await measured(turns(), warm_up_s=0.1, seconds=0.2, moment=moment)
    assert 0.2 <= done.seconds < 1.0
    assert 0 < done.events <= 10 * done.seconds / 0.01 + 10
    # one tick at the beginning, one after the warm-up, one at the end: what lies between the last two
    assert (done.cpu_seconds, done.kafka_cpu_seconds, done.redis_cpu_seconds) == (1.0, 2.0, 3.0)


def test_a_limit_is_the_median_of_its_runs_and_tells_the_servers_share() -> None:
    """A limit above what the server can do would promise too much."""
    runs = [Done(1_000, seconds, 0.5, 0.001, 0.002) for seconds in (1.0, 2.0, 4.0)]
    told = limit_dict("fold", runs)
    assert told["what"] == LIMITS["fold"]
    assert (told["events_per_second"], told["events_per_cpu_second"]) == (500.0, 2_000.0)
    assert (told["kafka_cpu_us"], told["redis_cpu_us"]) == (1.0, 2.0)
    (row,) = limits_table({"fold": told}).rows
    assert row[1:] == ("500", "2,000", "1.00", "2.00")


def test_states_are_cut_into_whole_chunks_without_one_twice() -> None:
    """A chunk that is too small would look fast."""
    blobs = [Blob(str(number), b"", 1) for number in range(25)]
    chunks = cut(blobs, 10)
    assert [len(chunk) for chunk in chunks] == [10, 10]
    assert len({blob.key for chunk in chunks for blob in chunk}) == 20
    with pytest.raises(ValueError, match="more accounts"):
        cut(blobs, 26)


def test_a_process_that_fails_says_why() -> None:
    """A missing result must not be a division by nothing later on."""
    with pytest.raises(BenchmarkFailed, match="ended with"):
        run_module("benchmarks.no_such_module")
