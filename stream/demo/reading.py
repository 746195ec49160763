"""Reads what the worker writes, and how long the input logs are, into the ledger."""

import asyncio
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.alert import Alert
from schemas.dead_letter import DeadLetter
from schemas.score import Score
from schemas.topics import ALERTS, DEAD_LETTERS, SCORES
from scoring.clock import stopwatch_s
from scoring.store.contract import Partition
from stream.demo.ledger import Ledger
from stream.kafka import client_arguments
from stream.settings import Settings

OUTPUTS = (SCORES, ALERTS, DEAD_LETTERS)
LOOK_EVERY_S = 0.05

_score = msgspec.json.Decoder(Score).decode
_alert = msgspec.json.Decoder(Alert).decode
_dead_letter = msgspec.json.Decoder(DeadLetter).decode


class Reader:
    """Follows the output topics from their beginning. Use as an asynchronous context manager.

    Args:
        ledger: takes everything read.
        inputs: names of the input topics.
        partitions: how many partitions each topic has.
    """

    def __init__(
        self, settings: Settings, ledger: Ledger, *, inputs: Sequence[str], partitions: Mapping[str, int]
    ) -> None:
        self._settings, self._ledger = settings, ledger
        self._inputs = [target for topic in inputs for target in _all(topic, partitions[topic])]
        self._outputs = [target for topic in OUTPUTS for target in _all(topic, partitions[topic])]
        self._reading: asyncio.Task[None] | None = None
        self._last_news_s = stopwatch_s()

    async def __aenter__(self) -> Self:
        """Begins to read.

        Raises:
            aiokafka.errors.KafkaError: the broker cannot be reached.
        """
        self._consumer = AIOKafkaConsumer(
            **client_arguments(self._settings), enable_auto_commit=False, auto_offset_reset="earliest",
            isolation_level="read_committed", max_poll_records=5_000, fetch_max_wait_ms=100,
        )  # fmt: skip
        await self._consumer.start()
        self._consumer.assign(self._outputs)
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait([self._reading])
        await self._consumer.stop()

    async def note_inputs(self) -> None:
        """Tells the ledger how many records the input partitions hold now."""
        ends = await self._consumer.end_offsets(self._inputs)
        self._ledger.expect({Partition(target.topic, target.partition): end for target, end in ends.items()})

    async def until_complete(self, *, patience_s: float) -> bool:
        """Whether every record noted got its terminal records and alerts; gives up when no news come.

        Args:
            patience_s: how long to wait without any news before giving up.
        """
        self._last_news_s = stopwatch_s()
        while self._ledger.missing or self._ledger.alerts_missing:
            if self._reading is not None and self._reading.done():
                self._reading.result()
            if stopwatch_s() - self._last_news_s > patience_s:
                return False
            await asyncio.sleep(LOOK_EVERY_S)
        return True

    async def _read(self) -> None:
        while True:
            for target, records in (await self._consumer.getmany(timeout_ms=200)).items():
                self._last_news_s = stopwatch_s()
                for record in records:
                    self._take(target.topic, record)

    def _take(self, topic: str, record: Any) -> None:
        if topic == SCORES:
            self._ledger.add_score(_score(record.value), record.timestamp)
        elif topic == ALERTS:
            self._ledger.add_alert(_alert(record.value))
        else:
            self._ledger.add_dead_letter(_dead_letter(record.value))


def _all(topic: str, partitions: int) -> list[TopicPartition]:
    return [TopicPartition(topic, index) for index in range(partitions)]
