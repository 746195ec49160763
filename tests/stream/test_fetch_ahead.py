"""A worker that is behind fetches the next poll while one is scored; one that keeps up fetches as late as it can."""

import asyncio

from stream.worker.fetch_ahead import FetchAhead


def test_beside_a_full_poll_there_is_room_for_one_more_and_not_for_two() -> None:
    """The memory of a worker that is far behind is bounded by polls, not by the backlog."""
    ahead = FetchAhead(4_000)
    ahead.handed_over(4_000)
    assert ahead.room
    ahead.handed_over(4_000)
    assert not ahead.room
    ahead.finished()
    assert ahead.room


def test_beside_a_poll_that_was_not_full_nothing_is_fetched() -> None:
    """Its successor is fetched when it is done, with all that has come until then."""
    ahead = FetchAhead(4_000)
    ahead.handed_over(1_999)
    assert not ahead.room
    ahead.finished()
    assert ahead.room


def test_the_last_poll_of_a_backlog_is_finished_before_the_next_is_fetched() -> None:
    """One full poll in work, one that is not behind it: room again only when both are done."""
    ahead = FetchAhead(4_000)
    ahead.handed_over(4_000)
    ahead.handed_over(10)
    ahead.finished()
    assert not ahead.room
    ahead.finished()
    assert ahead.room


def test_polls_that_a_rebalance_threw_away_are_not_waited_for() -> None:
    """They are never finished; the one in work at that time may still be, and counts for nothing."""
    ahead = FetchAhead(4_000)
    ahead.handed_over(10)
    ahead.forget()
    assert ahead.room
    ahead.finished()
    ahead.handed_over(10)
    assert not ahead.room


def test_whoever_waits_goes_on_when_there_is_room() -> None:
    """The fetcher sleeps until then."""

    async def fetch_one_more() -> bool:
        ahead = FetchAhead(4_000)
        ahead.handed_over(10)
        waiting = asyncio.create_task(ahead.wait())
        await asyncio.sleep(0)
        slept = not waiting.done()
        ahead.finished()
        await asyncio.wait_for(waiting, 5)
        return slept

    assert asyncio.run(fetch_one_more())
