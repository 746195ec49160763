"""The core under bare clients commits what the worker would, in the same order."""

import asyncio
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaException

from benchmarks.competitors.bare_core import BareCore, Covered
from benchmarks.competitors.core_on_confluent import Deliveries
from stream.settings import load


class EndOfTest(Exception):
    """There is no more to fetch."""


@dataclass
class Script:
    """Polls of some records each; notes what happens to them."""

    polls: list[int]
    noted: list[str] = field(default_factory=list)
    release: asyncio.Event = field(default_factory=asyncio.Event)

    async def fetch(self) -> Mapping[int, list[Any]]:
        if not self.polls:
            raise EndOfTest
        self.noted.append("fetch")
        return {0: [None] * self.polls.pop(0)}

    async def prepare(self, poll: Mapping[Any, list[Any]]) -> Any:
        await asyncio.sleep(0)  # what else is under way goes on
        number = sum(note.startswith("prepare") for note in self.noted)
        self.noted.append(f"prepare {number}")
        if number == 1:
            self.release.set()  # the first poll is acknowledged only while the second is scored
        return SimpleNamespace(steps={number: []}, outputs={number: number})

    async def send(self, outputs: Mapping[Any, Any]) -> Awaitable[Covered]:
        (number,) = outputs.values()
        self.noted.append(f"send {number}")
        return self.acknowledge(number)

    async def acknowledge(self, number: int) -> Covered:
        await self.release.wait()
        self.noted.append(f"acknowledged {number}")
        return {}


class ScriptedCore(BareCore):
    """Notes commits in place of making them."""

    noted: list[str]

    async def _commit(self, state: Any, prepared: Any, covered: Covered) -> None:
        self.noted.append(f"commit {state}")


async def run(polls: list[int]) -> list[str]:
    script = Script(polls)
    settings = load({}, poll_records=10)
    core = ScriptedCore(settings, None, SimpleNamespace(prepare=script.prepare), {0: None})  # type: ignore[arg-type, dict-item]
    core.noted = script.noted
    with pytest.raises(EndOfTest):
        await core.run(script.fetch, script.send)
    return script.noted


async def test_a_poll_is_scored_while_the_one_before_is_acknowledged_and_commits_are_in_order() -> None:
    """Without the overlap the bare client would be slower than the worker for no fault of its own."""
    noted = await run([10, 10, 10])
    assert noted.index("prepare 1") < noted.index("commit 0") < noted.index("acknowledged 1")
    assert noted.index("commit 0") < noted.index("commit 1")


async def test_a_full_poll_is_followed_by_another_before_it_is_scored_and_a_small_one_is_not() -> None:
    """Fetched earlier, a small poll would hold less, and what comes a moment later would wait for one poll more."""
    full, small = await run([10, 10]), await run([1, 1])
    assert full[:2] == ["fetch", "fetch"]
    assert small[:3] == ["fetch", "prepare 0", "send 0"]


class Delivered:
    """An acknowledged message, as confluent-kafka tells of it."""

    def __init__(self, partition: int, offset: int) -> None:
        self.topic, self.partition, self.offset = (lambda: "risk-scores"), (lambda: partition), (lambda: offset)


async def test_deliveries_end_with_the_last_acknowledgement_and_cover_what_was_written() -> None:
    """What is committed must be out: an acknowledgement too few and a crash would lose a score."""
    deliveries = Deliveries(3)
    waiting = asyncio.ensure_future(deliveries.all())
    for partition, offset in ((0, 7), (1, 3)):
        deliveries(None, Delivered(partition, offset))
    await asyncio.sleep(0.01)
    assert not waiting.done()
    deliveries(None, Delivered(0, 6))
    assert await waiting == {"risk-scores/0": 8, "risk-scores/1": 4}


async def test_one_failed_delivery_fails_the_poll_and_no_records_need_none() -> None:
    """A commit after a lost score would skip the event for ever."""
    deliveries = Deliveries(2)
    deliveries("not written", None)
    deliveries("not written either", None)
    with pytest.raises(KafkaException):
        await deliveries.all()
    assert await Deliveries(0).all() == {}
