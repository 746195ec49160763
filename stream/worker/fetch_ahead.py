"""How far polls are fetched ahead of the agent that scores them."""

import asyncio

FULL_SHARE = 0.5
"""A poll with this share of the most records is full: the worker is behind."""


class FetchAhead:
    """Room for another poll: beside a full one in work, else when nothing is in work.

    After a poll that was not full the next is fetched when that one is done: fetched earlier it would hold less, and
    what comes a moment later would wait for one poll more.

    Args:
        most_records: of one poll.
    """

    def __init__(self, most_records: int) -> None:
        self._full_from = most_records * FULL_SHARE
        self._undone = 0
        self._behind = False
        self._room = asyncio.Event()
        self._room.set()

    @property
    def room(self) -> bool:
        """Whether to fetch now."""
        return self._room.is_set()

    async def wait(self) -> None:
        """Returns when there is room."""
        await self._room.wait()

    def handed_over(self, records: int) -> None:
        """A poll of that many records is on its way to the agent."""
        self._undone += 1
        self._behind = records >= self._full_from
        self._see()

    def finished(self) -> None:
        """The agent is done with a poll, whatever became of it."""
        self._undone = max(0, self._undone - 1)
        self._see()

    def forget(self) -> None:
        """Nothing waits for the agent: what was handed over is done, or was thrown away and is never finished."""
        self._undone = 0
        self._see()

    def _see(self) -> None:
        if self._undone <= int(self._behind):
            self._room.set()
        else:
            self._room.clear()
